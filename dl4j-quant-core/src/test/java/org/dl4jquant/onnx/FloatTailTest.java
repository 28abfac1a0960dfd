// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.ModelProto;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.ElementwiseFunction;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

/** Models with a float tail return the exact scores, and values near the engines'. */
class FloatTailTest {

    /** Relative, above 1: ONNX Runtime approximates exp and tanh in float32. */
    private static final float TOLERANCE = 1e-5f;

    private static final int EXAMPLES = 40;
    private static final int INPUTS = 6;
    private static final int RESULTS = 4;

    private static List<OutputFunction> functions() {
        List<OutputFunction> functions = new ArrayList<>();
        for (ElementwiseFunction fixed : ElementwiseFunction.Fixed.values()) {
            functions.add(new OutputFunction.Pointwise(fixed));
        }
        functions.add(new OutputFunction.Pointwise(new ElementwiseFunction.Elu(0.7)));
        functions.add(new OutputFunction.Pointwise(new ElementwiseFunction.ThresholdedRelu(0.3f)));
        functions.add(
                new OutputFunction.Pointwise(
                        new ElementwiseFunction.PiecewiseLinear(2, 0.5f, 0.25)));
        functions.add(new OutputFunction.Softmax(0));
        functions.add(new OutputFunction.Clamp(-0.5f, 2));
        functions.add(new OutputFunction.Slope(0, 0.3f));
        functions.add(new OutputFunction.Slope(0.25f, 0));
        return functions;
    }

    /* Values from about -4 to 4. */
    private static IntGraph graph(Map<String, List<OutputFunction>> functions) {
        Random random = new Random(4);
        byte[] codes = new byte[RESULTS * INPUTS];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(255) - 127);
        }
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", Shape.of(INPUTS)));
        graph.add(new Quantize("q", "x", new QuantParams(0.02f, 3, CodeRange.unsigned(8))));
        graph.add(
                new Dense(
                        "scores",
                        "q",
                        WeightTensor.of(
                                Shape.of(RESULTS, INPUTS),
                                CodeRange.narrow(8),
                                codes,
                                new float[] {0.005f, 0.004f, 0.006f, 0.003f},
                                new int[] {0, 100, -200, 3000}),
                        new Output.Floats()));
        return graph.build(List.of("scores"), functions);
    }

    private static float[] inputs() {
        Random random = new Random(5);
        float[] values = new float[EXAMPLES * INPUTS];
        for (int i = 0; i < values.length; i++) {
            values[i] = 5 * random.nextFloat();
        }
        return values;
    }

    @Test
    void theTailOfEveryFunctionIsNearAndTheScoresAreExact() throws OrtException {
        for (OutputFunction function : functions()) {
            requireNear(List.of(function));
        }
        requireNear(
                List.of(
                        new OutputFunction.Pointwise(ElementwiseFunction.Fixed.TANH),
                        new OutputFunction.Slope(0, 0.1f),
                        new OutputFunction.Softmax(0)));
    }

    private static void requireNear(List<OutputFunction> functions) throws OrtException {
        IntGraph graph = graph(Map.of("scores", functions));
        byte[] model = OnnxWriter.toBytes(graph, OnnxWriter.Results.SCORES_AND_VALUES);
        assertEquals(graph, OnnxReader.fromBytes(model, "written"));
        Map<String, Batch.Floats> inputs =
                Map.of("x", Batch.Floats.of(EXAMPLES, Shape.of(INPUTS), inputs()));
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (Engine engine = Engine.open("reference", graph);
                OrtSession.SessionOptions settings =
                        OnnxRuntimeSession.settings(OnnxRuntimeOptions.DEFAULT);
                OrtSession session = environment.createSession(model, settings);
                OnnxTensor x =
                        OnnxTensor.createTensor(
                                environment,
                                FloatBuffer.wrap(inputs()),
                                new long[] {EXAMPLES, INPUTS});
                OrtSession.Result results = session.run(Map.of("x", x))) {
            float[] scores = ((Batch.Floats) engine.trace(inputs).get("scores")).values();
            assertArrayEquals(scores, floats(results, "scores"));
            float[] values = ((Batch.Floats) engine.run(inputs).get("scores")).values();
            float[] tail = floats(results, "scores/value");
            for (int i = 0; i < values.length; i++) {
                float x0 = scores[i];
                assertEquals(
                        values[i],
                        tail[i],
                        TOLERANCE * Math.max(1, Math.abs(values[i])),
                        () -> functions + " at " + x0);
            }
        }
    }

    private static float[] floats(OrtSession.Result results, String name) throws OrtException {
        float[] values = new float[EXAMPLES * RESULTS];
        FloatBuffer buffer = ((OnnxTensor) results.get(name).orElseThrow()).getFloatBuffer();
        buffer.get(values);
        return values;
    }

    @Test
    void everyFixedFunctionIsTried() {
        assertTrue(functions().size() >= ElementwiseFunction.Fixed.values().length + 7);
    }

    @Test
    void withoutRequestTheModelReturnsScoresAndNamesTheFunction() throws Exception {
        IntGraph graph = graph(Map.of("scores", List.of(new OutputFunction.Softmax(0))));
        ModelProto model = ModelProto.parseFrom(OnnxWriter.toBytes(graph));
        assertEquals(1, model.getGraph().getOutputCount());
        assertTrue(
                model.getMetadataPropsList().stream()
                        .anyMatch(
                                entry ->
                                        entry.getKey().equals("dl4jquant.function.scores")
                                                && entry.getValue().equals("softmax 0")));
        assertEquals(graph, OnnxReader.fromBytes(model.toByteArray(), "written"));
    }

    @Test
    void refusesAFunctionThatIsUnknownByName() throws Exception {
        IntGraph graph = graph(Map.of("scores", List.of(new OutputFunction.Softmax(0))));
        ModelProto.Builder model = ModelProto.parseFrom(OnnxWriter.toBytes(graph)).toBuilder();
        model.clearMetadataProps();
        model.addMetadataProps(GraphProtoBuilder.entry("dl4jquant.function.scores", "maxout 3"));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(model.build().toByteArray(), "edited"))
                        .getMessage();
        assertEquals(
                "ONNX model 'edited': 'maxout 3' is no function of results that this version knows;"
                        + " write the file again, or use the version that wrote it",
                message);
    }
}
