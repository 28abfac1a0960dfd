// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * Whatever stands between a DequantizeLinear and a QuantizeLinear is a function of 256 codes if it
 * treats each element alone and reads no other tensor. Its operators are applied to the value of
 * each code, in float32, one rounding each, as runtimes do.
 */
/** A function of the codes of one tensor, made of float operators. */
final class CodeFunction {

    private static final int MAX_OPERATORS = 64;

    private final OnnxGraph graph;
    private final Map<String, Value> values = new HashMap<>();
    private final Map<String, OnnxNode> operators = new LinkedHashMap<>();
    private final Set<String> inputs = new HashSet<>();
    private final Value function;

    /** The value of a tensor, for the value of a code. */
    interface Value {
        float at(float x);
    }

    private CodeFunction(OnnxNode quantize, OnnxGraph graph) {
        this.graph = graph;
        Value found = value(quantize.input(0), 0);
        this.function = found == null ? x -> Float.NaN : found;
        if (found == null) {
            inputs.clear();
        }
    }

    /**
     * {@return the function whose values a QuantizeLinear rounds; nothing if it rounds anything
     * else}
     *
     * @param quantize the QuantizeLinear
     * @param graph the graph that it is part of
     */
    static Optional<CodeFunction> of(OnnxNode quantize, OnnxGraph graph) {
        if (quantize.inputs().isEmpty()) {
            return Optional.empty();
        }
        CodeFunction function = new CodeFunction(quantize, graph);
        return function.inputs.size() == 1 && function.isAlone() && !function.isBinary()
                ? Optional.of(function)
                : Optional.empty();
    }

    /* Sums and products of dequantized codes are nodes of their own, also of a tensor with itself. */
    private boolean isBinary() {
        return operators().stream()
                .anyMatch(
                        node ->
                                node.inputs().size() == 2
                                        && node.inputs().stream().allMatch(this::isDequantized));
    }

    private boolean isDequantized(String tensor) {
        return graph.maker(tensor, Operators.DEQUANTIZE).isPresent();
    }

    /* What anything else reads, too, is not only a part of the function. */
    private boolean isAlone() {
        return operators().stream()
                .allMatch(
                        node ->
                                !graph.leaves(node.output())
                                        && graph.consumers(node.output()).stream()
                                                .allMatch(this::isPart));
    }

    private boolean isPart(OnnxNode reader) {
        return reader.operator().equals(Operators.QUANTIZE)
                || operators.containsKey(reader.outputs().get(0));
    }

    /** {@return the operators, without the DequantizeLinear} */
    List<OnnxNode> operators() {
        return new ArrayList<>(operators.values());
    }

    /** {@return the tensor of codes that is dequantized, as the file names it} */
    String input() {
        return inputs.iterator().next();
    }

    /** {@return the function's value} */
    float apply(float x) {
        return function.at(x);
    }

    /** {@return the operators that runtimes compute in their own ways, by type} */
    List<String> inexact() {
        return operators().stream()
                .map(OnnxNode::operator)
                .filter(type -> !FloatOperators.isExact(type))
                .distinct()
                .toList();
    }

    private @Nullable Value value(String tensor, int depth) {
        Value known = values.get(tensor);
        if (known != null || depth > MAX_OPERATORS || operators.size() > MAX_OPERATORS) {
            return known;
        }
        Optional<Float> constant = graph.constants().uniform(tensor);
        if (constant.isPresent()) {
            float value = constant.get();
            return x -> value;
        }
        Optional<OnnxNode> maker = graph.maker(tensor).filter(node -> node.outputs().size() == 1);
        Value found = maker.isEmpty() ? null : value(maker.get(), depth);
        if (found != null) {
            values.put(tensor, found);
        }
        return found;
    }

    private @Nullable Value value(OnnxNode node, int depth) {
        if (node.operator().equals(Operators.DEQUANTIZE)) {
            if (node.inputs().isEmpty() || graph.constants().has(node.input(0))) {
                return null;
            }
            inputs.add(node.input(0));
            return x -> x;
        }
        List<Value> arguments = new ArrayList<>();
        for (String input : FloatOperators.arguments(node)) {
            Value argument = value(input, depth + 1);
            if (argument == null) {
                return null;
            }
            arguments.add(argument);
        }
        Value result = FloatOperators.value(node, arguments, graph.constants());
        if (result != null) {
            operators.put(node.output(), node);
        }
        return result;
    }
}
