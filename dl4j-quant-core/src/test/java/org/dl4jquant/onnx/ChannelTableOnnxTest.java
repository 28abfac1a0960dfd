// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.ChannelTable;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/** Damaged and foreign files with a table for each channel. */
class ChannelTableOnnxTest {

    private static final QuantParams SIGNED = SmallGraphs.int8(0.5f);
    private static final IntGraph GRAPH =
            IntGraph.of(
                    List.of(
                            new Input("x", Shape.of(2, 3, 3)),
                            new Quantize("q", "x", SIGNED),
                            new ChannelTable("t", "q", List.of(slope(0.25), slope(-2)), SIGNED)),
                    List.of("t"));

    private static CodeTable slope(double slope) {
        return CodeTable.from(value -> value < 0 ? value * slope : value, SIGNED, SIGNED);
    }

    /** The model without its hash, which would find any change. */
    private static ModelProto.Builder model() throws InvalidProtocolBufferException {
        ModelProto.Builder model = ModelProto.parseFrom(OnnxWriter.toBytes(GRAPH)).toBuilder();
        for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
            if (model.getMetadataProps(i).getKey().equals(Provenance.HASH)) {
                model.removeMetadataProps(i);
            }
        }
        return model;
    }

    /**
     * One change.
     *
     * @param change the change of the model
     * @param message the part that the reader's message must contain
     */
    private record Damage(Consumer<GraphProto.Builder> change, String message) {
        @Override
        public String toString() {
            return message;
        }
    }

    private static Damage node(String name, Consumer<NodeProto.Builder> change, String message) {
        return new Damage(
                graph ->
                        change.accept(
                                graph.getNodeBuilderList().stream()
                                        .filter(node -> node.getName().equals(name))
                                        .findFirst()
                                        .orElseThrow()),
                message);
    }

    private static Damage constant(
            String name, Consumer<TensorProto.Builder> change, String message) {
        return new Damage(
                graph ->
                        change.accept(
                                graph.getInitializerBuilderList().stream()
                                        .filter(tensor -> tensor.getName().equals(name))
                                        .findFirst()
                                        .orElseThrow()),
                message);
    }

    private static ByteString ints(int... values) {
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.stream(values).forEach(bytes::putInt);
        return ByteString.copyFrom(bytes.array());
    }

    private static ByteString tables(int entries) {
        return ByteString.copyFrom(new byte[entries]);
    }

    static Stream<Damage> damages() {
        String starts = "it must be 0, 256, ... for the 2 tables";
        int tooMany = ChannelTable.MAX_TABLES + 1;
        return Stream.of(
                constant("t/tables", t -> t.setDims(0, 511).setRawData(tables(511)), "511 entries"),
                constant(
                        "t/tables",
                        t -> t.clearDims().addDims(0).setRawData(ByteString.EMPTY),
                        "has tables of 0 entries; they have 256 each, in one dimension"),
                constant("t/tables", t -> t.clearDims().addDims(2).addDims(256), "512 entries"),
                constant(
                        "t/tables",
                        t -> t.setDims(0, 256).setRawData(tables(256)),
                        "adds 't/start' of the dimensions [2, 1, 1] to codes; it must be 0, 256,"
                                + " ... for the 1 tables"),
                constant(
                        "t/tables",
                        t -> t.setDims(0, tooMany * 256L).setRawData(tables(tooMany * 256)),
                        "node 't' has 4097 tables; 1 to 4096 are allowed"),
                constant(
                        "t/tables",
                        t -> t.setDataType(DataType.INT8_VALUE),
                        "initializer 't/tables' is of type INT8; it must be UINT8"),
                constant("t/start", t -> t.setRawData(ints(0, 255)), starts),
                constant("t/start", t -> t.setRawData(ints(0, 512)), starts),
                constant("t/start", t -> t.setRawData(ints(0, -256)), starts),
                constant("t/start", t -> t.setRawData(ints(256, 0)), starts),
                constant("t/start", t -> t.clearDims().addDims(1).addDims(2).addDims(1), starts),
                constant("t/start", t -> t.clearDims().addDims(2), starts),
                constant(
                        "t/start",
                        t -> t.addDims(1),
                        "adds 't/start' of the dimensions [2, 1, 1, 1] to codes"),
                constant(
                        "t/start",
                        t -> t.setDims(0, 3).setRawData(ints(0, 256, 512)),
                        "adds 't/start' of the dimensions [3, 1, 1] to codes"),
                constant(
                        "t/start",
                        t -> t.setDataType(DataType.FLOAT_VALUE),
                        "initializer 't/start' is of type FLOAT; it must be INT32"),
                node(
                        "t/gather",
                        n ->
                                n.addAttribute(
                                        AttributeProto.newBuilder()
                                                .setName("axis")
                                                .setType(AttributeProto.AttributeType.INT)
                                                .setI(1)),
                        "has axis = 1; only 0 is understood"),
                node(
                        "t/add",
                        n -> n.setInput(0, "q"),
                        "adds to 'q'; it must add to codes that a Cast made int32"),
                node("t/add", n -> n.setInput(1, "t/code"), "'t/code' is computed or missing"),
                node("t/add", n -> n.addInput("q"), "t/start, q]; 2 to 2 are understood"),
                node(
                        "t/cast",
                        n -> n.getAttributeBuilder(0).setI(DataType.INT64_VALUE),
                        "makes type 7 of 'q'"),
                new Damage(
                        GraphProto.Builder::clearQuantizationAnnotation,
                        "makes codes of unknown scale; a quantization annotation must name it"));
    }

    @Test
    void readsTheModelThatIsNotChanged() throws InvalidProtocolBufferException {
        assertEquals(GRAPH, OnnxReader.fromBytes(model().build().toByteArray(), "valid"));
    }

    @ParameterizedTest
    @MethodSource("damages")
    void refusesADamagedFileAndSaysWhere(Damage damage) throws InvalidProtocolBufferException {
        ModelProto.Builder model = model();
        damage.change().accept(model.getGraphBuilder());
        byte[] bytes = model.build().toByteArray();
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(bytes, "damaged"))
                        .getMessage();
        assertTrue(message.startsWith("ONNX model 'damaged': "), message);
        assertTrue(message.contains(damage.message()), message);
    }

    /** A flipped bit may be an entry of a table; whatever else it is, the reader says so. */
    @Test
    void answersAnyFlippedBit() throws InvalidProtocolBufferException {
        byte[] bytes = model().build().toByteArray();
        int refused = 0;
        for (int at = 0; at < bytes.length; at++) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            try {
                assertNotNull(OnnxReader.fromBytes(damaged, "flipped"));
            } catch (IllegalArgumentException e) {
                assertTrue(e.getMessage().startsWith("ONNX model 'flipped'"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > bytes.length / 4, refused + " of " + bytes.length);
    }
}
