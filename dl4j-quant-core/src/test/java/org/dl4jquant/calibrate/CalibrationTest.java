// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;

/** Every calibration method against closed forms and published values. */
final class CalibrationTest {

    private static final CodeRange INT8 = CodeRange.signed(8);
    private static final CodeRange UINT8 = CodeRange.unsigned(8);
    private static final CalibrationMethod MIN_MAX = new CalibrationMethod.MinMax();
    private static final CalibrationMethod MSE = new CalibrationMethod.MeanSquaredError();
    private static final CalibrationMethod ENTROPY = new CalibrationMethod.Entropy();

    private static final List<CalibrationMethod> METHODS =
            List.of(
                    MIN_MAX,
                    new CalibrationMethod.MovingAverage(0.9),
                    new CalibrationMethod.Percentile(90),
                    new CalibrationMethod.Sigma(3),
                    ENTROPY,
                    MSE,
                    new CalibrationMethod.LsqInitial());

    /* Below the least scale, doubling changes nothing. */
    private static final double SMALLEST_OF_INTEREST = 1e-6;

    /* One float32 rounding of a quotient of doubles. */
    private static final double FLOAT_ROUNDING = 1e-7;

    /* A bin is a 2048th of the largest value or less, and 255 codes make a step of eight. */
    private static final double HALF_BIN = 0.25;

    /* A threshold at the end of a bin instead of at a value. */
    private static final double BIN = 1 / 2048.0;

    private static double threshold(CalibrationMethod method, float... values) {
        QuantParams fitted =
                Calibration.fit(Samples.seen(values), method, INT8, Symmetry.SYMMETRIC);
        return (double) fitted.scale() * INT8.max();
    }

    @Test
    void anAsymmetricRangeIsCoveredFromEndToEnd() {
        QuantParams fitted =
                Calibration.fit(Samples.seen(-1.5f, 2.3f), MIN_MAX, UINT8, Symmetry.ASYMMETRIC);
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
        TensorStatistics statistics = Samples.seen(-1, 1);
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
        CalibrationMethod percentile = new CalibrationMethod.Percentile(99);
        assertEquals(990, threshold(percentile, values), 1000 * BIN);
        assertEquals(
                990,
                threshold(percentile, Samples.mapped(values, value -> -value)),
                1000 * BIN,
                "by magnitude");
    }

    @Test
    void anAsymmetricPercentileLeavesHalfOfTheRestOutsideOnEachSide() {
        float[] values = new float[1000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i - 299;
        }
        QuantParams fitted =
                Calibration.fit(
                        Samples.seen(values),
                        new CalibrationMethod.Percentile(98),
                        UINT8,
                        Symmetry.ASYMMETRIC);
        // 10 values lie below -289, 10 above 690.
        assertEquals((690 + 289) / 255.0, fitted.scale(), 2 * 1000 * BIN / 255);
        assertEquals(Math.rint(289 * 255 / 979.0), fitted.zeroPoint());
    }

    @Test
    void unsignedCodesDoNotSpendTheirRangeOnValuesBelowZero() {
        float[] values = {-100, -50, 1, 2, 3, 4};
        CalibrationMethod percentile = new CalibrationMethod.Percentile(100 * 5 / 6.0);
        QuantParams fitted =
                Calibration.fit(Samples.seen(values), percentile, UINT8, Symmetry.SYMMETRIC);
        // A bin is 128 / 4096 wide.
        assertEquals(3, fitted.scale() * 255, 128 / 4096.0);
        for (CalibrationMethod method : METHODS) {
            QuantParams params =
                    Calibration.fit(Samples.seen(-4, -2), method, UINT8, Symmetry.SYMMETRIC);
            assertEquals(0, params.quantize(-2), method.toString());
        }
        assertEquals(
                1f / 255,
                Calibration.fit(Samples.seen(-4, -2), MIN_MAX, UINT8, Symmetry.SYMMETRIC).scale());
    }

    @Test
    void lsqBeginsAtTwiceTheMeanMagnitudeOverTheRootOfTheLargestCode() {
        CalibrationMethod lsq = new CalibrationMethod.LsqInitial();
        float[] values = {1, 2, 3, 6};
        assertEquals(
                2 * 3 / Math.sqrt(15),
                Calibration.fit(
                                Samples.seen(values),
                                lsq,
                                CodeRange.unsigned(4),
                                Symmetry.SYMMETRIC)
                        .scale(),
                FLOAT_ROUNDING);
        assertEquals(
                2 * 3 / Math.sqrt(7),
                Calibration.fit(Samples.seen(values), lsq, CodeRange.signed(4), Symmetry.SYMMETRIC)
                        .scale(),
                FLOAT_ROUNDING);
    }

