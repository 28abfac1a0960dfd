// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.MessageBuilder;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * A clamp is Max and Min, not Clip or Relu: where one of these follows a Gemm and something else
 * follows it, ONNX Runtime takes it for part of a quantized operator that it then does not find, and
 * computes the Gemm in float32.
 */
/**
 * Writes functions of float32 results as ONNX operators. Those of rectifiers compute exactly what
 * the reference does; the others are the float tail of a model, near it.
 */
final class FunctionWriter {

    /** The doc string that marks the operators of a tail. */
    static final String TAIL = "the last function in float32, not part of the integer graph";

    private static final int COORDINATES = 2;
    private static final int SIZES_END = 4;
    private static final int CONFIDENCE_END = 5;

    private static final double GELU_CUBE = 0.044715;
    private static final double GELU_SLOPE = 1.702;
    private static final double RATIONAL_TANH_FACTOR = 1.7159;
    private static final double RATIONAL_TANH_POWER = 1.41645;

    private final GraphWriter target;
    private final String owner;
    private boolean inTail;
    private int count;

    /**
     * Makes a writer.
     *
     * @param target where operators go
     * @param owner the node or output whose function is written
     */
    FunctionWriter(GraphWriter target, String owner) {
        this.target = target;
        this.owner = owner;
    }

    /**
     * Writes a node of the graph.
     *
     * @param function the function
     * @param input its argument
     */
    void node(OutputFunction.Rectifier function, String input) {
        if (function instanceof OutputFunction.Clamp clamp) {
            target.node(Operators.MIN, owner, atMost(input, clamp), owner);
        } else if (function instanceof OutputFunction.Slope slope && isLeaky(slope)) {
            target.node(Operators.LEAKY_RELU, owner, List.of(input), owner)
                    .add(NodeProto.ATTRIBUTE, Attributes.of("alpha", slope.slope()));
        } else if (function instanceof OutputFunction.Slope slope) {
            target.node(Operators.WHERE, owner, choice(input, slope), owner);
        }
    }

    private static boolean isLeaky(OutputFunction.Slope slope) {
        return slope.threshold() == 0 && slope.slope() != 0;
    }

    private List<String> atMost(String input, OutputFunction.Clamp clamp) {
        String raised = operator(Operators.MAX, input, constant("min", clamp.least()));
        return List.of(raised, constant("max", clamp.most()));
    }

    private List<String> choice(String input, OutputFunction.Slope slope) {
        String threshold = constant("threshold", slope.threshold());
        String below = operator(Operators.LESS, input, threshold);
        String part =
                slope.slope() == 0
                        ? constant("zero", 0)
                        : operator(
                                Operators.MUL,
                                operator(Operators.SUB, input, threshold),
                                constant("slope", slope.slope()));
        return List.of(below, part, input);
    }

    /**
     * Writes functions that need no shape: those of activations.
     *
     * @param functions the functions, in order
     * @param result the name of the values
     */
    void tail(List<OutputFunction> functions, String result) {
        tail(functions, Shape.of(1), result);
    }

    /**
     * Writes the float tail of an output.
     *
     * @param functions the output's last functions, in order
     * @param shape one example of the output
     * @param result the name of the values
     */
    void tail(List<OutputFunction> functions, Shape shape, String result) {
        inTail = true;
        String at = owner;
        for (OutputFunction function : functions) {
            at =
                    function instanceof OutputFunction.BoxGrid grid
                            ? boxes(grid, shape, at)
                            : tail(function, at);
        }
        mark(target.auxiliary("Identity", owner + "/tail", List.of(at), result));
    }

    private String tail(OutputFunction function, String x) {
        if (function instanceof OutputFunction.Softmax softmax) {
            return operator("Softmax", List.of(x), node -> axis(node, softmax.axis() + 1));
        }
        if (function instanceof OutputFunction.Clamp clamp) {
            return operator(Operators.MIN, atMost(x, clamp).toArray(String[]::new));
        }
        if (function instanceof OutputFunction.Slope slope) {
            return operator(Operators.WHERE, choice(x, slope).toArray(String[]::new));
        }
        return pointwise(((OutputFunction.Pointwise) function).function(), x);
    }

    private String boxes(OutputFunction.BoxGrid grid, Shape shape, String x) {
        Require.argument(grid.fits(shape), "%s does not fit examples %s", grid, shape);
        boolean last = grid.channelsLast();
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        int channels = sizes.remove(last ? sizes.size() - 1 : 0);
        int of = channels / grid.boxes();
        sizes.addAll(last ? sizes.size() : 0, List.of(grid.boxes(), of));
        int axis = last ? sizes.size() : 2;
        String boxes = operator(Operators.RESHAPE, x, sizes("boxes", sizes));
        List<String> parts = new ArrayList<>();
        parts.add(operator("Sigmoid", cut(boxes, axis, 0, COORDINATES)));
        float[] priors = new float[grid.priors().size()];
        for (int i = 0; i < priors.length; i++) {
            priors[i] = grid.priors().get(i);
        }
        long[] dimensions =
                last
                        ? new long[] {1, 1, 1, grid.boxes(), COORDINATES}
                        : new long[] {1, grid.boxes(), COORDINATES, 1, 1};
        parts.add(
                product(
                        operator("Exp", cut(boxes, axis, COORDINATES, SIZES_END)),
                        target.floats(owner + "/tail/priors", priors, dimensions)));
        parts.add(operator("Sigmoid", cut(boxes, axis, SIZES_END, CONFIDENCE_END)));
        if (of > CONFIDENCE_END) {
            parts.add(
                    operator(
                            "Softmax",
                            List.of(cut(boxes, axis, CONFIDENCE_END, of)),
                            node -> axis(node, axis)));
        }
        String joined = operator(Operators.CONCAT, parts, node -> axis(node, axis));
        return operator(Operators.RESHAPE, joined, sizes("grid", shape.dimensions()));
    }

