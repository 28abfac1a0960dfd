// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.dl4jquant.engine.SmallGraphs.int8;
import static org.dl4jquant.engine.SmallGraphs.uint8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

/** Models in the forms that other exporters write. */
class ForeignOnnxTest {

    private static final Output.Codes UNITS = Output.Codes.of(uint8(1));

    private static WeightTensor weights(Shape shape, float[] scales, int[] bias, int... codes) {
        byte[] bytes = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            bytes[i] = (byte) codes[i];
        }
        return WeightTensor.of(shape, CodeRange.narrow(8), bytes, scales, bias);
    }

    private static IntGraph graph(Shape input, QuantParams params, IntNode... nodes) {
        return SmallGraphs.graph(input, params, nodes);
    }

    @Test
    void readsAReluBeforeInt8CodesAsBoundsAndOneWeightScaleForAllChannels() {
        byte[] model =
                new QdqModel()
                        .input("x", 1, 2, 2)
                        .params("q", 0.5, true, 0)
                        .quantized("q", "x")
                        .floats("w.scale", 0.25f)
                        .weights("w", 0, List.of(1, -2), 2, 1, 1, 1)
                        .node("Conv", "c", "q.f", "w.f")
                        .node("Relu", "r", "c")
                        .params("y", 2, true, -3)
                        .quantize("y", "r")
                        .output("y", DataType.INT8, 2, 2, 2)
                        .bytes();
        QuantParams params = new QuantParams(2f, -3, CodeRange.signed(8));
        IntNode conv =
                new Convolution(
                        "y",
                        "q",
                        weights(
                                Shape.of(2, 1, 1, 1),
                                new float[] {0.25f, 0.25f},
                                new int[2],
                                1,
                                -2),
                        Window.of(Extent.ONE, Extent.ONE),
                        1,
                        new Output.Codes(params, new CodeRange(-3, 127)));
        assertEquals(
                graph(Shape.of(1, 2, 2), int8(0.5), conv), OnnxReader.fromBytes(model, "relu"));
    }

    @Test
    void readsAClipOfValuesAsBounds() {
        byte[] model =
                new QdqModel()
                        .input("x", 2)
                        .params("q", 1, false, 0)
                        .quantized("q", "x")
                        .floats("w.scale", 0.5f)
                        .weights("w", 0, List.of(1, 2), 1, 2)
                        .floats("b.scale", 0.5f)
                        .bias("b", 7)
                        .node(
                                "Gemm",
                                "g",
                                List.of(GraphProtoBuilder.attribute("transB", 1)),
                                "q.f",
                                "w.f",
                                "b.f")
                        .scalar("zero", 0)
                        .scalar("six", 6)
                        .node("Clip", "r", "g", "zero", "six")
                        .params("y", 0.1, false, 10)
                        .quantize("y", "r")
                        .output("y", DataType.UINT8, 1)
                        .bytes();
        QuantParams params = new QuantParams(0.1f, 10, CodeRange.unsigned(8));
        IntNode dense =
                new Dense(
                        "y",
                        "q",
                        weights(Shape.of(1, 2), new float[] {0.5f}, new int[] {7}, 1, 2),
                        new Output.Codes(params, new CodeRange(10, 70)));
        assertEquals(graph(Shape.of(2), uint8(1), dense), OnnxReader.fromBytes(model, "clip"));
    }

    @Test
    void readsMatricesOfEitherOrderAndABiasAddedBehind() {
        QdqModel model =
                new QdqModel()
                        .input("x", 2)
                        .params("q", 1, false, 0)
                        .quantized("q", "x")
                        .floats("w.scale", 0.5f, 0.25f, 0.125f)
                        .weights("w", 1, List.of(1, 2, 3, 4, 5, 6), 2, 3)
                        .floats("b.scale", 0.5f, 0.25f, 0.125f)
                        .bias("b", 7, 8, 9)
                        .node("Gemm", "gemm", "q.f", "w.f", "b.f")
                        .node("MatMul", "product", "q.f", "w.f")
                        .node("Add", "sum", "b.f", "product")
                        .params("y", 1, false, 0)
                        .quantize("y", "sum")
                        .node("MatMul", "plain", "q.f", "w.f");
        model.output("gemm", DataType.FLOAT, 3)
                .output("y", DataType.UINT8, 3)
                .output("plain", DataType.FLOAT, 3);
        float[] scales = {0.5f, 0.25f, 0.125f};
        WeightTensor biased =
                weights(Shape.of(3, 2), scales, new int[] {7, 8, 9}, 1, 4, 2, 5, 3, 6);
        WeightTensor unbiased = weights(Shape.of(3, 2), scales, new int[3], 1, 4, 2, 5, 3, 6);
        IntGraph expected =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(2)),
                                new Quantize("q", "x", uint8(1)),
                                new Dense("gemm", "q", biased, new Output.Floats()),
                                new Dense("y", "q", biased, UNITS),
                                new Dense("plain", "q", unbiased, new Output.Floats())),
                        List.of("gemm", "y", "plain"));
        assertEquals(expected, OnnxReader.fromBytes(model.bytes(), "matrices"));
    }

    @Test
    void readsShapesThatAreInferredOrFlattened() {
        byte[] model =
                new QdqModel()
                        .input("x", 2, 3, 4)
                        .params("q", 1, false, 0)
                        .longs("inferred", 0, -1, 2)
                        .longs("batch", -1, 4, 6)
                        .longs("kept", 0, 0, 6)
                        .node("Reshape", "first", "x", "inferred")
                        .quantized("q", "first")
                        .node("Flatten", "flat", "q.f")
                        .params("f", 1, false, 0)
                        .quantized("f", "flat")
                        .node("Reshape", "second", "f.f", "batch")
                        .node("Reshape", "third", "second", "kept")
                        .output("third", DataType.FLOAT, 4, 6)
                        .bytes();
        IntGraph expected =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(2, 3, 4)),
                                new Reshape("first", "x", Shape.of(12, 2)),
                                new Quantize("q", "first", uint8(1)),
                                new Reshape("f", "q", Shape.of(24)),
                                new Dequantize("f.f", "f"),
                                new Reshape("second", "f.f", Shape.of(4, 6)),
                                new Reshape("third", "second", Shape.of(4, 6))),
                        List.of("third"));
        assertEquals(expected, OnnxReader.fromBytes(model, "shapes"));
    }

    /**
     * An int8 model with shared dequantize nodes and a branch: what it means is what it computes.
     */
    @Test
    void computesAnInt8ModelAsOnnxRuntimeDoes() throws OrtException {
        QdqModel model = residual();
        byte[] bytes = model.bytes();
        IntGraph graph = OnnxReader.fromBytes(bytes, "residual");
        float[] values = new float[2 * 4 * 4];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 2;
        }
        Batch.Codes ours;
        try (Engine reference = Engine.open("reference", graph)) {
            Batch.Floats batch = Batch.Floats.of(1, Shape.of(2, 4, 4), values);
            ours = (Batch.Codes) reference.run(Map.of("x", batch)).get("y");
        }
        byte[] theirs = new byte[ours.containers().length];
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions settings =
                        OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT);
                OrtSession session = environment.createSession(bytes, settings);
                OnnxTensor tensor =
                        OnnxTensor.createTensor(
                                environment, FloatBuffer.wrap(values), new long[] {1, 2, 4, 4});
                OrtSession.Result result = session.run(Map.of("x", tensor))) {
            ByteBuffer codes = ((OnnxTensor) result.get(0)).getByteBuffer();
            codes.get(theirs);
        }
        assertArrayEquals(theirs, ours.containers());
        assertTrue(ours.code(0) != ours.code(5) || ours.code(1) != ours.code(6), "all alike");
    }

    private static QdqModel residual() {
        List<Integer> codes = new Random(2).ints(2 * 2 * 9, -60, 60).boxed().toList();
        return new QdqModel()
                .input("x", 2, 4, 4)
                .params("q", 0.03, true, 0)
                .quantized("q", "x")
                .floats("w.scale", 0.01f, 0.02f)
                .weights("w", 0, codes, 2, 2, 3, 3)
                .node(
                        "Conv",
                        "c",
                        List.of(GraphProtoBuilder.attribute("pads", 1, 1, 1, 1)),
                        "q.f",
                        "w.f")
                .params("r", 0.05, true, -128)
                .node("Relu", "c.r", "c")
                .quantized("r", "c.r")
                .node("Add", "s", "r.f", "q.f")
                .params("y", 0.07, true, -5)
                .quantize("y", "s")
                .output("y", DataType.INT8, 2, 4, 4);
    }
}
