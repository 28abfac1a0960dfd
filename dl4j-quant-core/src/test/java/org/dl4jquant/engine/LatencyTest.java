// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

class LatencyTest {

    @Test
    void timesAGraphOfTwoInputs() {
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", Shape.of(2)));
        graph.add(new Quantize("qx", "x", SmallGraphs.uint8(1)));
        graph.add(new Input("y", Shape.of(3)));
        graph.add(new Quantize("qy", "y", SmallGraphs.uint8(1)));

        assertTrue(Latency.millis("reference", graph.build(List.of("qx", "qy"))) > 0);
    }
}
