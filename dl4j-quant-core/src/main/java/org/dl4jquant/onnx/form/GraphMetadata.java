// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of a graph: what ONNX cannot say, which is narrower ranges, signed codes, where
 * inputs stand among the nodes, and exact last functions. Each key is used once or refused.
 */
final class GraphMetadata {

    private final Map<String, String> entries;
    private final Set<String> used = new HashSet<>(Set.of(Provenance.HASH));

    GraphMetadata(Map<String, String> entries) {
        this.entries = entries;
    }

    /** Adds the metadata of a graph. */
    static void describe(IntGraph graph, Map<String, String> entries) {
        graph.functions()
                .forEach(
                        (output, functions) ->
                                entries.put(
                                        Provenance.FUNCTION + output,
                                        OutputFunction.text(functions)));
        int inputs = 0;
        for (int place = 0; place < graph.nodes().size(); place++) {
            IntNode node = graph.nodes().get(place);
            TensorType type = graph.type(node.name());
            boolean own = !(node instanceof KeepsCodes);
            if (own && type.isCodes() && !type.codes().range().equals(Containers.UINT8)) {
                entries.put(Provenance.RANGE + node.name(), text(type.codes().range()));
            }
            WeightTensor weights = weights(node);
            if (weights != null && !weights.range().equals(CodeRange.narrow(CodeRange.MAX_BITS))) {
                entries.put(Provenance.WEIGHT_RANGE + node.name(), text(weights.range()));
            }
            if (type.hasFreeSteps() && node instanceof Input) {
                int steps = type.shape().size(type.timeAxis());
                entries.put(Provenance.STEPS + node.name(), String.valueOf(steps));
            }
            if (node instanceof Input && place != inputs++) {
                entries.put(Provenance.INPUT_PLACE + node.name(), String.valueOf(place));
            }
        }
    }

    private static @Nullable WeightTensor weights(IntNode node) {
        if (node instanceof DynamicDense dynamic) {
            return dynamic.weights();
        }
        return node instanceof Weighted layer ? layer.weights() : null;
    }

    private static String text(CodeRange range) {
        return range.min() + " " + range.max();
    }

    /** {@return the outputs of float tails} */
    static Set<String> tails(Map<String, String> entries) {
        return entries.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(Provenance.TAIL))
                .map(Map.Entry::getValue)
                .collect(Collectors.toSet());
    }

    /** {@return how many steps an input has whose number of steps is free; empty if it is fixed} */
    OptionalInt steps(String input) {
        String key = Provenance.STEPS + input;
        used.add(key);
        String text = entries.get(key);
        if (text == null) {
            return OptionalInt.empty();
        }
        Require.argument(
                text.matches("\\d{1,9}"), "metadata '%s' is '%s'; it must be a number", key, text);
        return OptionalInt.of(Integer.parseInt(text));
    }

    /**
     * {@return the place of an input among the nodes}
     *
     * @param input the input
     * @param otherwise the place if nothing is said
     */
    int place(String input, int otherwise) {
        String key = Provenance.INPUT_PLACE + input;
        used.add(key);
        String text = entries.get(key);
        if (text == null) {
            return otherwise;
        }
        Require.argument(
                text.matches("\\d{1,9}"), "metadata '%s' is '%s'; it must be a number", key, text);
        return Integer.parseInt(text);
    }

    /**
     * {@return the codes of a tensor or of weights}
     *
     * @param prefix which of the two
     * @param name the node
     * @param otherwise the codes if nothing is said
     */
    CodeRange range(String prefix, String name, CodeRange otherwise) {
        String key = prefix + name;
        used.add(key);
        String text = entries.get(key);
        if (text == null) {
            return otherwise;
        }
        Require.argument(
                text.matches("-?\\d{1,5} \\d{1,5}"),
                "metadata '%s' is '%s'; it must be the least and the greatest code, as in '-7 7'",
                key,
                text);
        String[] ends = text.split(" ", -1);
        return new CodeRange(Integer.parseInt(ends[0]), Integer.parseInt(ends[1]));
    }

    /** {@return the text of a key; nothing if there is no such key} */
    Optional<String> note(String key) {
        used.add(key);
        return Optional.ofNullable(entries.get(key));
    }

    /** {@return the last functions of outputs, of those that have any} */
    Map<String, List<OutputFunction>> functions(List<String> outputs) {
        Map<String, List<OutputFunction>> functions = new HashMap<>();
        for (String output : outputs) {
            String key = Provenance.FUNCTION + output;
            used.add(key);
            used.add(Provenance.TAIL + output);
            String text = entries.get(key);
            if (text != null) {
                functions.put(output, OutputFunction.parse(text));
            }
        }
        return functions;
    }

    /** Refuses keys of ours that nothing has used. */
    void requireAllUsed() {
        for (String key : entries.keySet()) {
            Require.argument(
                    !key.startsWith(Provenance.PREFIX) || used.contains(key),
                    "metadata '%s' is not understood: the model was edited, or written by a newer"
                            + " version; this is version %s",
                    key,
                    Provenance.version());
        }
    }
}
