// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Golden values of LSQ: scale 0.5, 3 signed bits, worked out by hand from equations 1 to 4 of arXiv
 * 1902.08153.
 */
final class LsqOracleTest {

    private static final float[] VALUES = {-3, -1.2f, -.3f, .24f, .26f, .9f, 1.4f, 1.6f, 2};
    private static final float[] CODES = {-4, -2, -1, 0, 1, 2, 3, 3, 3};
    private static final float[] ROUNDED = {-2, -1, -.5f, 0, .5f, 1, 1.5f, 1.5f, 1.5f};
    private static final float[] BY_SCALE = {-4, .4f, -.4f, -.48f, .48f, .2f, .2f, 3, 3};
    private static final float[] BY_VALUE = {0, 1, 1, 1, 1, 1, 1, 0, 0};

    /* The values themselves are float32 numbers near decimal ones, 2^-24 of at most 4 away. */
    private static final float TOLERANCE = 5e-7f;

    private static final FakeQuantizer LSQ =
            FakeQuantizer.of(CodeRange.signed(3), 0, Estimator.LSQ, Channels.NONE);

    private final INDArray values = RowMajor.array(VALUES, 9);
    private final INDArray scale = RowMajor.array(new float[] {.5f}, 1);
    private final INDArray result = RowMajor.array(new float[9], 9);
    private final INDArray scaleGradient = RowMajor.array(new float[1], 1);

    @Test
    void roundsToTheValuesOfTheCodes() {
        LSQ.forward(values, scale, result);
        assertArrayEquals(ROUNDED, RowMajor.floats(result));
    }

    @Test
    void roundsToTheCodes() {
        LSQ.codes(values, scale, result);
        assertArrayEquals(CODES, RowMajor.floats(result));
    }

    @Test
    void passesGradientsInsideTheCodesOnly() {
        LSQ.backward(values, scale, Nd4j.onesLike(values), result, scaleGradient, 9);
        assertArrayEquals(BY_VALUE, RowMajor.floats(result));
    }

    @Test
    void sumsTheScalesGradient() {
        LSQ.backward(values, scale, Nd4j.onesLike(values), result, scaleGradient, 9);
        assertEquals(2.4f / (float) Math.sqrt(27), scaleGradient.getFloat(0), TOLERANCE);
        assertEquals(0.46188f, scaleGradient.getFloat(0), 5e-6f, "the same to five digits");
    }

    @Test
    void eachValueHasItsOwnPartOfTheScalesGradient() {
        float[] parts = new float[VALUES.length];
        for (int i = 0; i < parts.length; i++) {
            INDArray one = RowMajor.array(new float[] {VALUES[i]}, 1);
            LSQ.backward(one, scale, Nd4j.onesLike(one), one.ulike(), scaleGradient, 1);
            parts[i] = scaleGradient.getFloat(0) * (float) Math.sqrt(3);
        }
        assertArrayEquals(BY_SCALE, parts, TOLERANCE);
    }

    @Test
    void anAsymmetricRangeHasTheCodesOfItsFittedScale() {
        FakeQuantizer asymmetric =
                FakeQuantizer.of(CodeRange.unsigned(8), 101, Estimator.LSQ, Channels.NONE);
        INDArray four = RowMajor.array(new float[] {1.2f, -.8f, 2.3f, -1.5f}, 4);
        INDArray fitted = RowMajor.array(new float[] {3.8f / 255}, 1);
        assertArrayEquals(
                new byte[] {(byte) 182, 47, (byte) 255, 0}, asymmetric.containers(four, fitted));
    }

    @Test
    void theGradientScaleFollowsFromElementsAndWidth() {
        assertEquals(4.9214e-4, gradientScale(CodeRange.signed(4), 3 * 3 * 256 * 256), 5e-9);
        assertEquals(5.2083e-3, gradientScale(CodeRange.signed(2), 3 * 3 * 64 * 64), 5e-8);
        assertEquals(4.6216e-4, gradientScale(CodeRange.signed(8), 3 * 3 * 64 * 64), 5e-9);
    }

    private static double gradientScale(CodeRange range, long elements) {
        return FakeQuantizer.of(range, 0, Estimator.LSQ, Channels.NONE).gradientScale(elements);
    }
}
