// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;

/*
 * What a graph with a free number of steps computes is defined by this: what the graph of fixed
 * sizes does.
 */
/** Graphs for sequences of one length, made of graphs for any. */
final class SteppedGraphs {

    private SteppedGraphs() {}

    static IntGraph of(IntGraph graph, int steps) {
        Require.argument(steps > 0, "%s cannot have %d steps; one step is the least", graph, steps);
        List<IntNode> nodes = new ArrayList<>();
        for (IntNode node : graph.nodes()) {
            TensorType result = graph.type(node.name());
            TensorType input = node.inputs().isEmpty() ? result : graph.type(node.inputs().get(0));
            nodes.add(node.withSteps(steps, input, result));
        }
        return IntGraph.of(nodes, graph.outputs(), graph.functions());
    }
}
