// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Activation ranges of least error against numerical integration and brute force. */
final class LeastErrorRangeTest {

    private static final CalibrationMethod MIN_MAX = new CalibrationMethod.MinMax();
    private static final CalibrationMethod MSE = new CalibrationMethod.MeanSquaredError();

    /* The optimum is flat: 2 percent beside it the error is 0.2 percent larger at 8 bits. */
    private static final double SCALE = 0.02;

    private static final double ERROR = 0.01;

    private static QuantParams fit(
            CalibrationMethod method, CodeRange codes, Symmetry symmetry, float... values) {
        return Calibration.fit(Samples.seen(values), method, codes, symmetry);
    }

    /* Scale and error of the best grid of all signed codes for N(0, 1), by numerical integration. */
    @ParameterizedTest
    @CsvSource({
        "2, 1.0483, 0.149431",
        "3, 0.60198, 0.0406382",
        "4, 0.33862, 0.0118640",
        "8, 0.030750, 8.7702e-5"
    })
    void signedCodesOfANormalTensorHaveTheLeastError(int bits, double scale, double error) {
        float[] values = Samples.normalQuantiles(Samples.COUNT);
        QuantParams fitted = fit(MSE, CodeRange.signed(bits), Symmetry.SYMMETRIC, values);
        assertEquals(scale, fitted.scale(), scale * SCALE);
        assertEquals(
                error,
                Samples.meanSquaredErrorOfNormal(fitted, Double.NEGATIVE_INFINITY),
                error * ERROR);
    }

    /* Clipping point and error of the best unsigned grid for ReLU(N(0, 1)), likewise. */
    @ParameterizedTest
    @CsvSource({
        "2, 1.953, 0.0234299",
        "3, 2.474, 0.00644469",
        "4, 2.899, 0.00184661",
        "8, 4.215, 1.25040e-5"
    })
    void unsignedCodesOfARectifiedTensorHaveTheLeastError(int bits, double sigmas, double error) {
        float[] values = Samples.rectified(Samples.normalQuantiles(Samples.COUNT));
        CodeRange codes = CodeRange.unsigned(bits);
        QuantParams fitted = fit(MSE, codes, Symmetry.SYMMETRIC, values);
        assertEquals(sigmas, fitted.scale() * codes.max(), sigmas * SCALE);
        assertEquals(error, Samples.meanSquaredErrorOfNormal(fitted, 0), error * ERROR);
    }

    static Stream<Arguments> skewed() {
        return Stream.of(2, 3, 4, 8)
                .flatMap(
                        bits ->
                                Stream.of(
                                        Arguments.of(bits, "swish", swish()),
                                        Arguments.of(bits, "leaky ReLU", leaky()),
                                        Arguments.of(bits, "shifted", shifted())));
    }

    private static float[] swish() {
        return Samples.mapped(Samples.normal(20_000), x -> 2 * x / (1 + Math.exp(-2 * x)));
    }

    private static float[] leaky() {
        return Samples.mapped(Samples.normal(20_000), x -> x > 0 ? x : 0.1 * x);
    }

    private static float[] shifted() {
        return Samples.mapped(Samples.normal(20_000), x -> 2 * x + 3);
    }

    @ParameterizedTest(name = "{1} in {0} bits")
    @MethodSource("skewed")
    void noOtherAsymmetricRangeIsBetter(int bits, String name, float[] values) {
        CodeRange codes = CodeRange.unsigned(bits);
        TensorStatistics seen = Samples.seen(values);
        double fitted =
                Samples.meanSquaredError(
                        values, Calibration.fit(seen, MSE, codes, Symmetry.ASYMMETRIC));
        ClippingRange all = new ClippingRange(seen.min(), seen.max());
        for (int low = 0; low <= 20; low++) {
            for (int high = 1; high <= 25; high++) {
                QuantParams other =
                        all.shrunk(low / 20.0, high / 25.0).params(codes, Symmetry.ASYMMETRIC);
                double error = Samples.meanSquaredError(values, other);
                assertTrue(
                        fitted <= error * (1 + ERROR),
                        name + ": " + other + " has " + error + ", less than " + fitted);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"50, 2", "50, 4", "400, 2", "400, 4"})
    void anOutlierDoesNotHideTheValuesFromTheSearch(float outlier, int bits) {
        float[] values = Samples.withOutlier(Samples.normal(20_000), outlier);
        CodeRange codes = CodeRange.signed(bits);
        double fitted =
                Samples.meanSquaredError(values, fit(MSE, codes, Symmetry.SYMMETRIC, values));
        for (float scale = 0.1f; scale < outlier; scale *= 1.05f) {
            double other = Samples.meanSquaredError(values, new QuantParams(scale, 0, codes));
            assertTrue(fitted <= other * (1 + ERROR), scale + ": " + other + " is below " + fitted);
        }
    }

    @Test
    void pixelsKeepTheirOwnCodes() {
        float[] pixels = new float[512];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (i % 256) / 255f;
        }
        QuantParams fitted = fit(MSE, CodeRange.unsigned(8), Symmetry.SYMMETRIC, pixels);
        for (int i = 0; i < pixels.length; i++) {
            assertEquals(i % 256, fitted.quantize(pixels[i]));
        }
    }

    @Property(tries = 100)
    void theLeastErrorIsNoLargerThanThatOfMinMax(
            @ForAll("values") float[] values, @ForAll @IntRange(min = 2, max = 8) int bits) {
        for (Symmetry symmetry : Symmetry.values()) {
            CodeRange codes = CodeRange.signed(bits);
            double best = Samples.meanSquaredError(values, fit(MSE, codes, symmetry, values));
            double widest = Samples.meanSquaredError(values, fit(MIN_MAX, codes, symmetry, values));
            // The search knows each value to half the width of a bin, a 2048th of the largest.
            double bin = Samples.seen(values).histogram().width();
            double slack = bin * (2 * Math.sqrt(widest) + bin);
            assertTrue(best <= widest + slack, best + " is above " + widest);
        }
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.floats()
                .between(-40, 40)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(80);
    }
}
