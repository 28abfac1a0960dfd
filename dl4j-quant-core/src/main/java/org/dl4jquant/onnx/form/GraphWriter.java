// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.Bytes;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.MessageBuilder;
import org.dl4jquant.onnx.wire.NodeProto;
import org.dl4jquant.onnx.wire.Numbers;
import org.dl4jquant.onnx.wire.StringStringEntryProto;
import org.dl4jquant.onnx.wire.TensorAnnotation;
import org.dl4jquant.onnx.wire.TensorProto;
import org.dl4jquant.onnx.wire.TensorShapeProto;
import org.dl4jquant.onnx.wire.TypeProto;
import org.dl4jquant.onnx.wire.ValueInfoProto;

/** Collects the parts of an ONNX graph and keeps their names apart. */
final class GraphWriter {

    private static final String BATCH = "N";
    private static final String STEPS = "T";

    private final MessageBuilder graph =
            Message.builder(GraphProto.SCHEMA).set(GraphProto.NAME, Provenance.PRODUCER);
    private final List<MessageBuilder> nodes = new ArrayList<>();
    private final UniqueNames names;
    private final UniqueNames nodeNames;

    /**
     * Makes an empty graph.
     *
     * @param reserved names that only their owner may use
     */
    GraphWriter(Collection<String> reserved) {
        this(new UniqueNames(reserved), new UniqueNames(reserved));
    }

    private GraphWriter(UniqueNames names, UniqueNames nodeNames) {
        this.names = names;
        this.nodeNames = nodeNames;
    }

    /** {@return an empty graph for an attribute of an operator, with names of its own} */
    GraphWriter body() {
        return new GraphWriter(names, nodeNames);
    }

    /**
     * {@return a name that nothing else has}
     *
     * @param preferred the name if it is free
     */
    String name(String preferred) {
        return names.take(preferred);
    }

    void input(String name, TensorType type) {
        graph.add(GraphProto.INPUT, value(name, DataType.FLOAT, type.shape(), type.timeAxis()));
    }

    void input(String name, DataType type, Shape shape) {
        graph.add(GraphProto.INPUT, value(name, type, shape, TensorType.NO_TIME));
    }

    void output(String name, DataType type, Shape shape) {
        graph.add(GraphProto.OUTPUT, value(name, type, shape, TensorType.NO_TIME));
    }

    void output(String name, DataType type, TensorType tensor) {
        graph.add(GraphProto.OUTPUT, value(name, type, tensor.shape(), tensor.timeAxis()));
    }

    void intermediate(String name, DataType type, TensorType tensor) {
        graph.add(GraphProto.VALUE_INFO, value(name, type, tensor.shape(), tensor.timeAxis()));
    }

    private static Message value(String name, DataType type, Shape shape, int timeAxis) {
        MessageBuilder dimensions =
                Message.builder(TensorShapeProto.SCHEMA)
                        .add(
                                TensorShapeProto.DIM,
                                Message.builder(TensorShapeProto.DIMENSION)
                                        .set(TensorShapeProto.DIM_PARAM, BATCH)
                                        .build());
        for (int axis = 0; axis < shape.rank(); axis++) {
            MessageBuilder size = Message.builder(TensorShapeProto.DIMENSION);
            dimensions.add(
                    TensorShapeProto.DIM,
                    (axis == timeAxis
                                    ? size.set(TensorShapeProto.DIM_PARAM, STEPS)
                                    : size.set(TensorShapeProto.DIM_VALUE, (long) shape.size(axis)))
                            .build());
        }
        Message tensor =
                Message.builder(TypeProto.TENSOR)
                        .set(TypeProto.ELEM_TYPE, (long) type.number())
                        .set(TypeProto.SHAPE, dimensions.build())
                        .build();
        return Message.builder(ValueInfoProto.SCHEMA)
                .set(ValueInfoProto.NAME, name)
                .set(
                        ValueInfoProto.TYPE,
                        Message.builder(TypeProto.SCHEMA)
                                .set(TypeProto.TENSOR_TYPE, tensor)
                                .build())
                .build();
    }

