// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every calibration method against closed forms and published values. */
final class CalibrationTest {

    private static final CodeRange INT8 = CodeRange.signed(8);
    private static final CodeRange UINT8 = CodeRange.unsigned(8);
    private static final CalibrationMethod MIN_MAX = new CalibrationMethod.MinMax();
    private static final CalibrationMethod MSE = new CalibrationMethod.MeanSquaredError();
    private static final CalibrationMethod ENTROPY = new CalibrationMethod.Entropy();

    /* 200,000 samples leave about 1 % of noise in a threshold in the tail of a normal distribution,
     * and the optimum at 8 bits is flat: 5 % off costs under 1 % of error. */
    private static final double SAMPLING = 0.05;
    private static final int SAMPLES = 200_000;

    /* Below the least scale, doubling changes nothing. */
    private static final double SMALLEST_OF_INTEREST = 1e-6;

    /* One float32 rounding of a quotient of doubles. */
    private static final double FLOAT_ROUNDING = 1e-7;

    private static float[] normal(int count) {
        Random random = new Random(42);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static TensorStatistics seen(float... values) {
        TensorStatistics statistics = new TensorStatistics("x");
        statistics.add(values, 0, values.length);
        return statistics;
    }

    private static float[] magnitudes(float[] values) {
        float[] magnitudes = values.clone();
        for (int i = 0; i < magnitudes.length; i++) {
            magnitudes[i] = Math.abs(magnitudes[i]);
        }
        return magnitudes;
    }

    private static double threshold(CalibrationMethod method, float... values) {
        QuantParams fitted = Calibration.fit(seen(values), method, INT8, Symmetry.SYMMETRIC);
        return (double) fitted.scale() * INT8.max();
    }

    /* The clipping points of least squared error for N(0, 1), computed by numerical integration. */
    @ParameterizedTest
    @CsvSource({"2, 1.22", "3, 1.95", "4, 2.47", "8, 3.92"})
    void weightsOfANormalDistributionAreClippedWhereTheErrorIsLeast(int bits, double sigmas) {
        float[] scales = Calibration.weightScales(new float[][] {normal(SAMPLES)}, MSE, bits);
        int maxCode = CodeRange.narrow(bits).max();
        assertEquals(sigmas, scales[0] * maxCode, sigmas * SAMPLING);
    }

    @Test
    void activationsOfANormalDistributionAreClippedWhereTheErrorIsLeast() {
        assertEquals(3.92, threshold(MSE, normal(SAMPLES)), 3.92 * SAMPLING);
    }

    @Test
    void eachChannelIsFittedByItself() {
        float[][] channels = {{1, -2}, {100, 50}, {0, 0}};
        float[] scales = Calibration.weightScales(channels, MIN_MAX, 8);
        assertEquals(2f / 127, scales[0]);
        assertEquals(100f / 127, scales[1]);
        assertEquals(1f / 127, scales[2], "a channel of zeros");
    }

    @Test
    void lsqsInitialScaleIsTwiceTheMeanMagnitudeOverTheRootOfTheLargestCode() {
        float[] values = {-3, -1.2f, -.3f, .24f, .26f, .9f, 1.4f, 1.6f, 2};
        float[] scales =
                Calibration.weightScales(
                        new float[][] {values}, new CalibrationMethod.LsqInitial(), 3);
        assertEquals(1.39847, scales[0], 1e-5);
    }

    @Test
    void anAsymmetricRangeIsCoveredFromEndToEnd() {
        QuantParams fitted =
                Calibration.fit(seen(-1.5f, 2.3f), MIN_MAX, UINT8, Symmetry.ASYMMETRIC);
        assertEquals(3.8 / 255, fitted.scale(), FLOAT_ROUNDING);
        assertEquals(101, fitted.zeroPoint());
        assertEquals(182, fitted.quantize(1.2f));
        assertEquals(47, fitted.quantize(-0.8f));
        assertEquals(255, fitted.quantize(2.3f));
        assertEquals(0, fitted.quantize(-1.5f));
    }

    @Test
    void threeSigmaReachesThreeDeviationsFromTheMean() {
        double expected = 2 + 3 * Math.sqrt(2.0 / 3);
        assertEquals(expected, threshold(new CalibrationMethod.Sigma(3), 1, 2, 3), 1e-6);
    }

    @Test
    void aMovingAverageForgetsByItsMomentum() {
        TensorStatistics statistics = seen(-1, 1);
        statistics.add(new float[] {-2, 5}, 0, 2);
        QuantParams fitted =
                Calibration.fit(
                        statistics,
                        new CalibrationMethod.MovingAverage(0.75),
                        INT8,
                        Symmetry.SYMMETRIC);
        assertEquals((0.75 * 1 + 0.25 * 5) / 127, fitted.scale(), FLOAT_ROUNDING);
    }

    @Test
    void aPercentileLeavesTheRestOutside() {
        float[] values = new float[1000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i + 1;
        }
        /* 1,024 is the histogram's range and a bin a quarter: 990 lies at the end of a bin. */
        assertEquals(990, threshold(new CalibrationMethod.Percentile(99), values), 0.3);
    }

    @Property(tries = 50)
    void theWholePercentileIsMinMax(@ForAll("values") float[] values) {
        assertEquals(
                threshold(MIN_MAX, values),
                threshold(new CalibrationMethod.Percentile(100), values));
    }

    @Property(tries = 50)
    void doublingTheValuesDoublesTheScale(@ForAll("values") float[] values) {
        float[] doubled = values.clone();
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] *= 2;
        }
        for (CalibrationMethod method : new CalibrationMethod[] {MIN_MAX, MSE, ENTROPY}) {
            if (seen(magnitudes(values)).max() > SMALLEST_OF_INTEREST) {
                assertEquals(2 * threshold(method, values), threshold(method, doubled));
            }
        }
    }

    @Property(tries = 50)
    void theLeastErrorIsNoLargerThanThatOfMinMax(@ForAll("values") float[] values) {
        float[][] channel = {values};
        float best = Calibration.weightScales(channel, MSE, 4)[0];
        float widest = Calibration.weightScales(channel, MIN_MAX, 4)[0];
        /* The chosen scale is rounded to float32 behind the search. */
        assertTrue(error(values, best) <= error(values, widest) * (1 + 1e-5));
    }

    private static double error(float[] values, double scale) {
        double sum = 0;
        for (float value : values) {
            double code = Math.max(-7, Math.min(7, Math.rint(value / scale)));
            sum += (value - code * scale) * (value - code * scale);
        }
        return sum;
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.floats()
                .between(-40, 40)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(80);
    }

    /* Thresholds that a million samples gave in an independent computation, as shares of sigma. */
    @Test
    void entropyClipsAUniformDistributionNowhere() {
        Random random = new Random(1);
        float[] values = new float[SAMPLES];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        assertEquals(1, threshold(ENTROPY, values), SAMPLING);
    }

    @Test
    void entropyIgnoresAnOutlierFarFromANormalDistribution() {
        float[] values = magnitudes(normal(SAMPLES));
        double without = threshold(ENTROPY, values);
        values[0] = 50;
        double with = threshold(ENTROPY, values);
        assertTrue(without > 3 && without < 5, "without the outlier " + without);
        assertTrue(with > 3 && with < 6, "with the outlier " + with);
    }

    @Test
    void entropyClipsTheTailOfALaplaceDistribution() {
        Random random = new Random(3);
        float[] values = new float[SAMPLES];
        float largest = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) -Math.log(1 - random.nextDouble());
            largest = Math.max(largest, values[i]);
        }
        double threshold = threshold(ENTROPY, values);
        assertTrue(threshold < 0.95 * largest && threshold > 5, "threshold " + threshold);
    }

    @Test
    void aTensorOfZerosGetsTheScaleAtWhichTheLargestCodeIsOne() {
        for (Symmetry symmetry : Symmetry.values()) {
            QuantParams fitted = Calibration.fit(seen(0, 0), MSE, UINT8, symmetry);
            assertEquals(1f / 255, fitted.scale());
            assertEquals(0, fitted.quantize(0));
        }
    }

    @Test
    void aTensorOfTheTiniestValuesGetsAUsableScale() {
        QuantParams fitted =
                Calibration.fit(seen(Float.MIN_VALUE), MIN_MAX, INT8, Symmetry.SYMMETRIC);
        assertEquals(Calibration.MIN_SCALE, fitted.scale());
    }

    @Test
    void aTensorOfTheLargestValuesGetsAFiniteScale() {
        for (CalibrationMethod method : new CalibrationMethod[] {MIN_MAX, MSE, ENTROPY}) {
            double threshold = threshold(method, Float.MAX_VALUE, -Float.MAX_VALUE);
            assertEquals(Float.MAX_VALUE, threshold, Float.MAX_VALUE * SAMPLING);
        }
    }

    @Test
    void aConstantTensorIsReachedByTheLargestCode() {
        QuantParams fitted = Calibration.fit(seen(3, 3, 3), MIN_MAX, UINT8, Symmetry.SYMMETRIC);
        assertEquals(255, fitted.quantize(3));
    }

    @Test
    void refusesATensorThatWasNeverSeen() {
        TensorStatistics empty = new TensorStatistics("conv2");
        assertEquals(
                "tensor 'conv2' was never seen in calibration; give calibration data that passes"
                        + " through its layer",
                assertThrows(
                                IllegalStateException.class,
                                () -> Calibration.fit(empty, MSE, INT8, Symmetry.SYMMETRIC))
                        .getMessage());
    }
}
