// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.numeric.OutputFunction;
import org.jspecify.annotations.Nullable;

/*
 * A clamp is Max and then Min, both with a constant. A slope below a threshold that is not 0 is four operators: Less compares with the threshold, Sub
 * and Mul compute what lies below it, and Where chooses.
 */
/** Reads Relu, Clip, Max and Min, LeakyRelu and the operators around Where over float32 results. */
final class RectifierReader {

    private static final float LEAKY_RELU_ALPHA = 0.01f;

    private final QdqContext context;
    private final Map<String, OnnxNode> raised = new HashMap<>();
    private final Map<String, OnnxNode> comparisons = new HashMap<>();
    private final Map<String, OnnxNode> differences = new HashMap<>();
    private final Map<String, OnnxNode> products = new HashMap<>();

    RectifierReader(QdqContext context) {
        this.context = context;
    }

    /** {@return whether an operator can compute a rectifier of its first or second input} */
    static boolean rectifies(OnnxNode node) {
        return switch (node.operator()) {
            case Operators.RELU,
                    Operators.CLIP,
                    Operators.LEAKY_RELU,
                    Operators.LESS,
                    Operators.MAX,
                    Operators.SUB,
                    Operators.WHERE ->
                    true;
            default -> false;
        };
    }

    private void requireFloats(OnnxNode node) {
        node.require(
                context.isFloats(node.input(0)),
                "reads '%s', which is no float32 result",
                node.input(0));
    }

    void clamp(OnnxNode node, float least, float most) {
        requireFloats(node);
        add(node, node.input(0), new OutputFunction.Clamp(least, most));
    }

    void raise(OnnxNode node) {
        raised.put(node.output(), withConstant(node));
    }

    void lower(OnnxNode node) {
        node.requireInputs(2, 2);
        OnnxNode max = raised.get(node.input(0));
        node.require(
                max != null,
                "reads '%s'; it must be the result of a Max with a constant",
                node.input(0));
        float least = context.constants().scalar(Objects.requireNonNull(max).input(1));
        float most = context.constants().scalar(node.input(1));
        node.require(least <= most, "clamps to %s to %s", least, most);
        add(node, max.input(0), new OutputFunction.Clamp(least, most));
    }

    void leakyRelu(OnnxNode node) {
        node.requireInputs(1, 1);
        node.requireAttributes("alpha");
        requireFloats(node);
        float alpha = node.number("alpha", LEAKY_RELU_ALPHA);
        add(node, node.input(0), new OutputFunction.Slope(0, alpha));
    }

    void less(OnnxNode node) {
        comparisons.put(node.output(), withConstant(node));
    }

    void subtract(OnnxNode node) {
        differences.put(node.output(), withConstant(node));
    }

    private OnnxNode withConstant(OnnxNode node) {
        node.requireInputs(2, 2);
        requireFloats(node);
        context.constants().scalar(node.input(1));
        return node;
    }

    /** {@return whether the product is part of a rectifier, and noted} */
    boolean multiplies(OnnxNode node) {
        boolean mine = differences.containsKey(node.input(0));
        if (mine) {
            node.requireInputs(2, 2);
            context.constants().scalar(node.input(1));
            products.put(node.output(), node);
        }
        return mine;
    }

    void choose(OnnxNode node) {
        node.requireInputs(3, 3);
        String input = node.input(2);
        OnnxNode less = comparisons.get(node.input(0));
        node.require(
                less != null && less.input(0).equals(input),
                "does not choose by a Less of '%s' and a constant, which is understood alone",
                input);
        float threshold = context.constants().scalar(Objects.requireNonNull(less).input(1));
        add(node, input, new OutputFunction.Slope(threshold, slope(node, input, threshold)));
    }

    private float slope(OnnxNode node, String input, float threshold) {
        String below = node.input(1);
        if (context.constants().has(below)) {
            float constant = context.constants().scalar(below);
            node.require(constant == 0, "chooses the constant %s; only 0 is understood", constant);
            return 0;
        }
        OnnxNode product = products.get(below);
        @Nullable OnnxNode difference = product == null ? null : differences.get(product.input(0));
        node.require(
                product != null
                        && difference != null
                        && difference.input(0).equals(input)
                        && context.constants().scalar(difference.input(1)) == threshold,
                "chooses '%s', which is not '%s' less its threshold times a constant",
                below,
                input);
        return context.constants().scalar(Objects.requireNonNull(product).input(1));
    }

    private void add(OnnxNode node, String input, OutputFunction.Rectifier function) {
        context.add(new Rectify(node.output(), input, function));
    }
}
