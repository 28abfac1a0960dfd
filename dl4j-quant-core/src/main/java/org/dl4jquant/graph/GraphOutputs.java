// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.OutputFunction;

/** The checks of a graph's outputs and of their last functions. */
final class GraphOutputs {

    private GraphOutputs() {}

    /**
     * Checks the names of the outputs.
     *
     * @param outputs names of results
     * @param types the types of results by name
     * @param nodes all nodes
     * @throws IllegalArgumentException if there is no output, or one is no node, an input or named
     *     twice
     */
    static void require(List<String> outputs, Map<String, TensorType> types, List<IntNode> nodes) {
        Require.argument(!outputs.isEmpty(), "the graph has no output; name at least one node");
        for (String output : outputs) {
            Require.argument(
                    types.containsKey(output),
                    "the graph's output '%s' is no node; there are %s",
                    output,
                    types.keySet());
        }
        Set<String> leaving = Set.copyOf(new HashSet<>(outputs));
        for (IntNode node : nodes) {
            Require.argument(
                    !(node instanceof Input) || !leaving.contains(node.name()),
                    "the graph's output '%s' is an input; name what is computed from it",
                    node.name());
        }
        Require.argument(
                leaving.size() == outputs.size(),
                "an output of the graph is named twice in %s",
                outputs);
    }

    /**
     * {@return the last functions of the outputs, in the order of the outputs}
     *
     * @param outputs names of results
     * @param functions the last functions by the output's name
     * @param types the types of results by name
     * @throws IllegalArgumentException if a function is of no output, of one that is codes, or does
     *     not fit its shape
     */
    static Map<String, List<OutputFunction>> ordered(
            List<String> outputs,
            Map<String, List<OutputFunction>> functions,
            Map<String, TensorType> types) {
        Map<String, List<OutputFunction>> ordered = new LinkedHashMap<>();
        for (String output : outputs) {
            List<OutputFunction> last = functions.getOrDefault(output, List.of());
            if (!last.isEmpty()) {
                TensorType type = Objects.requireNonNull(types.get(output), output);
                Require.argument(
                        !type.isCodes(),
                        "the graph's output '%s' is codes and has the last function %s; dequantize"
                                + " it first",
                        output,
                        last);
                last.forEach(function -> requireFits(output, function, type));
                ordered.put(output, List.copyOf(last));
            }
        }
        for (String name : functions.keySet()) {
            Require.argument(
                    outputs.contains(name),
                    "there is a last function of '%s', which is none of the graph's outputs %s",
                    name,
                    outputs);
        }
        return Collections.unmodifiableMap(ordered);
    }

    private static void requireFits(String output, OutputFunction function, TensorType type) {
        Require.argument(
                function.fits(type.shape()),
                "the graph's output '%s' has examples of shape %s, which %s does not fit",
                output,
                type.shape(),
                function);
    }
}
