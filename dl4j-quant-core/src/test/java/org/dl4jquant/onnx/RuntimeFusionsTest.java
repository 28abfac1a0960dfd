// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whether ONNX Runtime runs foreign forms as the reading says, on values that lie on ties. The
 * oracles are ONNX Runtime's answers, and the graph that it saves after its optimizations.
 */
class RuntimeFusionsTest {

    private static final int MODELS = 100;
    private static final int MANY_MODELS = 10_000;
    private static final int EXAMPLES = 24;

    /** The hard cases of its optimizer: two clamps, vectors of one scale, weights read twice. */
    private static final Set<String> NOT_LOADED =
            Set.of(
                    "two nodes with same node name",
                    "Scale and Zero-point must be a scalar",
                    "Attempt to replace the existing tensor");

    private static final Set<String> INTEGER_OPERATORS =
            Set.of(
                    "QLinearConv",
                    "QGemm",
                    "QLinearMatMul",
                    "MatMulIntegerToFloat",
                    "QLinearAdd",
                    "QLinearAveragePool",
                    "QLinearGlobalAveragePool",
                    "QLinearConcat");

    /** Cases that the models of some seeds showed. */
    private static final class Tally {
        int read;
        int notLoaded;
        int exactNodes;
        int deviations;
        int differingOutputs;
    }

    @Test
    void computesOnTheFileItselfWhatTheReadingSaysIsInIntegers() throws Exception {
        Tally tally = compare(0, MODELS);
        assertTrue(tally.read > MODELS * 3 / 4, tally.read + " models read");
        assertTrue(tally.notLoaded < MODELS / 6, tally.notLoaded + " models not loaded");
        assertTrue(tally.exactNodes > MODELS / 3, tally.exactNodes + " nodes in integers");
        assertTrue(tally.deviations > MODELS / 3, tally.deviations + " nodes said to deviate");
        assertTrue(
                tally.differingOutputs > MODELS / 10,
                tally.differingOutputs + " outputs do; the values must be hard enough for that");
    }

    @Test
    @Tag("thorough")
    void computesOnManyFilesWhatTheReadingSaysIsInIntegers() throws Exception {
        Tally tally = compare(MODELS, MANY_MODELS);
        assertTrue(tally.read > MANY_MODELS * 3 / 4, tally.read + " models read");
    }

    private static Tally compare(long first, int models) throws OrtException, IOException {
        Tally tally = new Tally();
        for (long seed = first; seed < first + models; seed++) {
            DecimalModel model = DecimalModel.of(seed);
            OnnxReading reading;
            try {
                reading = OnnxReader.inspect(model.bytes(), "seed " + seed);
            } catch (IllegalArgumentException refused) {
                assertTrue(
                        refused.getMessage().contains("is clamped to less than two codes"),
                        refused.getMessage());
                continue;
            }
            tally.read++;
            try {
                compare(seed, model, reading, tally);
                compareWithTheOptimizedGraph(seed, model.bytes(), reading, tally);
            } catch (OrtException e) {
                assertTrue(NOT_LOADED.stream().anyMatch(e.getMessage()::contains), e.toString());
                tally.notLoaded++;
            }
        }
        return tally;
    }

    private static void compare(long seed, DecimalModel model, OnnxReading reading, Tally tally)
            throws OrtException {
        Batch.Floats input = ties(seed, model.inputScale());
        IntGraph graph = reading.graph();
        Map<String, Batch> expected = reference(graph, input);
        byte[] rewritten = OnnxWriter.toBytes(graph);
        RuntimeRun.of(rewritten, graph, Map.of("x", input))
                .forEach(
                        (output, batch) ->
                                assertTrue(
                                        RuntimeRun.equal(expected.get(output), batch),
                                        "seed " + seed + " rewritten, output " + output));
        Map<String, Batch> found = RuntimeRun.of(model.bytes(), graph, Map.of("x", input));
        for (String output : graph.outputs()) {
            boolean equal = RuntimeRun.equal(expected.get(output), found.get(output));
            if (reading.outputsThatMayDiffer().contains(output)) {
                tally.differingOutputs += equal ? 0 : 1;
            } else {
                assertTrue(equal, "output " + output + " of seed " + seed + "\n" + reading.text());
            }
        }
    }

    private static Map<String, Batch> reference(IntGraph graph, Batch.Floats input) {
        try (Engine reference = Engine.open("reference", graph)) {
            return reference.run(Map.of("x", input));
        }
    }

