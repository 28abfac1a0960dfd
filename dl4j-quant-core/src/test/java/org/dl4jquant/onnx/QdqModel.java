// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.Arrays;
import java.util.List;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.numeric.Shape;

/**
 * Builds a QDQ model as other exporters write it: int8 or uint8, one dequantize node per tensor.
 */
final class QdqModel {

    private final GraphProtoBuilder graph = new GraphProtoBuilder(List.of());
    private int opset = OnnxWriter.OPSET;
    private final ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8);

    QdqModel input(String name, int... sizes) {
        graph.input(name, Shape.of(sizes));
        return this;
    }

    QdqModel output(String name, DataType type, int... sizes) {
        graph.output(name, type, Shape.of(sizes));
        return this;
    }

    QdqModel floats(String name, float... values) {
        graph.floats(name, values, values.length);
        return this;
    }

    QdqModel scalar(String name, float value) {
        graph.floats(name, new float[] {value});
        return this;
    }

    QdqModel longs(String name, long... values) {
        graph.longs(name, values);
        return this;
    }

    /** Scale and zero point of a tensor, as {@code name.scale} and {@code name.zero}. */
    QdqModel params(String name, double scale, boolean signed, int zeroPoint) {
        graph.floats(name + ".scale", new float[] {(float) scale});
        DataType type = signed ? DataType.INT8 : DataType.UINT8;
        graph.bytes(name + ".zero", type, new byte[] {(byte) zeroPoint});
        return this;
    }

    /** The same as vectors of one element, as some exporters write them. */
    QdqModel vectorParams(
            String name, double scale, boolean signed, int zeroPoint, boolean scaleToo) {
        if (scaleToo) {
            graph.floats(name + ".scale", new float[] {(float) scale}, 1);
        } else {
            graph.floats(name + ".scale", new float[] {(float) scale});
        }
        DataType type = signed ? DataType.INT8 : DataType.UINT8;
        graph.bytes(name + ".zero", type, new byte[] {(byte) zeroPoint}, 1);
        return this;
    }

    /** An integer Clip's bound. */
    QdqModel code(String name, boolean signed, int code) {
        graph.bytes(name, signed ? DataType.INT8 : DataType.UINT8, new byte[] {(byte) code});
        return this;
    }

    /** Quantizes {@code values} to {@code name}, and dequantizes that to {@code name.f}. */
    QdqModel quantized(String name, String values) {
        quantize(name, values);
        return node("DequantizeLinear", name + ".f", name, name + ".scale", name + ".zero");
    }

    QdqModel quantize(String name, String values) {
        return node("QuantizeLinear", name, values, name + ".scale", name + ".zero");
    }

    /** Int8 weights with the scales {@code name.scale}, dequantized to {@code name.f}. */
    QdqModel weights(String name, int axis, List<Integer> codes, long... dimensions) {
        byte[] bytes = new byte[codes.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = codes.get(i).byteValue();
        }
        graph.bytes(name, DataType.INT8, bytes, dimensions);
        graph.node("DequantizeLinear", name + "#", List.of(name, name + ".scale"), name + ".f")
                .addAttribute(GraphProtoBuilder.attribute("axis", axis));
        return this;
    }

    /** The same with zero points, which most exporters write; {@code channels} 0: one for all. */
    QdqModel weightsWithZeros(
            String name, int axis, int channels, List<Integer> codes, long... dimensions) {
        byte[] bytes = new byte[codes.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = codes.get(i).byteValue();
        }
        graph.bytes(name, DataType.INT8, bytes, dimensions);
        if (channels == 0) {
            graph.bytes(name + ".zero", DataType.INT8, new byte[1]);
        } else {
            graph.bytes(name + ".zero", DataType.INT8, new byte[channels], channels);
        }
        graph.node(
                        "DequantizeLinear",
                        name + "#",
                        List.of(name, name + ".scale", name + ".zero"),
                        name + ".f")
                .addAttribute(GraphProtoBuilder.attribute("axis", axis));
        return this;
    }

    /** An int32 bias with the scales {@code name.scale}, dequantized to {@code name.f}. */
    QdqModel bias(String name, int... codes) {
        graph.ints(name, codes, codes.length);
        graph.node("DequantizeLinear", name + "#", List.of(name, name + ".scale"), name + ".f")
                .addAttribute(GraphProtoBuilder.attribute("axis", 0));
        return this;
    }

    /** The same with a zero point for each scale, or one. */
    QdqModel biasWithZeros(String name, int zeroPoint, int scales, int... codes) {
        graph.ints(name, codes, codes.length);
        int[] zeros = new int[Math.max(scales, 1)];
        Arrays.fill(zeros, zeroPoint);
        if (scales == 0) {
            graph.ints(name + ".zero", zeros);
        } else {
            graph.ints(name + ".zero", zeros, scales);
        }
        graph.node(
                        "DequantizeLinear",
                        name + "#",
                        List.of(name, name + ".scale", name + ".zero"),
                        name + ".f")
                .addAttribute(GraphProtoBuilder.attribute("axis", 0));
        return this;
    }

    QdqModel node(String operator, String output, String... inputs) {
        node(operator, output, List.of(), inputs);
        return this;
    }

    QdqModel node(
            String operator, String output, List<AttributeProto> attributes, String... inputs) {
        NodeProto.Builder node = graph.node(operator, output + "#", List.of(inputs), output);
        node.addAllAttribute(attributes);
        return this;
    }

    QdqModel metadata(String key, String value) {
        model.addMetadataProps(GraphProtoBuilder.entry(key, value));
        return this;
    }

    QdqModel opset(int version) {
        opset = version;
        return this;
    }

    byte[] bytes() {
        model.clearOpsetImport().addOpsetImportBuilder().setVersion(opset);
        return model.setGraph(graph.build()).build().toByteArray();
    }
}
