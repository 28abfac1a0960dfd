// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.GradientScale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    /* A handful of roundings of float64. */
    private static final double EXACT = 1e-14;

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

    @ParameterizedTest
    @CsvSource({"ONE, 2.4", "COUNT, 0.8", "COUNT_AND_LEVELS, 0.46188022"})
    void theSumIsScaledAsTold(GradientScale option, float expected) {
        FakeQuantizer quantizer =
                FakeQuantizer.of(CodeRange.signed(3), 0, Estimator.lsq(option), Channels.NONE);
        quantizer.backward(values, scale, Nd4j.onesLike(values), result, scaleGradient, 9);
        assertEquals(expected, scaleGradient.getFloat(0), TOLERANCE);
        assertArrayEquals(BY_VALUE, RowMajor.floats(result));
    }

    /* The sum is the same float64; the two results are its products, rounded once each. */
    @Property(tries = 100)
    void theRatiosOfTheGradientsAreThoseOfTheFactors(
            @ForAll @IntRange(min = 2, max = 8) int bits,
            @ForAll @LongRange(min = 1, max = 1_000_000) long elements,
            @ForAll @Size(6) List<@FloatRange(min = -3, max = 3) Float> drawn) {
        double[] doubles = drawn.stream().mapToDouble(Float::doubleValue).toArray();
        INDArray in = Nd4j.createFromArray(doubles);
        int largest = (1 << (bits - 1)) - 1;
        for (boolean plus : List.of(false, true)) {
            double[] one = gradients(plus, GradientScale.ONE, bits, in, elements);
            double[] count = gradients(plus, GradientScale.COUNT, bits, in, elements);
            double[] paper = gradients(plus, GradientScale.COUNT_AND_LEVELS, bits, in, elements);
            for (int i = 0; i < one.length; i++) {
                double ulps = EXACT * Math.abs(one[i]);
                assertEquals(one[i], count[i] * Math.sqrt((double) elements), ulps);
                assertEquals(one[i], paper[i] * Math.sqrt((double) elements * largest), ulps);
            }
        }
    }

    /** The gradients of scale and zero point. */
    private static double[] gradients(
            boolean plus, GradientScale option, int bits, INDArray in, long elements) {
        Estimator estimator = plus ? Estimator.lsqPlus(option) : Estimator.lsq(option);
        INDArray byScale = Nd4j.createFromArray(new double[1]);
        INDArray byZeroPoint = Nd4j.createFromArray(new double[1]);
        FakeQuantizer.of(CodeRange.signed(bits), 0, estimator, Channels.NONE)
                .backward(
                        in,
                        Nd4j.createFromArray(.25),
                        Nd4j.onesLike(in),
                        in.ulike(),
                        byScale,
                        byZeroPoint,
                        elements);
        return new double[] {byScale.getDouble(0), byZeroPoint.getDouble(0)};
    }

    private static double gradientScale(CodeRange range, long elements) {
        return FakeQuantizer.of(range, 0, Estimator.LSQ, Channels.NONE).gradientScale(elements);
    }
}
