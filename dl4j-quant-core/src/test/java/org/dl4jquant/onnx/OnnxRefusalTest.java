// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.SparseTensorProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorProto.DataType;
import onnx.Onnx.TensorShapeProto;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.form.Provenance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.shade.protobuf.ByteString;

/** Each message of the reader, from a valid model with one thing changed. */
class OnnxRefusalTest {

    private static final QuantParams ONE = SmallGraphs.uint8(1);

    private static final IntGraph GRAPH =
            IntGraph.of(
                    List.of(
                            new Input("x", Shape.of(1, 3, 3)),
                            new Quantize("q", "x", SmallGraphs.int8(1)),
                            new Convolution(
                                    "c",
                                    "q",
                                    SmallGraphs.weights(Shape.of(2, 1, 1, 1), 1, 2),
                                    SmallGraphs.window(1, 1, 0),
                                    1,
                                    new Output.Codes(ONE, new CodeRange(0, 6))),
                            new Table("t", "c", CodeTable.from(v -> v, ONE, ONE), ONE),
                            new MaxPool("m", "c", SmallGraphs.window(2, 1, 0)),
                            new Concat("j", List.of("m", "m"), ONE),
                            new Reshape("r", "j", Shape.of(16)),
                            new Dense(
                                    "d",
                                    "r",
                                    SmallGraphs.weights(Shape.of(1, 16), new int[16]),
                                    new Output.Floats()),
                            new Reshape("s", "d", Shape.of(1, 1)),
                            new Convolution(
                                    "v",
                                    "c",
                                    SmallGraphs.weights(Shape.of(1, 2, 1, 1), 1, 2),
                                    SmallGraphs.window(1, 1, 0),
                                    1,
                                    new Output.Floats())),
                    List.of("t", "s", "v"));

    /**
     * One change.
     *
     * @param change the change of the model
     * @param message the part that the reader's message must contain
     */
    private record Refusal(Consumer<ModelProto.Builder> change, String message) {
        @Override
        public String toString() {
            return message;
        }
    }

    private static ModelProto.Builder valid() {
        try {
            ModelProto.Builder model = ModelProto.parseFrom(OnnxWriter.toBytes(GRAPH)).toBuilder();
            for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
                if (model.getMetadataProps(i).getKey().equals(Provenance.HASH)) {
                    model.removeMetadataProps(i);
                }
            }
            return model;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void readsTheModelThatIsNotChanged() {
        assertEquals(GRAPH, OnnxReader.fromBytes(valid().build().toByteArray(), "valid"));
    }

    @ParameterizedTest
    @MethodSource({"models", "operators", "attributes", "quantization", "weights", "constants"})
    void refusesWhatItDoesNotUnderstandAndSaysWhere(Refusal refusal) {
        ModelProto.Builder model = valid();
        refusal.change().accept(model);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(model.build().toByteArray(), "m.onnx"))
                        .getMessage();
        assertTrue(message.startsWith("ONNX model 'm.onnx': "), message);
        assertTrue(message.contains(refusal.message()), message);
    }

    static Stream<Refusal> models() {
        return Stream.of(
                new Refusal(
                        m -> m.getOpsetImportBuilder(0).setVersion(9),
                        "it uses version 9 of ONNX's operators; understood are 10 to 26, export it"
                                + " with one of these"),
                new Refusal(
                        m ->
                                m.getGraphBuilder()
                                        .addSparseInitializer(
                                                SparseTensorProto.getDefaultInstance()),
                        "it has sparse initializers or training information"),
                new Refusal(
                        m -> m.addMetadataProps(GraphProtoBuilder.entry(Provenance.HASH, "0123")),
                        "but the model says 0123: it is damaged, or was edited; write it again, or,"
                                + " if the edit is meant, remove the metadata 'dl4jquant.sha256'"),
                metadata(
                        "dl4jquant.future",
                        "x",
                        "metadata 'dl4jquant.future' is not understood: the model was edited, or"
                                + " written by a newer version"),
                metadata(
                        "dl4jquant.input.x",
                        "first",
                        "metadata 'dl4jquant.input.x' is 'first'; it must be a number"),
                metadata(
                        "dl4jquant.range.c",
                        "all",
                        "metadata 'dl4jquant.range.c' is 'all'; it must be the least and the"
                                + " greatest code, as in '-7 7'"),
                metadata(
                        "dl4jquant.range.c",
                        "7 3",
                        "code range [7, 3] is empty: min must be below max"),
                new Refusal(m -> secondInput(m, "99"), "have no place among the nodes"),
                new Refusal(
                        m -> secondInput(m, "0"),
                        "metadata 'dl4jquant.input.u' says that input 'u' is node 0, which another"
                                + " input is"),
                new Refusal(
                        m ->
                                m.getGraphBuilder()
                                        .getInputBuilder(0)
                                        .getTypeBuilder()
                                        .getTensorTypeBuilder()
                                        .setElemType(DataType.INT8_VALUE),
                        "input 'x' is no float32 tensor; inputs must be, and be quantized in the"
                                + " graph"),
                new Refusal(
                        m -> shape(m).getDimBuilder(2).setDimParam("H"),
                        "input 'x': the size of dimension 2 is 'H'; all but the first, the batch,"
                                + " must be fixed"));
    }