    /**
     * {@return the builder of a new node that has a reserved name, for its attributes}
     *
     * @param operator an ONNX operator
     * @param owner the reserved name, which only one node may have
     * @param inputs names of tensors
     * @param output the name of the one result
     */
    MessageBuilder node(String operator, String owner, List<String> inputs, String output) {
        MessageBuilder node =
                Message.builder(NodeProto.SCHEMA)
                        .set(NodeProto.OP_TYPE, operator)
                        .set(NodeProto.NAME, owner)
                        .set(NodeProto.INPUT, inputs)
                        .add(NodeProto.OUTPUT, output);
        nodes.add(node);
        return node;
    }

    /**
     * {@return the builder of a new node that has a name of its own, for its attributes}
     *
     * @param operator an ONNX operator
     * @param preferred the name if it is free
     * @param inputs names of tensors
     * @param output the name of the one result
     */
    MessageBuilder auxiliary(
            String operator, String preferred, List<String> inputs, String output) {
        return node(operator, nodeNames.take(preferred), inputs, output);
    }

    String bytes(String preferred, DataType type, byte[] values, long... dimensions) {
        return initializer(preferred, type, values, dimensions);
    }

    String floats(String preferred, float[] values, long... dimensions) {
        byte[] bytes = new byte[values.length * Float.BYTES];
        buffer(bytes).asFloatBuffer().put(values);
        return initializer(preferred, DataType.FLOAT, bytes, dimensions);
    }

    String ints(String preferred, int[] values, long... dimensions) {
        byte[] bytes = new byte[values.length * Integer.BYTES];
        buffer(bytes).asIntBuffer().put(values);
        return initializer(preferred, DataType.INT32, bytes, dimensions);
    }

    String longs(String preferred, long[] values) {
        byte[] bytes = new byte[values.length * Long.BYTES];
        buffer(bytes).asLongBuffer().put(values);
        return initializer(preferred, DataType.INT64, bytes, values.length);
    }

    String longs(String preferred, long[] values, long[] dimensions) {
        byte[] bytes = new byte[values.length * Long.BYTES];
        buffer(bytes).asLongBuffer().put(values);
        return initializer(preferred, DataType.INT64, bytes, dimensions);
    }

    String shorts(String preferred, short[] values) {
        byte[] bytes = new byte[values.length * Short.BYTES];
        buffer(bytes).asShortBuffer().put(values);
        return initializer(preferred, DataType.INT16, bytes, values.length);
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private String initializer(String preferred, DataType type, byte[] raw, long... dimensions) {
        String name = name(preferred);
        graph.add(
                GraphProto.INITIALIZER,
                Message.builder(TensorProto.SCHEMA)
                        .set(TensorProto.NAME, name)
                        .set(TensorProto.DATA_TYPE, (long) type.number())
                        .set(TensorProto.DIMS, Numbers.of(dimensions))
                        .set(TensorProto.RAW_DATA, Bytes.of(raw))
                        .build());
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
        graph.add(
                GraphProto.QUANTIZATION_ANNOTATION,
                Message.builder(TensorAnnotation.SCHEMA)
                        .set(TensorAnnotation.TENSOR_NAME, tensor)
                        .add(
                                TensorAnnotation.QUANT_PARAMETER_TENSOR_NAMES,
                                StringStringEntryProto.of(Annotations.SCALE, scale))
                        .add(
                                TensorAnnotation.QUANT_PARAMETER_TENSOR_NAMES,
                                StringStringEntryProto.of(Annotations.ZERO_POINT, zeroPoint))
                        .build());
    }

    Message build() {
        MessageBuilder whole = graph.build().toBuilder();
        nodes.forEach(node -> whole.add(GraphProto.NODE, node.build()));
        return whole.build();
    }
}
