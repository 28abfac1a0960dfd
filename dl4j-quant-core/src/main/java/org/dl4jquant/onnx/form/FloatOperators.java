// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Set;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.onnx.form.CodeFunction.Value;
import org.jspecify.annotations.Nullable;

/**
 * Float operators that treat each element alone, applied to one element. Those that are single
 * float32 operations or comparisons are exact; the others are computed in float64 by StrictMath.
 */
final class FloatOperators {

    private static final Set<String> EXACT =
            Set.of(
                    "Abs",
                    "Add",
                    "Ceil",
                    "Clip",
                    "Div",
                    "Floor",
                    "HardSigmoid",
                    "LeakyRelu",
                    "Max",
                    "Min",
                    "Mul",
                    "Neg",
                    "PRelu",
                    "Relu",
                    "Sqrt",
                    "Sub",
                    "ThresholdedRelu");

    private static final Set<String> OF_TWO =
            Set.of("Add", "Div", "Max", "Min", "Mul", "PRelu", "Sub");

    private static final float LEAKY_RELU_ALPHA = 0.01f;
    private static final float HARD_SIGMOID_ALPHA = 0.2f;
    private static final float HARD_SWISH_ALPHA = 1 / 6f;

    private FloatOperators() {}

    /** {@return whether every runtime computes an operator alike} */
    static boolean isExact(String operator) {
        return EXACT.contains(operator);
    }

    /** {@return the inputs of an operator that are values, without those that are settings} */
    static List<String> arguments(OnnxNode node) {
        int count = OF_TWO.contains(node.operator()) ? 2 : 1;
        return node.inputs().subList(0, Math.min(count, node.inputs().size()));
    }

    /**
     * {@return an operator's value; null if it is none of these operators}
     *
     * @param node the operator
     * @param of the values of its arguments
     * @param constants the constants of the file
     */
    static @Nullable Value value(OnnxNode node, List<Value> of, Constants constants) {
        if (!node.domain().isEmpty() || of.isEmpty()) {
            return null;
        }
        if (OF_TWO.contains(node.operator())) {
            return of.size() == 2 && node.inputs().size() == 2
                    ? ofTwo(node, of.get(0), of.get(1))
                    : null;
        }
        Value x = of.get(0);
        return switch (node.operator()) {
            case "Relu", "Clip" -> clamp(node, x, constants);
            case "LeakyRelu" -> {
                float alpha = attribute(node, "alpha", LEAKY_RELU_ALPHA);
                yield v -> slope(x.at(v), alpha);
            }
            case "HardSigmoid" -> hardSigmoid(node, x);
            case "ThresholdedRelu" -> {
                float alpha = attribute(node, "alpha", 1);
                yield v -> x.at(v) > alpha ? x.at(v) : 0;
            }
            case "Elu" -> {
                float alpha = attribute(node, "alpha", 1);
                yield v -> x.at(v) >= 0 ? x.at(v) : (float) (alpha * StrictMath.expm1(x.at(v)));
            }
            default -> plain(node, x);
        };
    }

    private static @Nullable Value plain(OnnxNode node, Value x) {
        Value found =
                switch (node.operator()) {
                    case "Abs" -> v -> Math.abs(x.at(v));
                    case "Neg" -> v -> -x.at(v);
                    case "Floor" -> v -> (float) Math.floor(x.at(v));
                    case "Ceil" -> v -> (float) Math.ceil(x.at(v));
                    case "Sqrt" -> v -> (float) Math.sqrt(x.at(v));
                    case "Exp" -> v -> (float) StrictMath.exp(x.at(v));
                    case "HardSwish" -> v -> x.at(v) * unit(HARD_SWISH_ALPHA * x.at(v) + 0.5f);
                    case "Sigmoid" -> fixed(ElementwiseFunction.Fixed.SIGMOID, x);
                    case "Tanh" -> fixed(ElementwiseFunction.Fixed.TANH, x);
                    case "Softplus" -> fixed(ElementwiseFunction.Fixed.SOFTPLUS, x);
                    case "Softsign" -> fixed(ElementwiseFunction.Fixed.SOFTSIGN, x);
                    case "Mish" -> fixed(ElementwiseFunction.Fixed.MISH, x);
                    default -> null;
                };
        if (found != null) {
            node.requireAttributes();
        }
        return found;
    }

    private static Value fixed(ElementwiseFunction function, Value x) {
        return v -> (float) function.apply(x.at(v));
    }

    private static float attribute(OnnxNode node, String name, float otherwise) {
        node.requireInputs(1, 1);
        node.requireAttributes(name);
        return node.number(name, otherwise);
    }

    private static float slope(float x, float alpha) {
        return x < 0 ? x * alpha : x;
    }

    private static float unit(float x) {
        return Math.max(0, Math.min(1, x));
    }

    private static Value clamp(OnnxNode node, Value x, Constants constants) {
        FloatRange range = FloatRange.of(node, constants);
        node.require(
                range.least() <= range.most(), "clamps to %s to %s", range.least(), range.most());
        return v -> Math.min(Math.max(x.at(v), range.least()), range.most());
    }

    private static Value hardSigmoid(OnnxNode node, Value x) {
        node.requireInputs(1, 1);
        node.requireAttributes("alpha", "beta");
        float alpha = node.number("alpha", HARD_SIGMOID_ALPHA);
        float beta = node.number("beta", 0.5f);
        return v -> unit(alpha * x.at(v) + beta);
    }

    private static @Nullable Value ofTwo(OnnxNode node, Value left, Value right) {
        node.requireAttributes();
        return switch (node.operator()) {
            case "Add" -> v -> left.at(v) + right.at(v);
            case "Sub" -> v -> left.at(v) - right.at(v);
            case "Mul" -> v -> left.at(v) * right.at(v);
            case "Div" -> v -> left.at(v) / right.at(v);
            case "Max" -> v -> Math.max(left.at(v), right.at(v));
            case "Min" -> v -> Math.min(left.at(v), right.at(v));
            case "PRelu" -> v -> slope(left.at(v), right.at(v));
            default -> null;
        };
    }
}