    private static void secondInput(ModelProto.Builder model, String place) {
        model.getGraphBuilder().addInput(model.getGraph().getInput(0).toBuilder().setName("u"));
        model.addMetadataProps(GraphProtoBuilder.entry("dl4jquant.input.u", place));
    }

    private static TensorShapeProto.Builder shape(ModelProto.Builder model) {
        return model.getGraphBuilder()
                .getInputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder();
    }

    static Stream<Refusal> operators() {
        return Stream.of(
                node("c", n -> n.setDomain("com.other"), "is of the domain 'com.other'"),
                node(
                        "m",
                        n -> n.setOpType("Softmax"),
                        "node 'm' (Softmax) is not part of an integer graph; understood are"
                                + " Cast, Mul, QuantizeLinear, "),
                node(
                        "c",
                        n -> n.setInput(0, "x"),
                        "node 'c' (Conv) reads 'x', which is not dequantized codes; a"
                                + " DequantizeLinear must stand before it"),
                node("c", n -> n.clearInput(), "has no input 0; it has []"),
                node("c", n -> n.addInput("q"), "3 are understood"),
                node("c", n -> n.addOutput("more"), "has the results [c/float, more]; exactly one"),
                node(
                        "c/quantize",
                        n -> n.setInput(0, "nowhere"),
                        "node 'c/quantize' (QuantizeLinear) reads 'nowhere', which no input,"
                                + " constant or earlier operator is; operators must stand after"
                                + " those that they read"),
                node(
                        "c/quantize",
                        n -> n.setInput(0, "c/bias"),
                        "node 'c/quantize' (QuantizeLinear) reads 'c/bias', which is neither an"
                                + " input nor the result of an operator over dequantized codes"),
                node(
                        "c/dequantize_q",
                        n -> n.setInput(0, "x"),
                        "reads 'x', which is neither a constant nor codes of an earlier"
                                + " operator"),
                node(
                        "s",
                        n -> n.setInput(0, "q"),
                        "reshape 's': 'q' of shape [1x3x3] has 9 elements, [1x1] has 1"),
                node(
                        "m",
                        n -> n.setOpType("Relu").clearAttribute(),
                        "clamps 'm/c_float'; it must stand between an operator over dequantized"
                                + " codes and its QuantizeLinear"),
                constant(
                        "t/all",
                        t -> t.setRawData(ByteString.copyFrom(new byte[8])),
                        "takes the indices 't/list'; they must be codes that a Cast made int32,"
                                + " reshaped to [-1]"),
                node(
                        "t/flatten",
                        n -> n.setInput(0, "x"),
                        "takes the indices 'x'; they must be codes that a Cast made int32"),
                node("v", n -> n.setInput(0, "x"), "reads 'x', which is not uint8 codes"),
                node(
                        "v/scale",
                        n -> n.setInput(1, "x"),
                        "multiplies 'v/float' and 'x'; only the sums of a ConvInteger with its bias"
                                + " can be multiplied, with a product of scales"),
                new Refusal(
                        m ->
                                m.getGraphBuilder()
                                        .addNode(find(m, "m").clone().setOutput(0, "left over")),
                        "node 'm' (MaxPool) has float32 results; a QuantizeLinear must follow it"),
                new Refusal(
                        m -> m.getGraphBuilder().addNode(find(m, "t").clone()),
                        "makes 't', which something else is already; names must be unique"));
    }

