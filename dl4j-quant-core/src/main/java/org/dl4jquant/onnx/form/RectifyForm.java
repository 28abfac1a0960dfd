// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.numeric.OutputFunction;

/**
 * A clamp or a slope of floats. Written are Max and Min, LeakyRelu, or the operators around a
 * Where; Relu and Clip are read, too.
 */
final class RectifyForm implements NodeForm<Rectify> {

    @Override
    public Class<Rectify> node() {
        return Rectify.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.RELU,
                Operators.CLIP,
                Operators.LEAKY_RELU,
                Operators.MAX,
                Operators.MIN,
                Operators.LESS,
                Operators.SUB,
                Operators.MUL,
                Operators.WHERE);
    }

    private static final float LEAKY_RELU_ALPHA = 0.01f;

    @Override
    public void write(Rectify node, FormWriter target) {
        new FunctionWriter(target.target(), node.name()).node(node.function(), node.input());
    }

    /** {@return whether an operator can compute a rectifier of its first input} */
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

    @Override
    public Optional<Rectify> result(OnnxNode last, FormReader source) {
        return switch (last.operator()) {
            case Operators.RELU, Operators.CLIP ->
                    source.isFloats(last.input(0))
                            ? rectify(last, last.input(0), clamp(last, source))
                            : Optional.empty();
            case Operators.LEAKY_RELU -> rectify(last, last.input(0), leakyRelu(last, source));
            case Operators.MIN ->
                    AttentionWeightsForm.isBound(last, source)
                            ? Optional.empty()
                            : lower(last, source);
            case Operators.WHERE -> rectify(last, last.input(2), choose(last, source));
            default -> Optional.empty();
        };
    }

    private static Optional<Rectify> rectify(
            OnnxNode last, String input, OutputFunction.Rectifier function) {
        return Optional.of(new Rectify(last.output(), input, function));
    }

    private static OutputFunction.Rectifier clamp(OnnxNode last, FormReader source) {
        FloatRange range = FloatRange.of(last, source.constants());
        return new OutputFunction.Clamp(range.least(), range.most());
    }

    private static OutputFunction.Rectifier leakyRelu(OnnxNode last, FormReader source) {
        last.requireInputs(1, 1);
        last.requireAttributes("alpha");
        requireFloats(last, source);
        return new OutputFunction.Slope(0, last.number("alpha", LEAKY_RELU_ALPHA));
    }

    private static void requireFloats(OnnxNode node, FormReader source) {
        node.require(
                source.isFloats(node.input(0)),
                "reads '%s', which is no float32 result",
                node.input(0));
    }

    private static Optional<Rectify> lower(OnnxNode min, FormReader source) {
        min.requireInputs(2, 2);
        OnnxNode max =
                part(min.input(0), Operators.MAX, source)
                        .orElseThrow(
                                () ->
                                        min.refusal(
                                                "reads '%s'; it must be the result of a Max with a"
                                                        + " constant",
                                                min.input(0)));
        float least = source.constants().scalar(max.input(1));
        float most = source.constants().scalar(min.input(1));
        min.require(least <= most, "clamps to %s to %s", least, most);
        return rectify(min, max.input(0), new OutputFunction.Clamp(least, most));
    }

    /** {@return the operator of a float32 result and a constant that makes a tensor} */
    private static Optional<OnnxNode> part(String tensor, String operator, FormReader source) {
        Optional<OnnxNode> part = source.graph().maker(tensor, operator);
        part.ifPresent(node -> node.requireInputs(2, 2));
        part.ifPresent(node -> requireFloats(node, source));
        part.ifPresent(node -> source.constants().scalar(node.input(1)));
        return part;
    }

    /** {@return whether a Mul is of a difference, a part of a slope} */
    static boolean isProduct(OnnxNode mul, FormReader source) {
        return source.graph().maker(mul.input(0), Operators.SUB).isPresent();
    }

    private static OutputFunction.Rectifier choose(OnnxNode where, FormReader source) {
        where.requireInputs(3, 3);
        String input = where.input(2);
        Optional<OnnxNode> less =
                part(where.input(0), Operators.LESS, source)
                        .filter(node -> node.input(0).equals(input));
        where.require(
                less.isPresent(),
                "does not choose by a Less of '%s' and a constant, which is understood alone",
                input);
        float threshold = source.constants().scalar(less.orElseThrow().input(1));
        return new OutputFunction.Slope(threshold, slope(where, input, threshold, source));
    }

    private static float slope(OnnxNode where, String input, float threshold, FormReader source) {
        String below = where.input(1);
        Constants constants = source.constants();
        if (constants.has(below)) {
            float constant = constants.scalar(below);
            where.require(constant == 0, "chooses the constant %s; only 0 is understood", constant);
            return 0;
        }
        Optional<OnnxNode> product = source.graph().maker(below, Operators.MUL);
        Optional<OnnxNode> difference =
                product.flatMap(node -> part(node.input(0), Operators.SUB, source))
                        .filter(node -> node.input(0).equals(input))
                        .filter(node -> constants.scalar(node.input(1)) == threshold);
        where.require(
                difference.isPresent(),
                "chooses '%s', which is not '%s' less its threshold times a constant",
                below,
                input);
        product.orElseThrow().requireInputs(2, 2);
        return constants.scalar(product.orElseThrow().input(1));
    }
}
