// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.WideNodes;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

/** Nodes without a kernel are refused by name, all of them at once. */
class GpuSupportTest {

    /* Every node has an exact form that a GPU could compute, so refusals stay few. */
    private static final int MOST_REFUSED = 6;

    private static final int GRAPHS = 40;

    @Test
    void refusesAllNodesOfAKindBeforePlanning() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = RandomGraph.without(GpuSupport.refusedKinds(), seed).graph();
            Set<String> quantized =
                    graph.nodes().stream()
                            .filter(node -> node.kind().equals("Quantize"))
                            .map(IntNode::name)
                            .collect(Collectors.toSet());
            Map<String, String> reasons = Map.of("Quantize", "its reason");
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> GpuSupport.requireNone(graph, reasons))
                            .getMessage();
            assertEquals(
                    quantized,
                    message.lines()
                            .filter(line -> line.endsWith("(Quantize) has no kernel: its reason"))
                            .map(line -> line.substring(line.indexOf('\'') + 1))
                            .map(line -> line.substring(0, line.indexOf('\'')))
                            .collect(Collectors.toSet()));
            assertDoesNotThrow(() -> GpuSupport.require(graph));
        }
    }

    @Test
    void onlyAHandfulIsRefused() {
        assertTrue(GpuSupport.refusedKinds().size() <= MOST_REFUSED);
    }

    @Test
    void refusesCodesOfSixteenBitsByTheNodesThatReadMultiplyOrMakeThem() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            IntGraph graph = WideNodes.graph(seed);
            Set<String> wide =
                    graph.nodes().stream()
                            .filter(node -> touchesWide(node, graph))
                            .map(IntNode::name)
                            .collect(Collectors.toSet());
            if (wide.isEmpty()) {
                assertDoesNotThrow(() -> GpuSupport.require(graph));
                continue;
            }
            String message =
                    assertThrows(IllegalArgumentException.class, () -> GpuSupport.require(graph))
                            .getMessage();
            Set<String> named =
                    message.lines()
                            .filter(line -> line.contains("has no kernel: codes of 16 bits"))
                            .map(line -> line.substring(line.indexOf('\'') + 1))
                            .map(line -> line.substring(0, line.indexOf('\'')))
                            .collect(Collectors.toSet());
            assertEquals(wide, named);
        }
    }

    @Test
    void refusesAttentionUnderAMaskAndNoOther() {
        QuantParams codes = new QuantParams(0.1f, 0, CodeRange.signed(8));
        for (Optional<String> mask : List.of(Optional.<String>empty(), Optional.of("mask"))) {
            List<IntNode> nodes = new ArrayList<>();
            nodes.add(new Input("x", Shape.of(2, 2)));
            mask.ifPresent(name -> nodes.add(new Input(name, Shape.of(2))));
            nodes.add(new Quantize("q", "x", codes));
            nodes.add(new AttentionWeights("weights", "q", "q", codes, mask));
            IntGraph graph = IntGraph.of(nodes, List.of("weights"));
            if (mask.isEmpty()) {
                assertDoesNotThrow(() -> GpuSupport.require(graph));
            } else {
                String message =
                        assertThrows(
                                        IllegalArgumentException.class,
                                        () -> GpuSupport.require(graph))
                                .getMessage();
                assertTrue(
                        message.contains("node 'weights' (AttentionWeights) has no kernel: masks"),
                        message);
            }
        }
    }

    private static boolean touchesWide(IntNode node, IntGraph graph) {
        boolean makes =
                graph.type(node.name()).isCodes()
                        && graph.type(node.name()).codes().range().bits() > 8;
        return makes
                || (node instanceof Weighted layer
                        && (layer.weights().range().bits() > 8
                                || graph.type(layer.input()).codes().range().bits() > 8));
    }
}
