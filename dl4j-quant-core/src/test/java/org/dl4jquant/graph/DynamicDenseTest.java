// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.OverflowCertificate;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

class DynamicDenseTest {

    private static final WeightTensor WEIGHTS =
            WeightTensor.of(
                    Shape.of(2, 2),
                    CodeRange.narrow(8),
                    new byte[] {1, 2, 3, 4},
                    new float[] {1, 0.5f},
                    new int[2]);

    private static DynamicDense node(String input, int axis, int biases) {
        return new DynamicDense(
                "d", input, axis, WEIGHTS, FloatBias.of(new float[biases]), RuntimeScale.PER_ROW);
    }

    private static IntGraph graph(int axis, Shape input) {
        return IntGraph.of(List.of(new Input("x", input), node("x", axis, 2)), List.of("d"));
    }

    private static String refused(Runnable action) {
        return assertThrows(IllegalArgumentException.class, action::run).getMessage();
    }

    /**
     * Steps are rows of their own. The first has scale 1 and the codes 127 and 64 (63.5 to even),
     * the second is 0 everywhere, the third has scale 0.5 and the codes 127 and -2.
     */
    @Test
    void multipliesEachStepOfASequence() {
        IntGraph graph = graph(0, Shape.of(2, 3));
        Map<String, Batch.Floats> sequence = SmallGraphs.example(graph, 127, 0, 63.5, 63.5, 0, -1);
        try (Engine reference = Engine.open("reference", graph)) {
            Batch.Floats result = (Batch.Floats) reference.run(sequence).get("d");
            assertArrayEquals(new float[] {255, 0, 61.5f, 318.5f, 0, 93.25f}, result.values());
        }
    }

    @Test
    void namesWhatIsNotFinite() {
        IntGraph graph = graph(0, Shape.of(2));
        try (Engine reference = Engine.open("reference", graph)) {
            assertEquals(
                    "input 'x' is Infinity in example 0 at index 1 of [2], and a scale is found in"
                            + " these values at run time; leave the example out, or bound its"
                            + " values",
                    refused(
                            () ->
                                    reference.run(
                                            SmallGraphs.example(
                                                    graph, 1, Double.POSITIVE_INFINITY))));
            assertTrue(
                    refused(() -> reference.run(SmallGraphs.example(graph, 1, Double.NaN)))
                            .startsWith("input 'x' is NaN in example 0 at index 1"));
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertEquals(
                "dynamic dense 'd': 'x' has shape [3x2], its weights [2x2] are for rows of 2"
                        + " along dimension 0",
                refused(() -> graph(0, Shape.of(3, 2))));
        assertEquals(
                "dynamic dense 'd': 1 biases for 2 output channels",
                refused(() -> node("x", 0, 1)));
        assertEquals(
                "dynamic dense 'd' reads codes from 'q'; it takes float32 values, dequantize them"
                        + " first",
                refused(
                        () ->
                                IntGraph.of(
                                        List.of(
                                                new Input("x", Shape.of(2)),
                                                new Quantize("q", "x", SmallGraphs.int8(1)),
                                                node("q", 0, 2)),
                                        List.of("d"))));
    }

    /** 66,311 products of 127 and 255 fit int32, one more does not. */
    @Test
    void provesThatNoSumOverflows() {
        int fits = Integer.MAX_VALUE / (127 * 255);
        assertTrue(certificate(fits).fitsInt32());
        assertEquals(fits * 127L * 255, certificate(fits).highest());
        assertFalse(certificate(fits + 1).fitsInt32());
    }

    private static OverflowCertificate certificate(int length) {
        byte[] codes = new byte[length];
        Arrays.fill(codes, (byte) 127);
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(1, length),
                        CodeRange.narrow(8),
                        codes,
                        new float[] {1},
                        new int[1]);
        FloatBias bias = FloatBias.of(new float[1]);
        return new DynamicDense("d", "x", 0, weights, bias, RuntimeScale.PER_BATCH).certificate();
    }
}
