// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.graph.IntGraph;

/**
 * An integer graph that was read, and where ONNX Runtime may round otherwise.
 *
 * @param graph the graph
 * @param deviations the nodes, in the graph's order
 */
public record FormReading(IntGraph graph, List<Deviation> deviations) {

    /** Copies the list. */
    public FormReading {
        Objects.requireNonNull(graph, "graph");
        deviations = List.copyOf(deviations);
    }

    /**
     * A node that ONNX Runtime does not compute with the integer kernel that the graph stands for.
     *
     * @param node the node of the integer graph
     * @param operator the operator in the file, with its own name
     * @param reason the part of the file that keeps ONNX Runtime from it
     */
    public record Deviation(String node, String operator, String reason) {}
}
