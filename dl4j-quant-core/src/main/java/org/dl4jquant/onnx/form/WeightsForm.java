// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/** Weights and bias of an operator, in both directions: constants, each with a DequantizeLinear. */
final class WeightsForm {

    /** ONNX Runtime takes a bias as codes of input scale times weight scale, in any case. */
    private static final double BIAS_SCALE_TOLERANCE = 1e-5;

    private WeightsForm() {}

    /**
     * Writes the inputs of an operator with weights.
     *
     * @param node the node
     * @param weights its weights
     * @param codes the tensor that holds the codes that it reads: its input, or copies of it
     * @param target the graph that the operators are added to
     * @return the operator's three inputs
     */
    static List<String> write(IntNode node, WeightTensor weights, String codes, FormWriter target) {
        String name = node.name();
        long channels = weights.channels();
        String input = node.inputs().get(0);
        GraphWriter graph = target.target();
        String weight =
                dequantize(
                        graph,
                        name,
                        "weight",
                        List.of(
                                codes(name, weights, graph),
                                graph.floats(name + "/weight_scale", weights.scales(), channels),
                                graph.bytes(
                                        name + "/weight_zero_point",
                                        DataType.INT8,
                                        new byte[weights.channels()],
                                        channels)));
        String bias =
                dequantize(
                        graph,
                        name,
                        "bias",
                        List.of(
                                graph.ints(name + "/bias", weights.bias(), channels),
                                graph.floats(
                                        name + "/bias_scale",
                                        biasScales(weights, target.type(input).codes()),
                                        channels)));
        return List.of(target.dequantized(node, input, codes), weight, bias);
    }

    private static String codes(String name, WeightTensor weights, GraphWriter graph) {
        return PackedWeights.pack(weights)
                ? PackedWeights.write(name, weights, false, graph)
                : graph.bytes(
                        name + "/weight",
                        DataType.INT8,
                        weights.codes(),
                        dimensions(weights.shape()));
    }

    static long[] dimensions(Shape shape) {
        return shape.dimensions().stream().mapToLong(Integer::longValue).toArray();
    }

    private static float[] biasScales(WeightTensor weights, QuantParams input) {
        float[] scales = weights.scales();
        for (int channel = 0; channel < scales.length; channel++) {
            scales[channel] = input.scale() * scales[channel];
        }
        return scales;
    }

    private static String dequantize(
            GraphWriter graph, String node, String constant, List<String> inputs) {
        String result = graph.name(node + "/" + constant + "_float");
        graph.auxiliary(Operators.DEQUANTIZE, node + "/dequantize_" + constant, inputs, result)
                .add(NodeProto.ATTRIBUTE, Attributes.of("axis", 0));
        return result;
    }

    /** {@return whether a tensor is a dequantized constant} */
    static boolean isConstant(String tensor, FormReader source) {
        return dequantize(tensor, source).isPresent();
    }

    private static Optional<OnnxNode> dequantize(String tensor, FormReader source) {
        return source.graph()
                .maker(tensor, Operators.DEQUANTIZE)
                .flatMap(node -> constant(node, source).map(node::reading));
    }

    private static Optional<String> constant(OnnxNode dequantize, FormReader source) {
        return dequantize
                .optionalInput(0)
                .flatMap(codes -> PackedWeights.constant(codes, source.graph()));
    }

    /** {@return whether the dequantize node of an operator's weights gives a zero point} */
    static boolean haveZeroPoint(OnnxNode node, FormReader source) {
        return dequantize(node, node.input(1), source).optionalInput(2).isPresent();
    }

    /** {@return the codes that a node's weights can have} */
    static CodeRange range(String node, FormReader source) {
        return source.metadata()
                .range(Provenance.WEIGHT_RANGE, node, CodeRange.narrow(CodeRange.MAX_BITS));
    }

    /**
     * Reads the weights of an operator, its second input.
     *
     * @param node the operator
     * @param bias the dequantized bias, if there is one
     * @param input the codes that the operator reads
     * @param outputAxis the axis of the output channels, 0 or, for a matrix, 1
     * @param result the name of the node in the integer graph
     * @param source the graph so far
     * @param groups how many groups of input channels do not see each other
     * @return the weights, output channels first, and the codes that they multiply
     */
    static Read read(
            OnnxNode node,
            Optional<String> bias,
            String input,
            int outputAxis,
            String result,
            int groups,
            FormReader source) {
        Constants constants = source.constants();
        OnnxNode dequantize = dequantize(node, node.input(1), source);
        dequantize.requireAttributes("axis", "block_size");
        dequantize.requireInteger("block_size", 0, 0);
        String codes = dequantize.input(0);
        List<Integer> dimensions = constants.dimensions(codes);
        node.require(
                (node.operator().equals(Operators.CONV)
                                ? dimensions.size() == 4 || dimensions.size() == 5
                                : dimensions.size() == 2)
                        && !dimensions.contains(0),
                "has weights of the dimensions %s; a two-dimensional convolution has 4, one of"
                        + " volumes 5, a product with a matrix 2",
                dimensions);
        int channels = dimensions.get(outputAxis);
        float[] scales = scales(dequantize, channels, outputAxis, constants);
        int[] values = centered(dequantize, dimensions, outputAxis, constants);
        boolean rows = outputAxis == 0;
        Shape shape = new Shape(rows ? dimensions : List.of(dimensions.get(1), dimensions.get(0)));
        WideWeights wide =
                new WideWeights(shape, rows ? values : transposed(values, channels), groups);
        int[] biases =
                bias.map(name -> bias(node, dequantize(node, name, source), input, scales, source))
                        .orElseGet(() -> new int[channels]);
        String read =
                wide.channels(source.shape(input))
                        .map(map -> copies(result, input, map, source))
                        .orElse(input);
        return new Read(
                read,
                WeightTensor.of(wide.shape(), range(result, source), wide.codes(), scales, biases));
    }

