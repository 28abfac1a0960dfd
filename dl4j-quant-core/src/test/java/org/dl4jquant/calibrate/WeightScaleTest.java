// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weight scales against closed forms, numerical integration and brute force. */
final class WeightScaleTest {

    private static final CalibrationMethod MIN_MAX = new CalibrationMethod.MinMax();
    private static final CalibrationMethod MSE = new CalibrationMethod.MeanSquaredError();

    /* The optimum is flat: 2 percent beside it the error is 0.2 percent larger at 8 bits. */
    private static final double THRESHOLD = 0.02;

    private static final double ERROR = 0.01;

    /* Sums of float64 over at most 80 weights, in another order. */
    private static final double SUMMATION = 1e-9;

    /* The breakpoints are sorted, and the chosen scale is rounded, in float32. */
    private static final double FLOAT_ROUNDING = 1e-5;

    private static float scale(CalibrationMethod method, int bits, float... weights) {
        return Calibration.weightScales(new float[][] {weights}, method, bits)[0];
    }

    private static double error(float[] weights, double scale, int maxCode) {
        double sum = 0;
        for (float weight : weights) {
            double code = Math.max(-maxCode, Math.min(maxCode, Math.rint(weight / scale)));
            sum += (weight - code * scale) * (weight - code * scale);
        }
        return sum;
    }

    /* Clipping point and error of the best narrow grid for N(0, 1), by numerical integration. */
    @ParameterizedTest
    @CsvSource({
        "2, 1.224, 0.19017",
        "3, 1.952, 0.046860",
        "4, 2.474, 0.012889",
        "8, 3.921, 8.8308e-5"
    })
    void normalWeightsAreClippedWhereTheErrorIsLeast(int bits, double sigmas, double error) {
        float[] weights = Samples.normalQuantiles(Samples.COUNT);
        CodeRange range = CodeRange.narrow(bits);
        float scale = scale(MSE, bits, weights);
        assertEquals(sigmas, scale * range.max(), sigmas * THRESHOLD);
        QuantParams fitted = new QuantParams(scale, 0, range);
        double found = Samples.meanSquaredErrorOfNormal(fitted, Double.NEGATIVE_INFINITY);
        assertEquals(error, found, error * ERROR);
    }

    @Property(tries = 100)
    void noOtherScaleHasLessErrorForFewWeights(
            @ForAll("weights") float[] weights, @ForAll @IntRange(min = 2, max = 8) int bits) {
        int maxCode = CodeRange.narrow(bits).max();
        double best = WeightScale.of(weights, maxCode);
        double least = error(weights, best, maxCode);
        double largest = 0;
        for (float weight : weights) {
            largest = Math.max(largest, Math.abs(weight));
        }
        for (int step = 1; step <= 2000; step++) {
            double other = 2 * largest / maxCode * step / 2000;
            assertTrue(
                    largest == 0
                            || least
                                    <= error(weights, other, maxCode) * (1 + FLOAT_ROUNDING)
                                            + SUMMATION,
                    "scale " + other + " is better than " + best);
        }
    }

    /* All sets of nearest codes, one after the other, without leaving any out. */
    @Property(tries = 200)
    void noSetOfCodesHasMoreGainForFewWeights(
            @ForAll("weights") float[] weights, @ForAll @IntRange(min = 2, max = 8) int bits) {
        int maxCode = CodeRange.narrow(bits).max();
        double least = Double.POSITIVE_INFINITY;
        for (float weight : weights) {
            for (int code = 0; code < maxCode && weight != 0; code++) {
                double below = Math.abs(weight) / (code + 0.5) * (1 - 1e-9);
                double products = 0;
                double squares = 0;
                for (float each : weights) {
                    double nearest = Math.min(maxCode, Math.rint(Math.abs(each) / below));
                    products += Math.abs(each) * nearest;
                    squares += nearest * nearest;
                }
                least = Math.min(least, error(weights, products / squares, maxCode));
            }
        }
        double found = error(weights, WeightScale.of(weights, maxCode), maxCode);
        assertTrue(
                least == Double.POSITIVE_INFINITY
                        || found <= least * (1 + FLOAT_ROUNDING) + SUMMATION);
    }

