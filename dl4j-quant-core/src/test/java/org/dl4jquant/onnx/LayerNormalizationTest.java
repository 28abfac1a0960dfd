// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX's LayerNormalization between quantizers, as other tools write it. */
class LayerNormalizationTest {

    private static final int EXAMPLES = 8;

    private static QdqModel model(List<AttributeProto> attributes, float[] gains, float[] shifts) {
        return new QdqModel()
                .input("x", 3, 4)
                .params("q", 0.05, false, 90)
                .quantized("q", "x")
                .floats("gain", gains)
                .floats("shift", shifts)
                .node("LayerNormalization", "n", attributes, "q.f", "gain", "shift")
                .params("y", 0.04, true, -7)
                .quantize("y", "n")
                .output("y", DataType.INT8, 3, 4);
    }

    private static float[] numbers(Random random, int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    /** Near the formula in float64: half a code, and what float32 adds. */
    @ParameterizedTest
    @CsvSource({"-1, 4", "2, 4", "1, 12", "-2, 12"})
    void isReadAsTheNodeWhichEnginesComputeAlike(int axis, int length) {
        Random random = new Random(axis);
        float[] gains = numbers(random, length);
        float[] shifts = numbers(random, length);
        IntGraph graph =
                OnnxReader.fromBytes(
                        model(List.of(GraphProtoBuilder.attribute("axis", axis)), gains, shifts)
                                .bytes(),
                        "layer");
        assertTrue(graph.nodes().get(2) instanceof Normalize);
        float[] values = new float[EXAMPLES * 12];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.05f * (random.nextInt(256) - 90);
        }
        Map<String, Batch.Floats> inputs =
                Map.of("x", Batch.Floats.of(EXAMPLES, Shape.of(3, 4), values));
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            assertTrue(EqualityCheck.between(reference, runtime).over(inputs).equal());
            Batch.Codes codes = (Batch.Codes) reference.run(inputs).get("y");
            for (int i = 0; i < values.length; i++) {
                double y = normalized(values, i, length) * gains[i % length] + shifts[i % length];
                double code = Math.min(Math.max(y / 0.04f - 7, -128), 127);
                assertEquals(code, codes.code(i), 0.501);
            }
        }
    }

    private static double normalized(float[] values, int place, int length) {
        double mean = 0;
        double squares = 0;
        int first = place / length * length;
        for (int i = first; i < first + length; i++) {
            mean += values[i] / (double) length;
            squares += (double) values[i] * values[i] / length;
        }
        return (values[place] - mean) / Math.sqrt(squares - mean * mean + 1e-5f);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -3, 3})
    void refusesOtherDimensions(int axis) {
        byte[] model =
                model(
                                List.of(GraphProtoBuilder.attribute("axis", axis)),
                                new float[4],
                                new float[4])
                        .bytes();
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(model, "layer"))
                        .getMessage();
        assertTrue(
                message.contains("normalizes from the dimension " + axis + " on of 'q'"), message);
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 5})
    void refusesGainsOfAnotherNumber(int count) {
        byte[] model = model(new ArrayList<>(), new float[count], new float[4]).bytes();
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> OnnxReader.fromBytes(model, "layer"))
                        .getMessage();
        assertTrue(message.contains(count + " values in 'gain' for rows of 4"), message);
    }
}
