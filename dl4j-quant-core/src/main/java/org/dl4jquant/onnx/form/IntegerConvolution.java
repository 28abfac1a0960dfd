// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.NodeProto;

/*
 * Conv is no choice: ONNX Runtime computes it in float32 where no quantize node follows it.
 */
/**
 * A convolution with float32 results, in both directions: ConvInteger, an Add of the bias, a Cast
 * to float32, and a Mul with the product of scales, which is a Mul of two constants.
 */
final class IntegerConvolution {

    static final List<String> OPERATORS =
            List.of(Operators.CONV_INTEGER, Operators.ADD, Operators.CAST, Operators.MUL);

    private IntegerConvolution() {}

    static void write(Convolution node, FormWriter target) {
        String name = node.name();
        GraphWriter graph = target.target();
        WeightTensor weights = node.weights();
        boolean packed = PackedWeights.pack(weights);
        int zero = packed ? PackedWeights.UNSIGNED_OFFSET : Containers.toFile(0, weights.range());
        String weight =
                packed
                        ? PackedWeights.write(name, weights, true, graph)
                        : bytes(name + "/weight", weights, graph);
        long channels = weights.channels();
        List<String> inputs =
                List.of(
                        ChannelCopies.write(node, target),
                        weight,
                        target.zeroPoint(node.input()),
                        graph.bytes(
                                name + "/weight_zero_point",
                                DataType.UINT8,
                                new byte[] {(byte) zero}));
        String products = graph.name(name + "/products");
        graph.node(Operators.CONV_INTEGER, name, inputs, products)
                .set(NodeProto.ATTRIBUTE, ConvolutionForm.attributes(node));
        String bias = graph.ints(name + "/bias", weights.bias(), channels, 1, 1);
        String sums = graph.name(name + "/accumulator");
        graph.auxiliary(Operators.ADD, name + "/add_bias", List.of(products, bias), sums);
        String values = target.floats(node);
        graph.auxiliary(Operators.CAST, name + "/cast", List.of(sums), values)
                .add(NodeProto.ATTRIBUTE, Attributes.of("to", DataType.FLOAT.number()));
        List<String> scales =
                List.of(
                        target.scale(node.input()),
                        graph.floats(name + "/weight_scale", weights.scales(), channels, 1, 1));
        String multiplier = graph.name(name + "/multiplier");
        graph.auxiliary(Operators.MUL, name + "/multiplier", scales, multiplier);
        graph.auxiliary(Operators.MUL, name + "/scale", List.of(values, multiplier), name);
    }

    private static String bytes(String name, WeightTensor weights, GraphWriter graph) {
        byte[] codes = weights.codes();
        Containers.flipInPlace(codes, weights.range());
        return graph.bytes(name, DataType.UINT8, codes, WeightsForm.dimensions(weights.shape()));
    }

    /**
     * {@return the convolution that ends with a Mul; nothing if it is the product of scales, or
     * part of another form}
     *
     * @param last the operator
     * @param source the graph so far
     */
    static Optional<Convolution> read(OnnxNode last, FormReader source) {
        if (!last.operator().equals(Operators.MUL)) {
            return Optional.empty();
        }
        last.requireInputs(2, 2);
        last.requireAttributes();
        if (isProductOfConstants(last, source)
                || RectifyForm.isProduct(last, source)
                || AttentionWeightsForm.isProduct(last, source)) {
            return Optional.empty();
        }
        OnnxGraph graph = source.graph();
        Optional<OnnxNode> cast = graph.maker(last.input(0), Operators.CAST);
        Optional<OnnxNode> sum = cast.flatMap(node -> graph.maker(node.input(0), Operators.ADD));
        Optional<OnnxNode> products =
                sum.flatMap(node -> graph.maker(node.input(0), Operators.CONV_INTEGER));
        Optional<OnnxNode> multiplier =
                graph.maker(last.input(1), Operators.MUL)
                        .filter(node -> isProductOfConstants(node, source));
        last.require(
                products.isPresent() && multiplier.isPresent(),
                "multiplies '%s' and '%s'; only the sums of a ConvInteger with its bias can be"
                        + " multiplied, with a product of scales",
                last.input(0),
                last.input(1));
        cast.ifPresent(node -> requireCast(node, source));
        sum.ifPresent(node -> requireSum(node, source));
        String bias = sum.orElseThrow().input(1);
        return Optional.of(
                read(
                        products.orElseThrow(),
                        bias,
                        multiplier.orElseThrow(),
                        last.output(),
                        source));
    }