    /**
     * Weights, and the codes that they multiply.
     *
     * @param input the codes that the operator reads, or copies of their channels
     * @param weights the weights
     */
    record Read(String input, WeightTensor weights) {}

    private static String copies(String result, String input, IndexMap map, FormReader source) {
        KeepsCodes copies = Move.of(source.freeName(result + "/copies"), input, map);
        source.addFor(copies, input);
        return copies.name();
    }

    /* Codes less their zero point. */
    private static int[] centered(
            OnnxNode dequantize, List<Integer> dimensions, int axis, Constants constants) {
        int[] values = constants.codes(dequantize.input(0), "weights");
        Optional<String> name = dequantize.optionalInput(2);
        if (name.isEmpty()) {
            return values;
        }
        int[] zeros = constants.codes(name.get(), "their zero point");
        int scales = constants.floats(dequantize.input(1)).length;
        dequantize.require(
                zeros.length == scales && constants.haveOneSign(dequantize.input(0), name.get()),
                "has %d scales, and %d zero points '%s' for codes '%s'; there must be one for each"
                        + " scale, of the codes' type",
                scales,
                zeros.length,
                name.get(),
                dequantize.input(0));
        int inner = 1;
        for (int i = axis + 1; i < dimensions.size(); i++) {
            inner *= dimensions.get(i);
        }
        for (int i = 0; i < values.length; i++) {
            values[i] -= zeros[zeros.length == 1 ? 0 : i / inner % zeros.length];
        }
        return values;
    }

    private static OnnxNode dequantize(OnnxNode node, String tensor, FormReader source) {
        return dequantize(tensor, source)
                .orElseThrow(
                        () ->
                                node.refusal(
                                        "takes its weights or bias from '%s'; they must be integer"
                                                + " initializers after a DequantizeLinear",
                                        tensor));
    }

    private static void requireZeros(
            OnnxNode dequantize, String codes, int[] zeroPoints, Constants constants) {
        int scales = constants.floats(dequantize.input(1)).length;
        dequantize.require(
                zeroPoints.length == scales,
                "has %d scales and %d zero points; there must be one for each",
                scales,
                zeroPoints.length);
        for (int zeroPoint : zeroPoints) {
            dequantize.require(
                    zeroPoint == 0,
                    "makes %s with zero point %d; only zero point 0 is understood for them",
                    codes,
                    zeroPoint);
        }
    }

    private static float[] scales(
            OnnxNode dequantize, int channels, int axis, Constants constants) {
        float[] scales = constants.floats(dequantize.input(1));
        constants.requireVector(dequantize.input(1));
        dequantize.optionalInput(2).ifPresent(constants::requireVector);
        if (scales.length == 1) {
            float[] repeated = new float[channels];
            Arrays.fill(repeated, scales[0]);
            return repeated;
        }
        int given = dequantize.integer("axis", 1);
        int rank = constants.dimensions(dequantize.input(0)).size();
        int found = given < 0 ? given + rank : given;
        dequantize.require(
                found == axis,
                "has scales along axis %d; the output channels are axis %d",
                given,
                axis);
        dequantize.require(
                scales.length == channels,
                "has %d scales for %d output channels",
                scales.length,
                channels);
        return scales;
    }

    private static int[] bias(
            OnnxNode node, OnnxNode dequantize, String input, float[] scales, FormReader source) {
        Constants constants = source.constants();
        int[] bias = constants.ints(dequantize.input(0));
        node.require(
                bias.length == scales.length,
                "has %d biases for %d output channels",
                bias.length,
                scales.length);
        List<Integer> dimensions = constants.dimensions(dequantize.input(0));
        node.require(
                dimensions.size() == 1,
                "has a bias of the dimensions %s; it must have one dimension, the output channels",
                dimensions);
        float[] found = scales(dequantize, bias.length, 0, constants);
        dequantize
                .optionalInput(2)
                .ifPresent(
                        zeros ->
                                requireZeros(
                                        dequantize, "a bias", constants.ints(zeros), constants));
        for (int channel = 0; channel < bias.length; channel++) {
            float expected = source.params(input).scale() * scales[channel];
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

    private static int[] transposed(int[] values, int columns) {
        int[] transposed = new int[values.length];
        int rows = values.length / columns;
        for (int i = 0; i < values.length; i++) {
            transposed[i % columns * rows + i / columns] = values[i];
        }
        return transposed;
    }
}
