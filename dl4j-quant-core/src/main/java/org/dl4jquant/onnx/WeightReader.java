// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Reads weights with their scales and bias from the dequantize nodes in front of an operator. */
final class WeightReader {

    /** ONNX Runtime takes a bias as codes of input scale times weight scale, whatever it says. */
    private static final double BIAS_SCALE_TOLERANCE = 1e-5;

    private static final DataType INT8 = DataType.INT8;

    private final QdqContext context;
    private final Map<String, OnnxNode> dequantized = new HashMap<>();

    WeightReader(QdqContext context) {
        this.context = context;
    }

    /** Notes a dequantize node whose input is a constant. */
    void note(OnnxNode dequantize) {
        dequantize.requireInputs(2, 3);
        dequantize.requireAttributes("axis");
        dequantized.put(dequantize.output(), dequantize);
    }

    boolean isConstant(String tensor) {
        return dequantized.containsKey(tensor);
    }

    /** {@return whether the dequantize node of an operator's weights gives a zero point} */
    boolean haveZeroPoint(OnnxNode node) {
        return constant(node, node.input(1)).optionalInput(2).isPresent();
    }

    /**
     * Returns the weights of an operator.
     *
     * @param node the operator
     * @param weights the name of the dequantized weights
     * @param bias the name of the dequantized bias, if there is one
     * @param inputScale units per code of the operator's input
     * @param outputAxis the axis of the output channels, 0 or, for a matrix, 1
     * @param result the name of the node in the integer graph
     * @return the weights, output channels first
     */
    WeightTensor read(
            OnnxNode node,
            String weights,
            Optional<String> bias,
            float inputScale,
            int outputAxis,
            String result) {
        OnnxNode dequantize = constant(node, weights);
        String codes = dequantize.input(0);
        List<Integer> dimensions = context.constants().dimensions(codes);
        node.require(
                dimensions.size() == (node.operator().equals(Operators.CONV) ? 4 : 2)
                        && !dimensions.contains(0),
                "has weights of the dimensions %s; a two-dimensional convolution has 4, a product"
                        + " with a matrix has 2",
                dimensions);
        int channels = dimensions.get(outputAxis);
        float[] scales = scales(dequantize, channels, outputAxis);
        dequantize
                .optionalInput(2)
                .ifPresent(
                        name ->
                                requireZeros(
                                        dequantize,
                                        "weights",
                                        widened(context.constants().bytes(name, INT8))));
        byte[] values = context.constants().bytes(codes, INT8);
        return WeightTensor.of(
                new Shape(
                        outputAxis == 0
                                ? dimensions
                                : List.of(dimensions.get(1), dimensions.get(0))),
                range(result),
                outputAxis == 0 ? values : transposed(values, channels),
                scales,
                bias.map(name -> bias(node, name, inputScale, scales))
                        .orElseGet(() -> new int[channels]));
    }

    CodeRange range(String result) {
        return context.range(
                Provenance.WEIGHT_RANGE + result, CodeRange.narrow(CodeRange.MAX_BITS));
    }

    private OnnxNode constant(OnnxNode node, String tensor) {
        OnnxNode dequantize = dequantized.get(tensor);
        node.require(
                dequantize != null,
                "takes its weights or bias from '%s'; they must be integer initializers behind a"
                        + " DequantizeLinear",
                tensor);
        return Objects.requireNonNull(dequantize);
    }

    private void requireZeros(OnnxNode dequantize, String what, int[] zeroPoints) {
        int scales = context.constants().floats(dequantize.input(1)).length;
        dequantize.require(
                zeroPoints.length == scales,
                "has %d scales and %d zero points; there must be one for each",
                scales,
                zeroPoints.length);
        for (int zeroPoint : zeroPoints) {
            dequantize.require(
                    zeroPoint == 0,
                    "makes %s with zero point %d; only zero point 0 is understood for them",
                    what,
                    zeroPoint);
        }
    }

    private static int[] widened(byte[] values) {
        int[] widened = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            widened[i] = values[i];
        }
        return widened;
    }

    private float[] scales(OnnxNode dequantize, int channels, int axis) {
        float[] scales = context.constants().floats(dequantize.input(1));
        context.constants().requireVector(dequantize.input(1));
        dequantize.optionalInput(2).ifPresent(context.constants()::requireVector);
        if (scales.length == 1) {
            float scale = scales[0];
            scales = new float[channels];
            Arrays.fill(scales, scale);
            return scales;
        }
        dequantize.requireInteger("axis", 1, axis);
        dequantize.require(
                scales.length == channels,
                "has %d scales for %d output channels",
                scales.length,
                channels);
        return scales;
    }

    private int[] bias(OnnxNode node, String tensor, float inputScale, float[] scales) {
        OnnxNode dequantize = constant(node, tensor);
        int[] bias = context.constants().ints(dequantize.input(0));
        node.require(
                bias.length == scales.length,
                "has %d biases for %d output channels",
                bias.length,
                scales.length);
        List<Integer> dimensions = context.constants().dimensions(dequantize.input(0));
        node.require(
                dimensions.size() == 1,
                "has a bias of the dimensions %s; it must have one dimension, the output channels",
                dimensions);
        float[] found = scales(dequantize, bias.length, 0);
        dequantize
                .optionalInput(2)
                .ifPresent(
                        name -> requireZeros(dequantize, "a bias", context.constants().ints(name)));
        for (int channel = 0; channel < bias.length; channel++) {
            float expected = inputScale * scales[channel];
            node.require(
                    Math.abs(found[channel] - expected) <= BIAS_SCALE_TOLERANCE * expected,
                    "has a bias of scale %s in channel %d; it must be input scale times weight"
                            + " scale, %s",
                    found[channel],
                    channel,
                    expected);
        }
        return bias;
    }

    private static byte[] transposed(byte[] values, int columns) {
        byte[] transposed = new byte[values.length];
        int rows = values.length / columns;
        for (int i = 0; i < values.length; i++) {
            transposed[i % columns * rows + i / columns] = values[i];
        }
        return transposed;
    }
}
