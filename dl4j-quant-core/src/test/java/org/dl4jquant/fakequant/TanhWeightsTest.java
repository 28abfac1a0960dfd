// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/**
 * Golden values are a NumPy script's, from the paper's formula; gradients by finite differences.
 */
final class TanhWeightsTest {

    private static final float[] WEIGHTS = {-1.5f, -.4f, 0, .05f, .3f, .9f, 1.2f};

    private static final float[] NORMALIZED = {
        -1f, -0.41976434f, 0f, 0.055193584f, 0.3218397f, 0.7913597f, 0.9210144f
    };
    private static final float[] GRADIENTS = {
        0.21624257f, -0.94530237f, 2.2095828f, 1.102034f, -2.022071f, 0.5379421f, 0.16849172f
    };

    /* Printed as float32 numbers; central differences in float64 with a step of 1e-6. */
    private static final float TOLERANCE = 1e-6f;

    /* float32 results of slopes up to about 100, and a step of 2^-20. */
    private static final double SLOPE_TOLERANCE = 1e-4;

    @Test
    void weightsLieBetweenMinusOneAndOne() {
        assertArrayEquals(NORMALIZED, TanhWeights.of(WEIGHTS).normalized(), TOLERANCE);
    }

    @Test
    void gradientsAreThoseOfThePapersSurrogate() {
        float[] upstream = {1, -1, 2, 1, -2, 1, .5f};
        assertArrayEquals(GRADIENTS, TanhWeights.of(WEIGHTS).backward(upstream), TOLERANCE);
    }

    @Test
    void weightsOfZeroStayZero() {
        TanhWeights zeros = TanhWeights.of(new float[3]);
        assertArrayEquals(new float[3], zeros.normalized());
        assertArrayEquals(new float[] {1, 2, 3}, zeros.backward(new float[] {1, 2, 3}), TOLERANCE);
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void theOrderOfWeightsStaysAndTheLargestIsOne(@ForAll("weights") float[] weights) {
        float[] normalized = TanhWeights.of(weights).normalized();
        float most = 0;
        for (int i = 0; i < weights.length; i++) {
            most = Math.max(most, Math.abs(normalized[i]));
            for (int j = 0; j < weights.length; j++) {
                assertTrue(weights[i] > weights[j] || normalized[i] <= normalized[j]);
            }
        }
        assertEquals(1, most);
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void gradientsAreTheSlopesOfTheForm(@ForAll("weights") float[] weights) {
        float[] upstream = Floats.normal(weights.length, 1, 6);
        float[] gradients = TanhWeights.of(weights).backward(upstream);
        for (int i = 0; i < weights.length; i++) {
            double step = 0x1p-20;
            double slope =
                    (loss(weights, upstream, i, step) - loss(weights, upstream, i, -step))
                            / (2 * step);
            double allowed = SLOPE_TOLERANCE * (1 + Math.abs(slope)) * weights.length;
            assertEquals(slope, gradients[i], allowed, "weight " + i);
        }
    }

    /* In float64, by java.lang.Math, from the formula. */
    private static double loss(float[] weights, float[] upstream, int moved, double step) {
        double most = 0;
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            double tanh = Math.tanh(weights[i] + (i == moved ? step : 0));
            most = Math.max(most, Math.abs(tanh));
            sum += upstream[i] * tanh;
        }
        return sum / most;
    }

    /**
     * Different magnitudes, so that the largest one stays the largest when it is moved a little.
     */
    @Provide
    Arbitrary<float[]> weights() {
        return Arbitraries.integers()
                .between(1, 40)
                .list()
                .uniqueElements()
                .ofMinSize(1)
                .ofMaxSize(20)
                .map(
                        list -> {
                            float[] weights = new float[list.size()];
                            for (int i = 0; i < weights.length; i++) {
                                int number = list.get(i);
                                weights[i] = number % 3 == 0 ? -number / 20f : number / 20f;
                            }
                            return weights;
                        });
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertEquals(
                "a tensor without weights has no form to round",
                assertThrows(IllegalArgumentException.class, () -> TanhWeights.of(new float[0]))
                        .getMessage());
        assertEquals(
                "2 gradients for 1 weights; there must be one for each",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> TanhWeights.of(new float[1]).backward(new float[2]))
                        .getMessage());
    }
}
