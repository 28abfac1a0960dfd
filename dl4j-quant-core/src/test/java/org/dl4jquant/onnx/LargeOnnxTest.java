// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Graphs of many nodes take time in proportion to their nodes. */
class LargeOnnxTest {

    private static final int NODES = 30_000;

    /** The square of the nodes, in searches through lists, takes many minutes. */
    private static final Duration MOST = Duration.ofMinutes(2);

    private static IntGraph chain(int length) {
        QuantParams params = SmallGraphs.uint8(1);
        List<IntNode> nodes = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < length; i++) { // inputs, outputs and what lies between grow alike
            nodes.add(new Input("x" + i, Shape.of(1)));
            nodes.add(new Quantize("q" + i, "x" + i, params));
            nodes.add(new Add("a" + i, "q" + i, "q" + i, Output.Codes.of(params)));
            outputs.add("a" + i);
        }
        return IntGraph.of(nodes, outputs);
    }

    @Test
    @Tag("thorough")
    void writesAndReadsManyNodesInputsAndOutputs() {
        IntGraph graph = chain(NODES / 3);
        IntGraph read =
                assertTimeoutPreemptively(
                        MOST, () -> OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "large"));
        assertEquals(graph.sha256(), read.sha256());
    }

    @Test
    void writesAndReadsSomeNodesInputsAndOutputs() {
        IntGraph graph = chain(50);
        assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "small"));
    }
}