    @Test
    void lsqWithAnOffsetBeginsAtTheWholeRange() {
        QuantParams fitted =
                Calibration.fit(
                        Samples.seen(-1.5f, 2.3f),
                        new CalibrationMethod.LsqInitial(),
                        UINT8,
                        Symmetry.ASYMMETRIC);
        assertEquals(3.8 / 255, fitted.scale(), FLOAT_ROUNDING);
        assertEquals(101, fitted.zeroPoint());
    }

    @Property(tries = 50)
    void theWholePercentileIsMinMax(@ForAll("values") float[] values) {
        CalibrationMethod whole = new CalibrationMethod.Percentile(100);
        for (Symmetry symmetry : Symmetry.values()) {
            for (CodeRange codes : List.of(INT8, UINT8)) {
                assertEquals(
                        Calibration.fit(Samples.seen(values), MIN_MAX, codes, symmetry),
                        Calibration.fit(Samples.seen(values), whole, codes, symmetry));
            }
        }
    }

    @Property(tries = 50)
    void doublingTheValuesDoublesTheScaleOfEveryMethod(@ForAll("values") float[] values) {
        Assume.that(Samples.seen(values).meanMagnitude() > SMALLEST_OF_INTEREST);
        float[] doubled = Samples.mapped(values, value -> 2 * value);
        for (CalibrationMethod method : METHODS) {
            for (Symmetry symmetry : Symmetry.values()) {
                QuantParams once = Calibration.fit(Samples.seen(values), method, INT8, symmetry);
                QuantParams twice = Calibration.fit(Samples.seen(doubled), method, INT8, symmetry);
                assertEquals(2 * once.scale(), twice.scale(), method + " " + symmetry);
                assertEquals(once.zeroPoint(), twice.zeroPoint(), method + " " + symmetry);
            }
        }
    }

    @Property(tries = 50)
    void mergedStatisticsGiveTheParamsOfTheWhole(
            @ForAll("values") float[] first, @ForAll("values") float[] second) {
        float[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        TensorStatistics whole = new TensorStatistics("whole");
        whole.add(all, 0, first.length);
        whole.add(all, first.length, second.length);
        TensorStatistics merged = Samples.seen(first);
        merged.merge(Samples.seen(second));
        for (CalibrationMethod method : METHODS) {
            assertEquals(
                    Calibration.fit(whole, method, INT8, Symmetry.ASYMMETRIC),
                    Calibration.fit(merged, method, INT8, Symmetry.ASYMMETRIC),
                    method.toString());
        }
    }

    @Property(tries = 50)
    void everyMethodReachesAConstantTensor(@ForAll("constants") float constant) {
        for (CalibrationMethod method : METHODS) {
            for (CodeRange codes : List.of(INT8, UINT8, CodeRange.signed(2))) {
                for (Symmetry symmetry : Symmetry.values()) {
                    QuantParams fitted =
                            Calibration.fit(
                                    Samples.seen(constant, constant), method, codes, symmetry);
                    double error = fitted.dequantize(fitted.quantize(constant)) - constant;
                    double allowed = constant < 0 && unsigned(codes, symmetry) ? -constant : 0;
                    assertTrue(
                            Math.abs(error) <= fitted.scale() / 2 * (1 + HALF_BIN) + allowed,
                            constant + " by " + method + " in " + fitted + " is " + error + " off");
                }
            }
        }
    }

    private static boolean unsigned(CodeRange codes, Symmetry symmetry) {
        return symmetry == Symmetry.SYMMETRIC && !codes.signed();
    }

    @Provide
    Arbitrary<Float> constants() {
        return Arbitraries.floats().between(-1000, 1000).filter(x -> Math.abs(x) > 1e-6);
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.floats()
                .between(-40, 40)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(80);
    }

    @Test
    void aTensorOfZerosGetsTheScaleAtWhichTheLargestCodeIsOne() {
        for (Symmetry symmetry : Symmetry.values()) {
            QuantParams fitted = Calibration.fit(Samples.seen(0, 0), MSE, UINT8, symmetry);
            assertEquals(1f / 255, fitted.scale());
            assertEquals(0, fitted.quantize(0));
        }
    }

    @Test
    void aTensorOfTheTiniestValuesGetsAUsableScale() {
        QuantParams fitted =
                Calibration.fit(Samples.seen(Float.MIN_VALUE), MIN_MAX, INT8, Symmetry.SYMMETRIC);
        assertEquals(Calibration.MIN_SCALE, fitted.scale());
    }

    @Test
    void aTensorOfTheLargestValuesGetsAFiniteScale() {
        for (CalibrationMethod method : new CalibrationMethod[] {MIN_MAX, MSE, ENTROPY}) {
            double threshold = threshold(method, Float.MAX_VALUE, -Float.MAX_VALUE);
            assertEquals(Float.MAX_VALUE, threshold, Float.MAX_VALUE * 2 * BIN);
        }
    }

    @Test
    void aConstantTensorIsReachedByTheLargestCode() {
        QuantParams fitted =
                Calibration.fit(Samples.seen(3, 3, 3), MIN_MAX, UINT8, Symmetry.SYMMETRIC);
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
