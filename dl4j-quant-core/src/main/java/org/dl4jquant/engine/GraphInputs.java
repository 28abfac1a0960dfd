// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.IntNode;

/** Checks what is given to an engine; every engine calls it first, so that all refuse alike. */
public final class GraphInputs {

    private GraphInputs() {}

    /**
     * Checks that there is one finite batch for each input of the graph, all of one size.
     *
     * @param graph the graph to run
     * @param inputs one batch for each input node, by name
     * @return how many examples each batch has
     * @throws IllegalArgumentException if an input is missing, unknown, of another shape or size,
     *     or not finite; the message names it and the first wrong place
     */
    public static int requireValid(IntGraph graph, Map<String, Batch.Floats> inputs) {
        List<String> names = graph.inputs().stream().map(IntNode.Input::name).toList();
        Require.argument(
                inputs.keySet().stream().allMatch(names::contains),
                "the inputs given are %s; the graph has %s",
                inputs.keySet(),
                names);
        int size = 0;
        for (IntNode.Input node : graph.inputs()) {
            Batch.Floats batch = inputs.get(node.name());
            Require.argument(
                    batch != null,
                    "input '%s' is missing; the graph has %s and %s are given",
                    node.name(),
                    names,
                    inputs.keySet());
            requireFits(node, Objects.requireNonNull(batch));
            Require.argument(
                    size == 0 || size == batch.size(),
                    "input '%s' has %d examples, '%s' has %d; all inputs must have as many",
                    node.name(),
                    batch.size(),
                    names.get(0),
                    size);
            size = batch.size();
        }
        return size;
    }

    private static void requireFits(IntNode.Input node, Batch.Floats batch) {
        Require.argument(
                batch.shape().equals(node.shape()),
                "input '%s' has examples of shape %s; the graph takes %s",
                node.name(),
                batch.shape(),
                node.shape());
        float[] values = batch.values();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        "input '%s' is %s in example %d at index %d of %s; it must be finite"
                                .formatted(
                                        node.name(),
                                        values[i],
                                        i / node.shape().elements(),
                                        i % node.shape().elements(),
                                        node.shape()));
            }
        }
    }
}
