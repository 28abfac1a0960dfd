// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorAnnotation;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.UnknownFieldSet;

/** Collects the parts of an ONNX graph and keeps their names apart. */
final class GraphProtoBuilder {

    private static final String BATCH = "N";

    private static final UnknownFieldSet.Field ZERO =
            UnknownFieldSet.Field.newBuilder().addVarint(0).build();

    private final GraphProto.Builder graph = GraphProto.newBuilder().setName(Provenance.PRODUCER);
    private final Set<String> names;
    private final Set<String> nodeNames;

    /**
     * Makes an empty graph.
     *
     * @param reserved names that only their owner may use
     */
    GraphProtoBuilder(Collection<String> reserved) {
        this.names = new HashSet<>(reserved);
        this.nodeNames = new HashSet<>(reserved);
    }

    /**
     * {@return a name that nothing else bears}
     *
     * @param wish the name that it bears if it is free
     */
    String name(String wish) {
        return unique(names, wish);
    }

    private static String unique(Set<String> taken, String wish) {
        String name = wish;
        for (int i = 2; !taken.add(name); i++) {
            name = wish + "_" + i;
        }
        return name;
    }

    void input(String name, Shape shape) {
        graph.addInput(value(name, TensorProto.DataType.FLOAT, shape));
    }

    void output(String name, TensorProto.DataType type, Shape shape) {
        graph.addOutput(value(name, type, shape));
    }

    void value(String name, Shape shape, TensorProto.DataType type) {
        graph.addValueInfo(value(name, type, shape));
    }

    private static ValueInfoProto value(String name, TensorProto.DataType type, Shape shape) {
        TensorShapeProto.Builder dimensions = TensorShapeProto.newBuilder();
        dimensions.addDimBuilder().setDimParam(BATCH);
        shape.dimensions().forEach(size -> dimensions.addDimBuilder().setDimValue(size));
        TypeProto.Tensor tensor =
                TypeProto.Tensor.newBuilder()
                        .setElemType(type.getNumber())
                        .setShape(dimensions)
                        .build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    /**
     * {@return the builder of a new node that bears a reserved name, for its attributes}
     *
     * @param operator an ONNX operator
     * @param owner the reserved name, which only one node may bear
     * @param inputs names of tensors
     * @param output the name of the one result
     */
    NodeProto.Builder node(String operator, String owner, List<String> inputs, String output) {
        return graph.addNodeBuilder()
                .setOpType(operator)
                .setName(owner)
                .addAllInput(inputs)
                .addOutput(output);
    }

    /**
     * {@return the builder of a new node that bears a name of its own, for its attributes}
     *
     * @param operator an ONNX operator
     * @param wish the name that it bears if it is free
     * @param inputs names of tensors
     * @param output the name of the one result
     */
    NodeProto.Builder auxiliary(String operator, String wish, List<String> inputs, String output) {
        return node(operator, unique(nodeNames, wish), inputs, output);
    }

    /*
     * ONNX is proto2, in which a value that is not written is missing; this class is generated for
     * proto3, which writes no value that is 0. Readers such as OpenCV's refuse the attribute then.
     */
    static AttributeProto attribute(String name, long value) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder()
                        .setName(name)
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(value);
        if (value == 0) {
            attribute.setUnknownFields(
                    UnknownFieldSet.newBuilder()
                            .addField(AttributeProto.I_FIELD_NUMBER, ZERO)
                            .build());
        }
        return attribute.build();
    }

    static AttributeProto attribute(String name, String text) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8(text))
                .build();
    }

    static AttributeProto attribute(String name, float value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.FLOAT)
                .setF(value)
                .build();
    }

    static AttributeProto attribute(String name, long... values) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder()
                        .setName(name)
                        .setType(AttributeProto.AttributeType.INTS);
        for (long value : values) {
            attribute.addInts(value);
        }
        return attribute.build();
    }

    String bytes(String wish, TensorProto.DataType type, byte[] values, long... dimensions) {
        return initializer(wish, type, ByteString.copyFrom(values), dimensions);
    }

    String floats(String wish, float[] values, long... dimensions) {
        ByteBuffer bytes = buffer(values.length * Float.BYTES);
        bytes.asFloatBuffer().put(values);
        return initializer(
                wish, TensorProto.DataType.FLOAT, ByteString.copyFrom(bytes), dimensions);
    }

    String ints(String wish, int[] values, long... dimensions) {
        ByteBuffer bytes = buffer(values.length * Integer.BYTES);
        bytes.asIntBuffer().put(values);
        return initializer(
                wish, TensorProto.DataType.INT32, ByteString.copyFrom(bytes), dimensions);
    }

    String longs(String wish, long[] values) {
        ByteBuffer bytes = buffer(values.length * Long.BYTES);
        bytes.asLongBuffer().put(values);
        return initializer(
                wish, TensorProto.DataType.INT64, ByteString.copyFrom(bytes), values.length);
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private String initializer(
            String wish, TensorProto.DataType type, ByteString raw, long... dimensions) {
        String name = name(wish);
        TensorProto.Builder tensor = graph.addInitializerBuilder();
        tensor.setName(name).setDataType(type.getNumber()).setRawData(raw);
        for (long dimension : dimensions) {
            tensor.addDims(dimension);
        }
        return name;
    }

    /**
     * Says how the codes of a tensor stand for values, where no operator says it.
     *
     * @param tensor the tensor's name
     * @param scale name of an initializer
     * @param zeroPoint name of an initializer
     */
    void annotate(String tensor, String scale, String zeroPoint) {
        graph.addQuantizationAnnotation(
                TensorAnnotation.newBuilder()
                        .setTensorName(tensor)
                        .addQuantParameterTensorNames(entry("SCALE_TENSOR", scale))
                        .addQuantParameterTensorNames(entry("ZERO_POINT_TENSOR", zeroPoint)));
    }

    static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    GraphProto build() {
        return graph.build();
    }
}
