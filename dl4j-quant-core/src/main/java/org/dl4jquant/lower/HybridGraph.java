// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;

/**
 * A network of which some steps stay in float.
 *
 * @param graph the integer parts; results of islands are inputs, and what they read are outputs
 * @param islands the steps in float, in order
 * @param outputs the nodes that leave the network: the graph's or islands'
 */
public record HybridGraph(IntGraph graph, List<FloatIsland> islands, List<String> outputs) {
    /** Copies the lists. */
    public HybridGraph {
        Objects.requireNonNull(graph, "graph");
        islands = List.copyOf(islands);
        outputs = List.copyOf(outputs);
    }
}
