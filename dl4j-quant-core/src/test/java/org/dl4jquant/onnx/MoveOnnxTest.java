// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/** Codes that move, as ONNX operators; random graphs have them, too. */
class MoveOnnxTest {

    private static final Shape IMAGE = Shape.of(4, 6, 8);
    private static final QuantParams UNSIGNED = new QuantParams(0.5f, 9, CodeRange.unsigned(8));
    private static final QuantParams SIGNED = new QuantParams(0.5f, -3, CodeRange.signed(8));

    private static IntGraph moved(IndexMap map) {
        return IntGraph.of(
                List.of(
                        new Input("x", IMAGE),
                        new Quantize("q", "x", SIGNED),
                        new Move("y", "q", map)),
                List.of("y"));
    }

    private static List<String> operators(IndexMap map) throws InvalidProtocolBufferException {
        IntGraph graph = moved(map);
        byte[] bytes = OnnxWriter.toBytes(graph);
        assertEquals(graph, OnnxReader.fromBytes(bytes, "moved"));
        return ModelProto.parseFrom(bytes).getGraph().getNodeList().stream()
                .map(NodeProto::getOpType)
                .skip(1) // the quantize node
                .toList();
    }

    @Test
    void writesTheFewestOperatorsForEachKind() throws InvalidProtocolBufferException {
        assertEquals(List.of("Pad"), operators(IndexMap.pad(IMAGE, 1, 1, 2)));
        assertEquals(List.of("Slice"), operators(IndexMap.crop(IMAGE, 2, 1, 2)));
        assertEquals(List.of("Resize"), operators(IndexMap.repeat(IMAGE, 2, 2)));
        assertEquals(
                List.of("Resize"),
                operators(
                        IndexMap.repeat(IMAGE, 1, 2)
                                .then(IndexMap.repeat(Shape.of(4, 12, 8), 2, 3))
                                .orElseThrow()));
        assertEquals(List.of("Transpose"), operators(IndexMap.permute(IMAGE, List.of(1, 2, 0))));
        assertEquals(
                List.of("Reshape", "Transpose", "Reshape"),
                operators(IndexMap.spaceToDepth(IMAGE, 2)));
        assertEquals(
                List.of("Slice", "Pad"),
                operators(IndexMap.select(IMAGE, 2, AxisIndices.of(-1, 3, 4, -1))));
        assertEquals(
                List.of("Pad", "Gather"),
                operators(IndexMap.select(IMAGE, 2, AxisIndices.of(5, -1, 2))));
        assertEquals(
                List.of("Pad", "Gather"), operators(IndexMap.select(IMAGE, 0, AxisIndices.of(-1))));
    }