    /* 258 weights have fewer than 2^15 breakpoints at 8 bits, 260 have more. */
    @Test
    void theSearchOverSharesComesNearTheExactOne() {
        float[] weights = Samples.normal(260);
        double exact = WeightScale.of(Arrays.copyOf(weights, 258), 127);
        double near = WeightScale.of(weights, 127);
        double fromExact = error(weights, exact, 127);
        // At 8 bits the error of 260 weights still has dips of a fifth.
        assertTrue(error(weights, near, 127) <= 1.25 * fromExact);
    }

    @Property(tries = 50)
    void theLeastErrorIsNoLargerThanThatOfMinMax(
            @ForAll("weights") float[] weights, @ForAll @IntRange(min = 2, max = 8) int bits) {
        int maxCode = CodeRange.narrow(bits).max();
        double best = error(weights, scale(MSE, bits, weights), maxCode);
        double widest = error(weights, scale(MIN_MAX, bits, weights), maxCode);
        assertTrue(best <= widest * (1 + FLOAT_ROUNDING) + SUMMATION);
    }

    @Property(tries = 50)
    void doublingTheWeightsDoublesTheScale(
            @ForAll("weights") float[] weights, @ForAll @IntRange(min = 2, max = 8) int bits) {
        float[] doubled = Samples.mapped(weights, weight -> 2 * weight);
        int maxCode = CodeRange.narrow(bits).max();
        assertEquals(2 * WeightScale.of(weights, maxCode), WeightScale.of(doubled, maxCode));
    }

    @Property(tries = 50)
    void signsDoNotMatter(@ForAll("weights") float[] weights) {
        float[] negated = Samples.mapped(weights, weight -> -weight);
        assertEquals(WeightScale.of(weights, 7), WeightScale.of(negated, 7));
    }

    @Provide
    Arbitrary<float[]> weights() {
        return Arbitraries.floats()
                .between(-40, 40)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(80);
    }

    @Test
    void weightsOnAGridGetItsScale() {
        assertEquals(0.25, WeightScale.of(new float[] {1.75f, -0.25f, 0.5f, -1.25f}, 7));
    }

    @Test
    void theTiniestAndTheLargestWeightsKeepAFiniteScale() {
        assertEquals(Calibration.MIN_SCALE, scale(MSE, 8, Float.MIN_VALUE));
        float largest = scale(MSE, 2, Float.MAX_VALUE, -Float.MAX_VALUE);
        assertEquals(Float.MAX_VALUE, largest);
    }

    @Test
    void eachChannelIsFittedByItself() {
        float[][] channels = {{1, -2}, {100, 50}, {0, 0}};
        float[] scales = Calibration.weightScales(channels, MIN_MAX, 8);
        assertEquals(2f / 127, scales[0]);
        assertEquals(100f / 127, scales[1]);
        assertEquals(1f / 127, scales[2], "a channel of zeros");
        assertEquals(1f / 127, Calibration.weightScales(channels, MSE, 8)[2], "by least error");
    }

    @Test
    void lsqsInitialScaleIsTwiceTheMeanMagnitudeOverTheRootOfTheLargestCode() {
        float[] values = {-3, -1.2f, -.3f, .24f, .26f, .9f, 1.4f, 1.6f, 2};
        assertEquals(1.39847, scale(new CalibrationMethod.LsqInitial(), 3, values), 1e-5);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesAWeightThatIsNotFinite(float bad) {
        for (CalibrationMethod method : new CalibrationMethod[] {MSE, MIN_MAX}) {
            float[][] channels = {{1, 2}, {3, bad}};
            assertEquals(
                    "tensor 'weights of channel 1' holds "
                            + bad
                            + " at element 1; every value must be finite: check the data and the"
                            + " network's weights",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> Calibration.weightScales(channels, method, 8))
                            .getMessage());
        }
    }

    @Test
    void refusesAChannelWithoutWeights() {
        assertEquals(
                "channel 1 of 2 has no weights; leave it out",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Calibration.weightScales(new float[][] {{1}, {}}, MSE, 8))
                        .getMessage());
    }
}