    /** Values on the codes of the input and in the middle between two. */
    private static Batch.Floats ties(long seed, double scale) {
        Random random = new Random(seed);
        float[] values = new float[EXAMPLES * 32];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((random.nextInt(640) - 320) / 2.0 * scale);
        }
        return Batch.Floats.of(EXAMPLES, Shape.of(2, 4, 4), values);
    }

    /* A fused operator keeps the name of the operator that it replaces. */
    private static void compareWithTheOptimizedGraph(
            long seed, byte[] bytes, OnnxReading reading, Tally tally)
            throws OrtException, IOException {
        Map<String, String> optimized = new HashMap<>();
        for (NodeProto node : RuntimeRun.optimized(bytes, OptLevel.EXTENDED_OPT)) {
            optimized.put(node.getName().replace("/MatMulAddFusion", ""), node.getOpType());
        }
        Map<String, NodeProto> makers =
                ModelProto.parseFrom(bytes).getGraph().getNodeList().stream()
                        .collect(Collectors.toMap(node -> node.getOutput(0), node -> node));
        Set<String> deviating =
                reading.deviations().stream().map(OnnxDeviation::node).collect(Collectors.toSet());
        tally.deviations += deviating.size();
        for (IntNode node : reading.graph().nodes()) {
            if (!computes(node) || deviating.contains(node.name())) {
                continue;
            }
            NodeProto operator = operator(makers, node.name());
            String found = optimized.get(operator.getName());
            assertTrue(
                    found != null && INTEGER_OPERATORS.contains(found),
                    () -> "seed " + seed + ": " + node.name() + " is computed by " + found);
            tally.exactNodes++;
        }
    }

    private static boolean computes(IntNode node) {
        return !(node instanceof Input
                || node instanceof Quantize
                || node instanceof Dequantize
                || node instanceof MaxPool
                || node instanceof Reshape);
    }

    /** An int8 or uint8 image 'q' of two channels, with nothing after it yet. */
    private static QdqModel image(boolean signed) {
        return new QdqModel()
                .input("x", 2, 4, 4)
                .params("q", 0.1, signed, 0)
                .quantized("q", "x")
                .floats("w.scale", 0.05f, 0.1f)
                .weightsWithZeros(
                        "w", 0, 2, new Random(4).ints(36, -40, 41).boxed().toList(), 2, 2, 3, 3)
                .node("Conv", "c", "q.f", "w.f");
    }

    private static List<OnnxDeviation> deviations(QdqModel model) {
        return OnnxReader.inspect(model.bytes(), "model").deviations();
    }

    private static void assertDeviates(String reason, QdqModel model) {
        List<OnnxDeviation> found = deviations(model);
        assertEquals(1, found.size(), found.toString());
        assertEquals("y", found.get(0).node());
        assertTrue(found.get(0).reason().contains(reason), found.toString());
    }

    @Test
    void saysThatAClampStaysThatTheCodesDoNotImply() {
        String reason = "a Relu or Clip after it clamps to ";
        assertDeviates(
                reason + "0.0 to Infinity, inside the -6.4 to 6.35 that its codes can hold",
                image(true)
                        .node("Relu", "r", "c")
                        .params("y", 0.05, true, 0)
                        .quantized("y", "r")
                        .output("y.f", DataType.FLOAT, 2, 2, 2));
        assertDeviates(
                reason + "0.0 to Infinity, inside the -1.0 to 11.75",
                image(false)
                        .node("Relu", "r", "c")
                        .params("y", 0.05, false, 20)
                        .quantize("y", "r")
                        .output("y", DataType.UINT8, 2, 2, 2));
        QdqModel clip = image(false).scalar("low", 0).scalar("high", 6);
        clip.node("Clip", "r", "c", "low", "high");
        assertDeviates(
                reason + "0.0 to 6.0, inside the 0.0 to 12.75",
                clip.params("y", 0.05, false, 0)
                        .quantize("y", "r")
                        .output("y", DataType.UINT8, 2, 2, 2));
    }

    @Test
    void saysThatInt8CodesThatLeaveTheGraphAreNotComputedAsUint8() {
        String reason = "the codes [y] stay int8 in ONNX Runtime";
        assertDeviates(
                reason,
                image(true)
                        .params("y", 0.05, true, 0)
                        .quantize("y", "c")
                        .output("y", DataType.INT8, 2, 2, 2));
        QdqModel pool =
                new QdqModel()
                        .input("x", 2, 4, 4)
                        .params("q", 0.1, true, 0)
                        .quantized("q", "x")
                        .node(
                                "AveragePool",
                                "p",
                                List.of(GraphProtoBuilder.attribute("kernel_shape", 2, 2)),
                                "q.f")
                        .params("y", 0.05, true, 0)
                        .quantize("y", "p")
                        .output("y", DataType.INT8, 2, 3, 3);
        assertDeviates(reason, pool);
        QdqModel sum =
                new QdqModel()
                        .input("x", 2, 4, 4)
                        .params("q", 0.1, true, 0)
                        .quantized("q", "x")
                        .node("Add", "s", "q.f", "q.f")
                        .params("y", 0.05, true, 0)
                        .quantize("y", "s")
                        .output("y", DataType.INT8, 2, 4, 4);
        assertDeviates("the codes [q, y] stay int8", sum);
    }

    @Test
    void saysThatAGemmWhoseWeightsHaveNoZeroPointIsComputedInFloat() {
        for (boolean zeros : new boolean[] {false, true}) {
            QdqModel model =
                    new QdqModel()
                            .input("x", 2)
                            .params("q", 0.1, false, 0)
                            .quantized("q", "x")
                            .scalar("w.scale", 0.05f);
            if (zeros) {
                model.weightsWithZeros("w", 1, 0, List.of(1, 2, 3, 4), 2, 2);
            } else {
                model.weights("w", 1, List.of(1, 2, 3, 4), 2, 2);
            }
            model.node("Gemm", "g", "q.f", "w.f")
                    .params("y", 0.05, false, 0)
                    .quantize("y", "g")
                    .output("y", DataType.UINT8, 2);
            if (zeros) {
                assertEquals(List.of(), deviations(model));
            } else {
                assertDeviates("of its weights or codes has no zero point", model);
            }
        }
    }

    @Test
    void saysThatScalesInVectorsAreNotFused() {
        assertDeviates(
                "the codes [y] have a scale or zero point that is a vector of one value",
                image(false)
                        .vectorParams("y", 0.05, false, 0, true)
                        .quantize("y", "c")
                        .output("y", DataType.UINT8, 2, 2, 2));
    }

    @Test
    void saysThatConstantsThatAreInputsAreNotConstantForOnnxRuntime() {
        QdqModel model =
                image(false)
                        .params("y", 0.05, false, 0)
                        .quantize("y", "c")
                        .output("y", DataType.UINT8, 2, 2, 2);
        assertEquals(List.of(), deviations(model));
        assertDeviates("initializers of the file are inputs as well", model.input("w.zero", 2));
    }

    @Test
    void saysNothingOfWhatRunsInIntegers() {
        QdqModel model =
                image(true)
                        .node("Relu", "r", "c")
                        .params("y", 0.05, true, -128)
                        .quantized("y", "r")
                        .output("y.f", DataType.FLOAT, 2, 2, 2);
        OnnxReading reading = OnnxReader.inspect(model.bytes(), "model");
        assertEquals(List.of(), reading.deviations());
        assertEquals(List.of(), reading.outputsThatMayDiffer());
        assertEquals(
                "ONNX Runtime computes every code of this file in integers, as the graph says",
                reading.text());
    }

    @Test
    void namesTheOutputsAfterADeviationAndHowToCompare() {
        QdqModel model =
                image(false)
                        .params("a", 0.05, false, 0)
                        .quantized("a", "c")
                        .node("Conv", "d", "q.f", "w.f")
                        .node("Relu", "e", "d")
                        .params("y", 0.05, false, 20)
                        .quantized("y", "e")
                        .output("y.f", DataType.FLOAT, 2, 2, 2)
                        .output("a.f", DataType.FLOAT, 2, 2, 2);
        OnnxReading reading = OnnxReader.inspect(model.bytes(), "model");
        assertEquals(List.of("y.f"), reading.outputsThatMayDiffer());
        String text = reading.text();
        assertTrue(text.contains("node 'y' (Conv 'd#'): a Relu or Clip"), text);
        assertTrue(text.contains("write the graph with OnnxWriter"), text);
        assertTrue(text.endsWith("outputs that may differ here: [y.f]"), text);
    }

    /** The documentation of the levels holds: below EXTENDED, nothing is fused. */
    @Test
    void computesQdqFormsInFloatBelowTheLevelExtended() throws Exception {
        IntGraph graph = RandomGraph.of(3).graph();
        byte[] bytes = OnnxWriter.toBytes(graph);
        for (OptLevel level : new OptLevel[] {OptLevel.NO_OPT, OptLevel.BASIC_OPT}) {
            assertTrue(
                    RuntimeRun.optimized(bytes, level).stream()
                            .noneMatch(node -> INTEGER_OPERATORS.contains(node.getOpType())));
        }
        assertTrue(
                RuntimeRun.optimized(bytes, OptLevel.EXTENDED_OPT).stream()
                        .anyMatch(node -> INTEGER_OPERATORS.contains(node.getOpType())));
    }

    /** The operator before quantize nodes, clamps and the addition of a bias. */
    private static NodeProto operator(Map<String, NodeProto> makers, String result) {
        NodeProto maker = makers.get(result);
        boolean bias =
                maker.getOpType().equals("Add")
                        && makers.get(maker.getInput(0)).getOpType().equals("MatMul");
        return bias || List.of("QuantizeLinear", "Relu", "Clip").contains(maker.getOpType())
                ? operator(makers, maker.getInput(0))
                : maker;
    }
}