    static Stream<Refusal> attributes() {
        return Stream.of(
                node(
                        "c",
                        n -> n.addAttribute(GraphProtoBuilder.attribute("twist", 1)),
                        "node 'c' (Conv) has the attribute 'twist'; understood are [auto_pad,"
                                + " dilations, group, kernel_shape, pads, strides]"),
                attribute(
                        "c",
                        "group",
                        a -> a.setType(AttributeProto.AttributeType.FLOAT),
                        "has the attribute 'group' of type FLOAT; it must be INT"),
                attribute(
                        "c",
                        "strides",
                        a -> a.addInts(1),
                        "has strides = [1, 1, 1]; such an operator has 2 values"),
                attribute(
                        "c",
                        "strides",
                        a -> a.setInts(0, 1L << 40),
                        "has strides = 1099511627776, which is outside 32 bits"),
                node(
                        "m",
                        n ->
                                n.addAttributeBuilder()
                                        .setName("auto_pad")
                                        .setType(AttributeProto.AttributeType.STRING)
                                        .setS(ByteString.copyFromUtf8("SAME")),
                        "has auto_pad = SAME; NOTSET, VALID, SAME_UPPER and SAME_LOWER are understood"),
                node("m", n -> n.clearAttribute(), "has no attribute 'kernel_shape'"),
                node(
                        "d",
                        n ->
                                n.addAttributeBuilder()
                                        .setName("alpha")
                                        .setType(AttributeProto.AttributeType.FLOAT)
                                        .setF(0.5f),
                        "has alpha = 0.5; only 1 is understood"),
                attribute(
                        "j",
                        "axis",
                        a -> a.setI(2),
                        "joins along axis 2 of 4; only the channels, axis 1, are understood"),
                attribute(
                        "t/cast",
                        "to",
                        a -> a.setI(DataType.FLOAT_VALUE),
                        "makes type 1 of 'c'; only uint8 codes can be made indices, of int32 or"
                                + " int64"),
                constant(
                        "r/shape",
                        t -> t.setRawData(longs(5, 16)),
                        "reshapes to a shape of 2 sizes that does not keep the batch"),
                constant(
                        "r/shape",
                        t -> t.setRawData(longs(0, 17)),
                        "reshapes [4x2x2] to a shape with the size 17"),
                constant(
                        "r/shape",
                        t -> t.setDims(0, 3).setRawData(longs(0, 3, -1)),
                        "reshapes [4x2x2], whose elements cannot be shared by 3"));
    }

    static Stream<Refusal> quantization() {
        return Stream.of(
                metadata(
                        "dl4jquant.range.j",
                        "0 15",
                        "node 'j/quantize' (QuantizeLinear) makes the codes 0 to 255 of 'j', which"
                                + " are said to be 0 to 15"),
                node(
                        "m/dequantize_c",
                        n -> n.setInput(1, "c/bias_scale"),
                        "initializer 'c/bias_scale' has 2 values where one is needed"),
                node(
                        "c/dequantize_q",
                        n -> n.setInput(2, "c/zero_point"),
                        "has scale 1.0 and zero point -128, but 'q' has scale 1.0 and zero point 0;"
                                + " they must be equal"),
                new Refusal(
                        m -> m.getGraphBuilder().clearQuantizationAnnotation(),
                        "node 't' (Reshape) makes codes of unknown scale; a quantization annotation"
                                + " must name it"),
                new Refusal(
                        m ->
                                m.getGraphBuilder()
                                        .getQuantizationAnnotationBuilder(0)
                                        .getQuantParameterTensorNamesBuilder(0)
                                        .setKey("SCALE"),
                        "it must name SCALE_TENSOR and ZERO_POINT_TENSOR"),
                constant(
                        "q/zero_point",
                        t -> t.addDims(2).setRawData(ByteString.copyFrom(new byte[2])),
                        "zero point 'q/zero_point' has 2 values where one is needed"),
                foreign(
                        new QdqModel()
                                .metadata("dl4jquant.range.q", "0 15")
                                .input("x", 2)
                                .params("q", 1, true, 0)
                                .quantize("q", "x"),
                        "'q' is int8, but its codes are said to be 0 to 15"),
                foreign(
                        input().code("low", false, 3)
                                .code("high", false, 9)
                                .quantize("q", "x")
                                .node("Clip", "k", "q", "low", "high"),
                        "is clipped to the codes 3 to 9; it must be 0 to 255"),
                foreign(clipped(5, 1), "clamps to 5.0 to 1.0"));
    }

