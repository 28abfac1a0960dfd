// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.IntNode;
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
}