    private static boolean isProductOfConstants(OnnxNode node, FormReader source) {
        return source.constants().has(node.input(0)) && source.constants().has(node.input(1));
    }

    private static void requireCast(OnnxNode cast, FormReader source) {
        cast.requireInputs(1, 1);
        cast.requireAttributes("to");
        cast.requireInteger("to", 0, DataType.FLOAT.number());
        source.take(cast);
    }

    private static void requireSum(OnnxNode sum, FormReader source) {
        sum.requireInputs(2, 2);
        sum.requireAttributes();
        source.take(sum);
    }

    private static Convolution read(
            OnnxNode node, String bias, OnnxNode multiplier, String name, FormReader source) {
        String input = source.original(node.input(0));
        node.require(
                source.isCodes(input) && !source.scales().isInt8(input),
                "reads '%s', which is not uint8 codes",
                input);
        node.requireInputs(4, 4);
        ConvolutionForm.requireAttributes(node);
        QuantParams params = source.params(input);
        Constants constants = source.constants();
        node.require(
                source.scales().code(node.input(2), input, params.range()) == params.zeroPoint()
                        && constants.scalar(multiplier.input(0)) == params.scale(),
                "has another zero point or scale than '%s' was made with",
                input);
        CodeRange range = WeightsForm.range(name, source);
        String weight = PackedWeights.constant(node.input(1), source.graph()).orElse(node.input(1));
        boolean packed = constants.isOf(weight, DataType.UINT4);
        int zero = packed ? PackedWeights.UNSIGNED_OFFSET : Containers.toFile(0, range) & 0xff;
        byte[] zeroPoint = constants.bytes(node.input(3), DataType.UINT8);
        node.require(
                zeroPoint.length == 1 && (zeroPoint[0] & 0xff) == zero,
                "has weights with another zero point than %d, in uint8",
                zero);
        byte[] codes =
                packed
                        ? lowered(constants.codes(weight, "weights"))
                        : constants.bytes(weight, DataType.UINT8);
        if (!packed) {
            Containers.flipInPlace(codes, range);
        }
        List<Integer> dimensions = constants.dimensions(weight);
        node.require(
                dimensions.size() == 4 && !dimensions.contains(0),
                "has weights of the dimensions %s; a two-dimensional convolution has 4",
                dimensions);
        Shape shape = new Shape(dimensions);
        requirePerChannel(node, bias, shape.size(0), constants);
        requirePerChannel(node, multiplier.input(1), shape.size(0), constants);
        return new Convolution(
                name,
                input,
                WeightTensor.of(
                        shape,
                        range,
                        codes,
                        constants.floats(multiplier.input(1)),
                        constants.ints(bias)),
                node.window(ConvolutionForm.kernel(shape), source.shape(input)),
                ChannelCopies.groups(node, node.input(0), source),
                new Output.Floats());
    }

    private static byte[] lowered(int[] codes) {
        byte[] lowered = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            lowered[i] = (byte) (codes[i] - PackedWeights.UNSIGNED_OFFSET);
        }
        return lowered;
    }

    /* Of any other shape it would be added or multiplied along another axis. */
    private static void requirePerChannel(
            OnnxNode node, String constant, int channels, Constants constants) {
        List<Integer> dimensions = constants.dimensions(constant);
        node.require(
                dimensions.equals(List.of(channels, 1, 1))
                        || dimensions.equals(List.of(1, channels, 1, 1)),
                "is followed by '%s' of the dimensions %s; one value per channel is [%d, 1, 1]",
                constant,
                dimensions,
                channels);
    }
}