    private static QdqModel biased() {
        return input().quantized("q", "x")
                .scalar("w.scale", 1)
                .weights("w", 1, List.of(1, 2), 2, 1)
                .scalar("b.scale", 1);
    }

    private static QdqModel input() {
        return new QdqModel().input("x", 2).params("q", 1, false, 0);
    }

    private static QdqModel clipped(float least, float most) {
        return input().quantized("q", "x")
                .params("y", 1, false, 0)
                .scalar("low", least)
                .scalar("high", most)
                .node("Add", "s", "q.f", "q.f")
                .node("Clip", "r", "s", "low", "high")
                .quantize("y", "r");
    }

    static Stream<Refusal> weights() {
        return Stream.of(
                node(
                        "c",
                        n -> n.setInput(1, "c/q_float"),
                        "takes its weights or bias from 'c/q_float'; they must be integer"
                                + " initializers after a DequantizeLinear"),
                constant(
                        "c/weight",
                        t -> t.clearDims().addDims(2),
                        "has weights of the dimensions [2]; a two-dimensional convolution has 4"),
                constant(
                        "v/weight",
                        t -> t.clearDims().addDims(2),
                        "has weights of the dimensions [2]; a two-dimensional convolution has 4"),
                constant(
                        "v/weight_zero_point",
                        t -> t.setRawData(ByteString.copyFrom(new byte[] {3})),
                        "has weights with another zero point than 128, in uint8"),
                node(
                        "v",
                        n -> n.setInput(2, "q/zero_point"),
                        "has another zero point or scale than 'c' was made with"),
                constant(
                        "c/weight_scale",
                        t -> t.setDims(0, 3).setRawData(floats(1, 1, 1)),
                        "has 3 scales for 2 output channels"),
                constant(
                        "c/bias",
                        t -> t.setDims(0, 3).setRawData(ByteString.copyFrom(new byte[12])),
                        "has 3 biases for 2 output channels"),
                constant(
                        "c/bias_scale",
                        t -> t.setRawData(floats(1, 2)),
                        "has a bias of scale 2.0 in channel 1; it must be input scale times weight"
                                + " scale, 1.0"),
                foreign(
                        biased().biasWithZeros("b", 3, 0, 7)
                                .node("Gemm", "g", "q.f", "w.f", "b.f")
                                .params("y", 1, false, 0)
                                .quantize("y", "g"),
                        "makes a bias with zero point 3; only zero point 0 is understood for them"),
                foreign(
                        biased().biasWithZeros("b", 0, 2, 7)
                                .node("Gemm", "g", "q.f", "w.f", "b.f")
                                .params("y", 1, false, 0)
                                .quantize("y", "g"),
                        "has 1 scales and 2 zero points; there must be one for each"),
                constant(
                        "q/scale",
                        t -> t.addDims(1).addDims(1),
                        "initializer 'q/scale' has the dimensions [1, 1]; it must have one or none"),
                constant(
                        "c/weight_scale",
                        t -> t.addDims(1),
                        "initializer 'c/weight_scale' has the dimensions [2, 1]; it must have one"),
                constant(
                        "r/shape",
                        t -> t.addDims(1),
                        "initializer 'r/shape' has the dimensions [2, 1]; it must have one or none"),
                constant(
                        "c/bias",
                        t -> t.addDims(1),
                        "has a bias of the dimensions [2, 1]; it must have one dimension"),
                constant(
                        "v/bias",
                        t -> t.clearDims().addDims(1),
                        "is followed by 'v/bias' of the dimensions [1]; one value per channel is"
                                + " [1, 1, 1]"),
                constant(
                        "t/table",
                        t -> t.setDims(0, 255).setRawData(ByteString.copyFrom(new byte[255])),
                        "has a table of 255 entries; a table of codes has 256"));
    }