    private String cut(String boxes, int axis, int from, int to) {
        String name = owner + "/tail/" + from + "-" + to;
        return operator(
                Operators.SLICE,
                boxes,
                target.longs(name + "/starts", new long[] {from}),
                target.longs(name + "/ends", new long[] {to}),
                target.longs(name + "/axes", new long[] {axis}));
    }

    /* The first size, 0, keeps the batch's. */
    private String sizes(String what, List<Integer> sizes) {
        long[] all = new long[sizes.size() + 1];
        for (int i = 0; i < sizes.size(); i++) {
            all[i + 1] = sizes.get(i);
        }
        return target.longs(owner + "/tail/" + what, all);
    }

    private String pointwise(ElementwiseFunction function, String x) {
        if (function instanceof ElementwiseFunction.Elu elu) {
            return withAlpha("Elu", (float) elu.height(), x);
        }
        if (function instanceof ElementwiseFunction.ThresholdedRelu relu) {
            return withAlpha("ThresholdedRelu", relu.threshold(), x);
        }
        if (function instanceof ElementwiseFunction.PiecewiseLinear linear) {
            OutputFunction.Slope slope =
                    new OutputFunction.Slope(linear.threshold(), (float) linear.slope());
            String sloped = operator(Operators.WHERE, choice(x, slope).toArray(String[]::new));
            return operator(Operators.MIN, sloped, constant("max", (float) linear.max()));
        }
        return fixed((ElementwiseFunction.Fixed) function, x);
    }

    private String fixed(ElementwiseFunction.Fixed function, String x) {
        return switch (function) {
            case IDENTITY -> x;
            case SIGMOID -> operator("Sigmoid", x);
            case TANH -> operator("Tanh", x);
            case HARD_SIGMOID -> operator("HardSigmoid", x); // its defaults are 0.2 and 0.5
            case HARD_TANH ->
                    operator(
                            Operators.MIN,
                            operator(Operators.MAX, x, constant("min", -1)),
                            constant("max", 1));
            case SWISH -> product(x, operator("Sigmoid", x));
            case GELU -> gelu(x);
            case GELU_SIGMOID -> product(x, operator("Sigmoid", times(GELU_SLOPE, x)));
            case SOFTPLUS -> operator("Softplus", x);
            case SOFTSIGN -> operator("Softsign", x);
            case MISH -> product(x, operator("Tanh", operator("Softplus", x)));
            case SELU -> operator("Selu", x); // its defaults are the paper's
            case CUBE -> product(x, product(x, x));
            case RATIONAL_TANH -> rationalTanh(x);
            case RECTIFIED_TANH -> operator(Operators.RELU, operator("Tanh", x));
        };
    }

    private String gelu(String x) {
        String small = times(GELU_CUBE, x);
        String inner = sum(x, product(small, product(small, small)));
        String tanh = operator("Tanh", times(Math.sqrt(2 / Math.PI), inner));
        return product(times(0.5, x), sum(tanh, constant("one", 1)));
    }

    private String rationalTanh(String x) {
        String y = times(2.0 / 3, operator("Abs", x));
        String square = product(y, y);
        String one = constant("one", 1);
        String fourth = times(RATIONAL_TANH_POWER, product(square, square));
        String below = sum(sum(one, y), sum(square, fourth));
        String tanh = operator(Operators.SUB, one, operator("Div", one, below));
        return times(RATIONAL_TANH_FACTOR, product(tanh, operator("Sign", x)));
    }

    private String times(double factor, String x) {
        return product(x, constant("factor", (float) factor));
    }

    private String product(String left, String right) {
        return operator(Operators.MUL, left, right);
    }

    private String sum(String left, String right) {
        return operator(Operators.ADD, left, right);
    }

    private String withAlpha(String operator, float alpha, String x) {
        return operator(
                operator,
                List.of(x),
                node -> node.add(NodeProto.ATTRIBUTE, Attributes.of("alpha", alpha)));
    }

    private static void axis(MessageBuilder node, int axis) {
        node.add(NodeProto.ATTRIBUTE, Attributes.of("axis", axis));
    }

    private String constant(String what, float value) {
        return target.floats(owner + "/" + what, new float[] {value});
    }

    private String operator(String operator, String... inputs) {
        return operator(operator, List.of(inputs), node -> {});
    }

    private String operator(
            String operator, List<String> inputs, Consumer<MessageBuilder> attributes) {
        String result = target.name(owner + "/function" + count++);
        MessageBuilder node = target.auxiliary(operator, owner + "/" + operator, inputs, result);
        attributes.accept(node);
        mark(node);
        return result;
    }

    private void mark(MessageBuilder node) {
        if (inTail) {
            node.set(NodeProto.DOC_STRING, TAIL);
        }
    }
}
