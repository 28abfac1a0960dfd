// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.KeepsCodes;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/*
 * Each node becomes dequantize -> operator -> quantize, which ONNX Runtime fuses to one integer
 * kernel. What is narrower than uint8 (an activation's bounds, fewer bits) is an integer Clip after
 * the quantize node: in front of it, it would stop the fusion. Every use of a tensor has a
 * dequantize node of its own, as ONNX Runtime wants it. Three nodes are written with integer operators:
 *
 * - Move: operators that only move codes; see MoveWriter.
 * - Table: Gather from 256 entries, which no float operator could change.
 * - A convolution with float32 results: ConvInteger and a multiplication, because ONNX Runtime would
 *   compute a Conv without a quantize node after it in float32.
 */
/** Writes each node as ONNX operators; the node's name is that of its last tensor. */
final class NodeWriter implements IntNode.Visitor<Void> {

    private final IntGraph source;
    private final GraphProtoBuilder target;
    private final Map<String, String> scales = new HashMap<>();
    private final Map<String, String> zeroPoints = new HashMap<>();

    NodeWriter(IntGraph source, GraphProtoBuilder target) {
        this.source = source;
        this.target = target;
    }

    @Override
    public Void visit(Input node) {
        target.input(node.name(), node.shape());
        return null;
    }

    @Override
    public Void visit(Quantize node) {
        return quantize(node, node.input(), node.params(), node.params().range());
    }

    @Override
    public Void visit(Convolution node) {
        if (node.output() instanceof Output.Codes codes) {
            String result = target.name(node.name() + "/float");
            NodeProto.Builder conv =
                    target.node(
                            Operators.CONV, node.name(), weighted(node, node.weights()), result);
            slide(conv, node.window(), true).addAttribute(groups(node));
            return quantize(node, result, codes.params(), codes.bounds());
        }
        return convolutionWithFloats(node);
    }

    private Void convolutionWithFloats(Convolution node) {
        String name = node.name();
        WeightTensor weights = node.weights();
        byte[] codes = weights.codes();
        Containers.flipInPlace(codes, weights.range());
        List<String> inputs =
                List.of(
                        node.input(),
                        target.bytes(
                                name + "/weight",
                                DataType.UINT8,
                                codes,
                                dimensions(weights.shape())),
                        zeroPoint(node.input()),
                        target.bytes(
                                name + "/weight_zero_point",
                                DataType.UINT8,
                                new byte[] {Containers.toFile(0, weights.range())}));
        String products = target.name(name + "/products");
        slide(target.node(Operators.CONV_INTEGER, name, inputs, products), node.window(), true)
                .addAttribute(groups(node));
        long channels = weights.channels();
        String bias = target.ints(name + "/bias", weights.bias(), channels, 1, 1);
        String sums = target.name(name + "/accumulator");
        target.auxiliary(Operators.ADD, name + "/add_bias", List.of(products, bias), sums);
        String values = target.name(name + "/float");
        target.auxiliary(Operators.CAST, name + "/cast", List.of(sums), values)
                .addAttribute(GraphProtoBuilder.attribute("to", DataType.FLOAT_VALUE));
        String weightScales =
                target.floats(name + "/weight_scale", weights.scales(), channels, 1, 1);
        String multiplier = target.name(name + "/multiplier");
        target.auxiliary(
                Operators.MUL,
                name + "/multiplier",
                List.of(scale(node.input()), weightScales),
                multiplier);
        target.auxiliary(Operators.MUL, name + "/scale", List.of(values, multiplier), name);
        return null;
    }

    @Override
    public Void visit(Dense node) {
        List<String> inputs = weighted(node, node.weights());
        Output.Codes codes = node.output() instanceof Output.Codes c ? c : null;
        String result = codes == null ? node.name() : target.name(node.name() + "/float");
        target.node(Operators.GEMM, node.name(), inputs, result)
                .addAttribute(GraphProtoBuilder.attribute("transB", 1));
        return codes == null ? null : quantize(node, result, codes.params(), codes.bounds());
    }

    private List<String> weighted(IntNode node, WeightTensor weights) {
        String name = node.name();
        long channels = weights.channels();
        String input = node.inputs().get(0);
        String weight =
                dequantize(
                        name,
                        "weight",
                        List.of(
                                target.bytes(
                                        name + "/weight",
                                        DataType.INT8,
                                        weights.codes(),
                                        dimensions(weights.shape())),
                                target.floats(name + "/weight_scale", weights.scales(), channels),
                                target.bytes(
                                        name + "/weight_zero_point",
                                        DataType.INT8,
                                        new byte[weights.channels()],
                                        channels)));
        String bias =
                dequantize(
                        name,
                        "bias",
                        List.of(
                                target.ints(name + "/bias", weights.bias(), channels),
                                target.floats(
                                        name + "/bias_scale",
                                        biasScales(weights, source.type(input).codes()),
                                        channels)));
        return List.of(dequantized(node, input), weight, bias);
    }

    private static float[] biasScales(WeightTensor weights, QuantParams input) {
        float[] scales = weights.scales();
        for (int channel = 0; channel < scales.length; channel++) {
            scales[channel] = input.scale() * scales[channel];
        }
        return scales;
    }

    private String dequantize(String node, String what, List<String> inputs) {
        String result = target.name(node + "/" + what + "_float");
        target.auxiliary(Operators.DEQUANTIZE, node + "/dequantize_" + what, inputs, result)
                .addAttribute(GraphProtoBuilder.attribute("axis", 0));
        return result;
    }

    @Override
    public Void visit(MaxPool node) {
        NodeProto.Builder pool = operator(node, Operators.MAX_POOL);
        slide(pool, node.window(), true);
        return requantize(node, pool, source.type(node.name()).codes());
    }

    @Override
    public Void visit(AveragePool node) {
        NodeProto.Builder pool = operator(node, Operators.AVERAGE_POOL);
        slide(pool, node.window(), false)
                .addAttribute(
                        GraphProtoBuilder.attribute(
                                "count_include_pad", node.countPadding() ? 1 : 0));
        return requantize(node, pool, node.params());
    }

    @Override
    public Void visit(GlobalAveragePool node) {
        return requantize(node, operator(node, Operators.GLOBAL_AVERAGE_POOL), node.params());
    }

    @Override
    public Void visit(Add node) {
        String sum = operator(node, Operators.ADD).getOutput(0);
        return quantize(node, sum, node.output().params(), node.output().bounds());
    }

    @Override
    public Void visit(Concat node) {
        NodeProto.Builder concat = operator(node, Operators.CONCAT);
        concat.addAttribute(GraphProtoBuilder.attribute("axis", 1));
        return requantize(node, concat, node.params());
    }

    @Override
    public Void visit(Table node) {
        QuantParams input = source.type(node.input()).codes();
        String indices = target.name(node.name() + "/index");
        target.auxiliary(Operators.CAST, node.name() + "/cast", List.of(node.input()), indices)
                .addAttribute(GraphProtoBuilder.attribute("to", DataType.INT32_VALUE));
        String table =
                target.bytes(
                        node.name() + "/table",
                        DataType.UINT8,
                        Containers.flipped(node.table().entries(), input, node.params()),
                        CodeTable.SIZE);
        target.node(Operators.GATHER, node.name(), List.of(table, indices), node.name());
        define(node.name(), node.params());
        target.annotate(node.name(), scale(node.name()), zeroPoint(node.name()));
        return null;
    }

    @Override
    public Void visit(Reshape node) {
        long[] sizes = new long[node.shape().rank() + 1]; // the first, 0, keeps the batch's size
        for (int axis = 0; axis < node.shape().rank(); axis++) {
            sizes[axis + 1] = node.shape().size(axis);
        }
        String shape = target.longs(node.name() + "/shape", sizes);
        if (!source.type(node.name()).isCodes()) {
            target.node(Operators.RESHAPE, node.name(), List.of(node.input(), shape), node.name());
            return null;
        }
        NodeProto.Builder reshape = operator(node, Operators.RESHAPE).addInput(shape);
        return requantize(node, reshape, source.type(node.name()).codes());
    }

    @Override
    public Void visit(Move node) {
        String input = node.input();
        new MoveWriter(target, node.name())
                .write(node.map(), input, source.type(input).shape(), zeroPoint(input));
        define(node.name(), source.type(input).codes());
        target.annotate(node.name(), scale(node.name()), zeroPoint(node.name()));
        return null;
    }

    @Override
    public Void visit(Dequantize node) {
        target.node(Operators.DEQUANTIZE, node.name(), read(node.input()), node.name());
        return null;
    }

    @Override
    public Void visit(Rectify node) {
        new FunctionWriter(target, node.name()).node(node.function(), node.input());
        return null;
    }

    /** Dequantizes what the node reads, and applies the operator to it. */
    private NodeProto.Builder operator(IntNode node, String operator) {
        List<String> inputs = new ArrayList<>();
        node.inputs().forEach(input -> inputs.add(dequantized(node, input)));
        return target.node(operator, node.name(), inputs, target.name(node.name() + "/float"));
    }

    private Void requantize(IntNode node, NodeProto.Builder operator, QuantParams params) {
        return quantize(node, operator.getOutput(0), params, params.range());
    }

    private Void quantize(IntNode node, String values, QuantParams params, CodeRange bounds) {
        String name = node.name();
        define(name, params);
        CodeRange clamp = narrower(node, bounds) ? bounds : null;
        String codes = clamp == null ? name : target.name(name + "/unclamped");
        target.auxiliary(
                Operators.QUANTIZE,
                name + "/quantize",
                List.of(values, scale(name), zeroPoint(name)),
                codes);
        if (clamp != null) {
            String least = bound(name + "/min", clamp.min(), params);
            String most = bound(name + "/max", clamp.max(), params);
            target.auxiliary(Operators.CLIP, name + "/clip", List.of(codes, least, most), name);
        }
        return null;
    }

    /** Whether the codes can leave the bounds; those that only move codes about cannot. */
    private static boolean narrower(IntNode node, CodeRange bounds) {
        return !(node instanceof KeepsCodes)
                && bounds.max() - bounds.min() < Containers.UINT8.max();
    }

    private String bound(String wish, int code, QuantParams params) {
        return target.bytes(
                wish, DataType.UINT8, new byte[] {Containers.toFile(code, params.range())});
    }

    private void define(String name, QuantParams params) {
        scales.put(name, target.floats(name + "/scale", new float[] {params.scale()}));
        zeroPoints.put(name, bound(name + "/zero_point", params.zeroPoint(), params));
    }

    private String dequantized(IntNode node, String input) {
        String result = target.name(node.name() + "/" + input + "_float");
        String name = node.name() + "/dequantize_" + input;
        target.auxiliary(Operators.DEQUANTIZE, name, read(input), result);
        return result;
    }

    private List<String> read(String codes) {
        return List.of(codes, scale(codes), zeroPoint(codes));
    }

    private String scale(String codes) {
        return Objects.requireNonNull(scales.get(codes), codes);
    }

    private String zeroPoint(String codes) {
        return Objects.requireNonNull(zeroPoints.get(codes), codes);
    }

    private static onnx.Onnx.AttributeProto groups(Convolution node) {
        return GraphProtoBuilder.attribute("group", node.groups());
    }

    private static NodeProto.Builder slide(
            NodeProto.Builder operator, Window window, boolean dilated) {
        operator.addAttribute(pair("kernel_shape", window.kernel()))
                .addAttribute(pair("strides", window.stride()))
                .addAttribute(
                        GraphProtoBuilder.attribute(
                                "pads",
                                window.before().height(),
                                window.before().width(),
                                window.after().height(),
                                window.after().width()));
        return dilated ? operator.addAttribute(pair("dilations", window.dilation())) : operator;
    }

    private static onnx.Onnx.AttributeProto pair(String name, Window.Extent extent) {
        return GraphProtoBuilder.attribute(name, extent.height(), extent.width());
    }

    private static long[] dimensions(Shape shape) {
        return shape.dimensions().stream().mapToLong(Integer::longValue).toArray();
    }
}