    static Stream<Refusal> constants() {
        return Stream.of(
                constant(
                        "c/weight",
                        t -> t.setDataType(DataType.UINT8_VALUE),
                        "has 2 scales, and 2 zero points 'c/weight_zero_point' for codes 'c/weight'; there"
                                + " must be one for each scale, of the codes' type"),
                constant(
                        "c/weight",
                        t -> t.setDataLocation(TensorProto.DataLocation.EXTERNAL),
                        "initializer 'c/weight' lies in another file; save the model with its data"
                                + " inside"),
                constant(
                        "c/weight",
                        t -> t.setName("c/weight_scale"),
                        "two initializers are named 'c/weight_scale'"),
                node(
                        "c/quantize",
                        n -> n.setInput(1, "x"),
                        "'x' is computed or missing; it must be an initializer"),
                foreign(
                        biased().biasWithZeros("b", 3, 0, 7)
                                .node("Gemm", "g", "q.f", "w.f", "b.f")
                                .params("y", 1, false, 0)
                                .quantize("y", "g"),
                        "makes a bias with zero point 3; only zero point 0 is understood for them"),
                foreign(
                        biased().biasWithZeros("b", 0, 2, 7)
                                .node("Gemm", "g", "q.f", "w.f", "b.f")
                                .params("y", 1, false, 0)
                                .quantize("y", "g"),
                        "has 1 scales and 2 zero points; there must be one for each"),
                constant(
                        "q/scale",
                        t -> t.addDims(1).addDims(1),
                        "initializer 'q/scale' has the dimensions [1, 1]; it must have one or none"),
                constant(
                        "c/weight_scale",
                        t -> t.addDims(1),
                        "initializer 'c/weight_scale' has the dimensions [2, 1]; it must have one"),
                constant(
                        "r/shape",
                        t -> t.addDims(1),
                        "initializer 'r/shape' has the dimensions [2, 1]; it must have one or none"),
                constant(
                        "c/bias",
                        t -> t.addDims(1),
                        "has a bias of the dimensions [2, 1]; it must have one dimension"),
                constant(
                        "v/bias",
                        t -> t.clearDims().addDims(1),
                        "is followed by 'v/bias' of the dimensions [1]; one value per channel is"
                                + " [1, 1, 1]"),
                constant(
                        "t/table",
                        t -> t.setDims(0, 255),
                        "initializer 't/table' of the dimensions [255] has 256 bytes and 0 values:"
                                + " the file is damaged"),
                constant(
                        "c/weight",
                        t -> t.setDims(0, 1L << 30),
                        "initializer 'c/weight' is said to have the dimensions [1073741824, 1, 1,"
                                + " 1], but has "),
                constant(
                        "c/weight",
                        t -> t.setDims(0, -1),
                        "is said to have the dimensions [-1, 1, 1, 1]"));
    }

    private static Refusal metadata(String key, String value, String message) {
        return new Refusal(m -> m.addMetadataProps(GraphProtoBuilder.entry(key, value)), message);
    }

    private static Refusal node(String name, Consumer<NodeProto.Builder> change, String message) {
        return new Refusal(m -> change.accept(find(m, name)), message);
    }

    private static Refusal attribute(
            String node, String name, Consumer<AttributeProto.Builder> change, String message) {
        return node(
                node,
                n ->
                        change.accept(
                                n.getAttributeBuilderList().stream()
                                        .filter(a -> a.getName().equals(name))
                                        .findFirst()
                                        .orElseThrow()),
                message);
    }

    private static Refusal constant(
            String name, Consumer<TensorProto.Builder> change, String message) {
        return new Refusal(
                m ->
                        change.accept(
                                m.getGraphBuilder().getInitializerBuilderList().stream()
                                        .filter(t -> t.getName().equals(name))
                                        .findFirst()
                                        .orElseThrow()),
                message);
    }

    private static Refusal foreign(QdqModel model, String message) {
        return new Refusal(
                m -> {
                    try {
                        m.clear().mergeFrom(model.bytes());
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                message);
    }

    private static NodeProto.Builder find(ModelProto.Builder model, String name) {
        List<NodeProto.Builder> found = new ArrayList<>();
        for (NodeProto.Builder node : model.getGraphBuilder().getNodeBuilderList()) {
            if (node.getName().equals(name)) {
                found.add(node);
            }
        }
        return found.get(0);
    }

    private static ByteString longs(long... values) {
        GraphProtoBuilder graph = new GraphProtoBuilder(List.of());
        graph.longs("values", values);
        return graph.build().getInitializer(0).getRawData();
    }

    private static ByteString floats(float... values) {
        GraphProtoBuilder graph = new GraphProtoBuilder(List.of());
        graph.floats("values", values, values.length);
        return graph.build().getInitializer(0).getRawData();
    }
}