    /* Around a convolution, where the runtime moves transpositions about. */
    private static IntGraph network() {
        byte[] codes = new byte[8 * 4 * 9];
        Random random = new Random(5);
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(255) - 127);
        }
        float[] scales = new float[8];
        Arrays.fill(scales, 0.02f);
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(8, 4, 3, 3), CodeRange.narrow(8), codes, scales, new int[8]);
        IndexMap rows = IndexMap.pad(IMAGE, 1, 1, 1);
        IndexMap pad = rows.then(IndexMap.pad(rows.shape(), 2, 1, 1)).orElseThrow();
        Window window = Window.of(Extent.square(3), Extent.ONE);
        IntNode convolution =
                new Convolution("conv", "pad", weights, window, 1, Output.Codes.of(SIGNED));
        return IntGraph.of(
                List.of(
                        new Input("x", IMAGE),
                        new Quantize("q", "x", UNSIGNED),
                        new Move("pad", "q", pad),
                        convolution,
                        new Move("up", "conv", IndexMap.repeat(Shape.of(8, 6, 8), 1, 2)),
                        new Move("depth", "up", IndexMap.spaceToDepth(Shape.of(8, 12, 8), 2)),
                        new Move(
                                "turned",
                                "depth",
                                IndexMap.permute(Shape.of(32, 6, 4), List.of(0, 2, 1)))),
                List.of("turned"));
    }

    @ParameterizedTest
    @EnumSource(names = {"EXTENDED_OPT", "ALL_OPT"})
    void theRuntimeMovesTheSameCodes(OptLevel level) throws OrtException {
        float[] values = new float[2 * IMAGE.elements()];
        Random random = new Random(9);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(300) / 2f - 30;
        }
        requireEqual(network(), Map.of("x", Batch.Floats.of(2, IMAGE, values)), level);
        for (long seed = 0; seed < 60; seed++) {
            RandomGraph drawn = RandomGraph.of(seed);
            if (drawn.graph().nodes().stream().anyMatch(Move.class::isInstance)) {
                requireEqual(drawn.graph().scores(), drawn.inputs(2), level);
            }
        }
    }

    private static void requireEqual(
            IntGraph graph, Map<String, Batch.Floats> inputs, OptLevel level) throws OrtException {
        Map<String, Batch> found = RuntimeRun.of(OnnxWriter.toBytes(graph), graph, inputs, level);
        try (Engine reference = Engine.open("reference", graph)) {
            reference
                    .run(inputs)
                    .forEach(
                            (name, batch) ->
                                    assertTrue(RuntimeRun.equal(batch, found.get(name)), name));
        }
    }

    private static QdqModel foreign(boolean signed) {
        return new QdqModel()
                .input("x", 4, 6, 8)
                .params("q", 0.5, signed, 3)
                .params("y", 0.5, signed, 3)
                .longs("indices", -1, 0, 2)
                .longs("starts", -2, 7)
                .longs("ends", Long.MAX_VALUE, Long.MIN_VALUE)
                .longs("axes", -2, 3)
                .longs("steps", 1, -3)
                .longs("pads", 0, 0, 1, 0, 0, 0, 0, 2)
                .output("y", signed ? DataType.INT8 : DataType.UINT8, 4, 6, 8);
    }

    private static final List<AttributeProto> PERMUTED =
            List.of(GraphProtoBuilder.attribute("perm", 0, 2, 3, 1));

    private static void requireRead(IndexMap expected, byte[] bytes) throws OrtException {
        IntGraph graph = OnnxReader.fromBytes(bytes, "foreign");
        assertEquals(
                expected,
                ((Move) graph.nodes().get(graph.nodes().size() - 1)).map(),
                graph.nodes().toString());
        float[] values = new float[IMAGE.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 250 / 2f - 60;
        }
        Map<String, Batch.Floats> inputs = Map.of("x", Batch.Floats.of(1, IMAGE, values));
        try (Engine reference = Engine.open("reference", graph)) {
            Map<String, Batch> found = RuntimeRun.of(bytes, graph, inputs);
            assertTrue(RuntimeRun.equal(reference.run(inputs).get("y"), found.get("y")));
        }
    }

    /** Between a DequantizeLinear and a QuantizeLinear, as exporters write them. */
    @Test
    void readsOperatorsOverDequantizedCodes() throws OrtException {
        for (boolean signed : new boolean[] {false, true}) {
            requireRead(
                    IndexMap.permute(IMAGE, List.of(1, 2, 0)),
                    foreign(signed)
                            .quantized("q", "x")
                            .node("Transpose", "t", PERMUTED, "q.f")
                            .quantize("y", "t")
                            .bytes());
            requireRead(
                    IndexMap.select(IMAGE, 1, AxisIndices.of(5, 0, 2)),
                    foreign(signed)
                            .quantized("q", "x")
                            .node(
                                    "Gather",
                                    "g",
                                    List.of(GraphProtoBuilder.attribute("axis", 2)),
                                    "q.f",
                                    "indices")
                            .quantize("y", "g")
                            .bytes());
            requireRead(
                    new IndexMap(
                            IMAGE,
                            List.of(0, 1, 2),
                            List.of(
                                    AxisIndices.identity(4),
                                    AxisIndices.of(4, 5),
                                    AxisIndices.of(7, 4, 1)),
                            Shape.of(4, 2, 3)),
                    foreign(signed)
                            .quantized("q", "x")
                            .node("Slice", "s", "q.f", "starts", "ends", "axes", "steps")
                            .quantize("y", "s")
                            .bytes());
            requireRead(
                    IndexMap.pad(IMAGE, 1, 1, 0)
                            .then(IndexMap.pad(Shape.of(4, 7, 8), 2, 0, 2))
                            .orElseThrow(),
                    foreign(signed)
                            .quantized("q", "x")
                            .node("Pad", "p", "q.f", "pads")
                            .quantize("y", "p")
                            .bytes());
        }
    }

    /** Two that one map cannot say become two nodes. */
    @Test
    void readsOperatorsOverCodesAsFewNodes() {
        IntGraph graph =
                OnnxReader.fromBytes(
                        foreign(false)
                                .longs("flat", 0, 192)
                                .longs("more", 0, 5, 0, 0)
                                .quantize("q", "x")
                                .node("Transpose", "t", PERMUTED, "q")
                                .node("Reshape", "f", "t", "flat")
                                .node("Pad", "y", "f", "more", "q.zero")
                                .bytes(),
                        "foreign");
        assertEquals(
                List.of(
                        new Move(
                                "f",
                                "q",
                                IndexMap.permute(IMAGE, List.of(1, 2, 0)).reshaped(Shape.of(192))),
                        new Move("y", "f", IndexMap.pad(Shape.of(192), 0, 5, 0))),
                graph.nodes().subList(2, 4));
        IntGraph reshaped =
                OnnxReader.fromBytes(
                        foreign(false)
                                .longs("flat", 0, 192)
                                .quantize("q", "x")
                                .node("Reshape", "y", "q", "flat")
                                .bytes(),
                        "foreign");
        assertEquals(new Reshape("y", "q", Shape.of(192)), reshaped.nodes().get(2));
    }

    private static byte[] resized(List<AttributeProto> attributes, String name, String... inputs) {
        return foreign(false)
                .longs("sizes", 1, 4, 18, 16)
                .floats("factors", 1, 1, 3, 2)
                .quantized("q", "x")
                .node(name, "r", attributes, inputs)
                .quantize("y", "r")
                .bytes();
    }

    /** The conventions of exporters that give the same for whole factors. */
    @Test
    void readsWhatRepeatsElements() throws OrtException {
        IndexMap repeated =
                IndexMap.repeat(IMAGE, 1, 3)
                        .then(IndexMap.repeat(Shape.of(4, 18, 8), 2, 2))
                        .orElseThrow();
        for (List<AttributeProto> convention :
                List.of(
                        nearest("asymmetric", "floor"),
                        nearest("half_pixel", "round_prefer_floor"),
                        nearest("half_pixel", "round_prefer_ceil"))) {
            requireRead(repeated, resized(convention, "Resize", "q.f", "", "factors"));
        }
        byte[] sizes = resized(List.of(), "Resize", "q.f", "", "", "sizes");
        assertEquals(
                new Move("y", "q", repeated),
                OnnxReader.fromBytes(sizes, "foreign").nodes().get(2));
    }

    private static String refusal(QdqModel model) {
        byte[] bytes = model.bytes();
        return assertThrows(
                        IllegalArgumentException.class,
                        () -> OnnxReader.fromBytes(bytes, "foreign"))
                .getMessage();
    }

    private static QdqModel over(String operator, List<AttributeProto> attributes, String... more) {
        String[] inputs = new String[more.length + 1];
        inputs[0] = "q";
        System.arraycopy(more, 0, inputs, 1, more.length);
        return foreign(false)
                .longs("none", 5, 5)
                .longs("twice", 2, 2)
                .longs("one", 1)
                .longs("zero", 0)
                .longs("negative", 0, 0, -1, 0, 0, 0, 0, 0)
                .longs("huge", 0, 0, Integer.MAX_VALUE, 0, 0, 0, 0, 0)
                .longs("batch", 1, 0, 0, 0, 0, 0, 0, 0)
                .longs("beyond", 6)
                .floats("half", 1, 1, 1.5f, 1)
                .scalar("value", 1)
                .code("other", false, 4)
                .quantize("q", "x")
                .node(operator, "y", attributes, inputs);
    }

    private static List<AttributeProto> nearest(String coordinates, String rounding) {
        return List.of(
                GraphProtoBuilder.attribute("coordinate_transformation_mode", coordinates),
                GraphProtoBuilder.attribute("nearest_mode", rounding));
    }

    private static List<AttributeProto> axis(long axis) {
        return List.of(GraphProtoBuilder.attribute("axis", axis));
    }

    @Test
    void saysWhatItCannotRead() {
        List<AttributeProto> none = List.of();
        Map<String, QdqModel> refused =
                Map.ofEntries(
                        Map.entry(
                                "perm[0] is 1 and must be 0",
                                over(
                                        "Transpose",
                                        List.of(GraphProtoBuilder.attribute("perm", 1, 0, 2, 3)))),
                        Map.entry("has no attribute 'perm' of 4 numbers", over("Transpose", none)),
                        Map.entry(
                                "each must occur once",
                                over(
                                        "Transpose",
                                        List.of(GraphProtoBuilder.attribute("perm", 0, 1, 1, 3)))),
                        Map.entry(
                                "pads axis 2 by -1 and 0", over("Pad", none, "negative", "q.zero")),
                        Map.entry("pads axis 2 by 2147483647", over("Pad", none, "huge", "q.zero")),
                        Map.entry("and the batch none", over("Pad", none, "batch", "q.zero")),
                        Map.entry(
                                "pads with another value than 0, the zero point 3",
                                over("Pad", none, "pads", "other")),
                        Map.entry(
                                "has 1 starts, 2 ends, 2 axes and 1 steps",
                                over("Slice", none, "one", "none", "axes")),
                        Map.entry(
                                "slices 5 to 5 of an axis of 6, which leaves nothing",
                                over("Slice", none, "none", "none", "twice")),
                        Map.entry(
                                "takes the index 6 of an axis of 6",
                                over("Gather", axis(2), "beyond")),
                        Map.entry(
                                "resizes by [1.0, 1.0, 1.5, 1.0]",
                                over("Resize", nearest("asymmetric", "floor"), "", "half")),
                        Map.entry(
                                "has mode = linear; only nearest is understood",
                                over(
                                        "Resize",
                                        List.of(GraphProtoBuilder.attribute("mode", "linear")),
                                        "",
                                        "half")),
                        Map.entry(
                                "coordinate_transformation_mode = align_corners",
                                over("Resize", nearest("align_corners", "floor"), "", "half")),
                        Map.entry("moves along axis 0 of a batch", over("Gather", axis(0), "one")),
                        Map.entry("moves along axis 4 of a batch", over("Gather", axis(4), "one")));
        refused.forEach(
                (message, model) -> {
                    String found = refusal(model);
                    assertTrue(found.contains(message), () -> message + ": " + found);
                });
    }

    /** A file of few bytes cannot ask for gigabytes of indices. */
    @Test
    void boundsTheIndicesOfAFile() {
        QdqModel model = new QdqModel().input("x", 1).params("q", 1, false, 0).quantize("q", "x");
        model.longs("pads", 0, 1_000_000, 0, 0)
                .longs("ends", 1)
                .longs("starts", 0)
                .longs("axes", 1);
        String last = "q";
        for (int i = 0; i < 40; i++) {
            model.node("Pad", "p" + i, last, "pads", "q.zero");
            model.node("Slice", "s" + i, "p" + i, "starts", "ends", "axes");
            last = "s" + i;
        }
        model.output(last, DataType.UINT8, 1);
        String found = refusal(model);
        assertTrue(found.contains("at most 16777216 are understood"), found);
    }
}
