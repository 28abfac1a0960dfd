// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;

/** The entropy threshold against its definition, and on distributions with known thresholds. */
final class EntropyThresholdTest {

    private static final CalibrationMethod ENTROPY = new CalibrationMethod.Entropy();

    /* The tail of 200,000 samples, and 2,048 bins over another range than the oracle's. */
    private static final double SAMPLING = 0.05;

    /* Sums of float64 in another order. */
    private static final double SUMMATION = 1e-9;

    private static double threshold(CodeRange codes, float... values) {
        QuantParams fitted =
                Calibration.fit(Samples.seen(values), ENTROPY, codes, Symmetry.SYMMETRIC);
        return (double) fitted.scale() * codes.max();
    }

    private static float largest(float[] values) {
        return Samples.seen(values).max();
    }

    private static long[] histogram(IntToDoubleFunction density) {
        long[] counts = new long[256];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = Math.round(density.applyAsDouble(i));
        }
        return counts;
    }

    /* The following four were found by a Python program that follows the definition. */

    @Test
    void aFlatHistogramIsNotClipped() {
        assertEquals(256, EntropyThreshold.bins(histogram(bin -> 100), 16));
    }

    @Test
    void aNormalHistogramIsClippedInItsTail() {
        long[] counts = histogram(bin -> 1e4 * StrictMath.exp(-bin * bin / 7200.0));
        assertEquals(225, EntropyThreshold.bins(counts, 16));
        counts[255]++;
        assertEquals(225, EntropyThreshold.bins(counts, 16), "with an outlier");
    }

    @Test
    void anExponentialHistogramIsClippedEarlier() {
        long[] counts = histogram(bin -> 1e5 * StrictMath.exp(-bin / 20.0));
        assertEquals(143, EntropyThreshold.bins(counts, 16));
    }

    @Property(tries = 200)
    void noThresholdDivergesLessByTheDefinition(@ForAll("histograms") long[] counts) {
        int levels = 4;
        int used = counts.length;
        while (counts[used - 1] == 0) {
            used--;
        }
        double chosen = divergence(counts, EntropyThreshold.bins(counts, levels), levels);
        for (int bins = levels; bins <= used; bins++) {
            double other = divergence(counts, bins, levels);
            assertTrue(chosen <= other + SUMMATION, chosen + " and " + other + " at " + bins);
        }
    }

    @Provide
    Arbitrary<long[]> histograms() {
        Arbitrary<Long> counts =
                Arbitraries.frequencyOf(
                        Tuple.of(1, Arbitraries.just(0L)),
                        Tuple.of(3, Arbitraries.longs().between(0, 1000)));
        return counts.array(long[].class)
                .ofMinSize(5)
                .ofMaxSize(40)
                .filter(array -> Arrays.stream(array).sum() > 0);
    }

    private static double divergence(long[] counts, int bins, int levels) {
        double[] p = new double[bins];
        double[] q = new double[bins];
        double sumP = 0;
        for (int i = 0; i < counts.length; i++) {
            p[Math.min(i, bins - 1)] += counts[i];
            sumP += counts[i];
        }
        double sumQ = 0;
        for (int level = 0; level < levels; level++) {
            int from = level * bins / levels;
            int to = (level + 1) * bins / levels;
            double sum = 0;
            int filled = 0;
            for (int i = from; i < to; i++) {
                sum += counts[i];
                filled += counts[i] > 0 ? 1 : 0;
            }
            sumQ += sum;
            for (int i = from; i < to; i++) {
                q[i] = counts[i] > 0 ? sum / filled : 0;
            }
        }
        if (sumQ == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double divergence = 0;
        for (int i = 0; i < bins; i++) {
            if (p[i] > 0) {
                double floor = q[i] > 0 ? q[i] : 1e-4;
                divergence += p[i] / sumP * Math.log(p[i] / sumP / (floor / sumQ));
            }
        }
        return divergence;
    }

    /* Thresholds that a million samples gave in an independent computation. */

    @Test
    void aUniformDistributionIsNotClipped() {
        assertEquals(1, threshold(CodeRange.signed(8), Samples.uniform(Samples.COUNT)), SAMPLING);
    }

    @Test
    void aNormalDistributionIsClippedLittle() {
        float[] values = Samples.normal(Samples.COUNT);
        double share = threshold(CodeRange.signed(8), values) / largest(values);
        assertTrue(share > 0.85 && share <= 1, "share " + share);
    }

    @Test
    void anOutlierFarFromANormalDistributionIsClipped() {
        float[] values = Samples.withOutlier(Samples.normal(Samples.COUNT), 50);
        assertEquals(4.57, threshold(CodeRange.signed(8), values), 0.1 * 4.57);
    }

    @Test
    void theTailOfALaplaceDistributionIsClipped() {
        float[] values = Samples.laplace(Samples.COUNT);
        double threshold = threshold(CodeRange.signed(8), values);
        assertTrue(threshold > 7.5 && threshold < 0.9 * largest(values), "threshold " + threshold);
    }

    @Test
    void theZerosBehindAReluDoNotChangeTheThreshold() {
        float[] values = Samples.normal(Samples.COUNT);
        float[] rectified = Samples.rectified(values);
        float[] positive = new float[values.length];
        int count = 0;
        for (float value : values) {
            if (value > 0) {
                positive[count++] = value;
            }
        }
        CodeRange codes = CodeRange.unsigned(8);
        double without = threshold(codes, Arrays.copyOf(positive, count));
        assertEquals(without, threshold(codes, rectified));
        // The values below 0 that unsigned codes do not reach do not change it either.
        assertEquals(without, threshold(codes, values));
        assertTrue(without > 3.5, "threshold " + without);
    }

    @Test
    void asManyDensitiesAsCodesAreToldApart() {
        float[] values = new float[8 * 2048];
        int filled = 0;
        int bin = 0;
        for (int density = 8; density > 0; density /= 2) {
            for (int end = bin + 512; bin < end; bin++) {
                Arrays.fill(values, filled, filled + density, (bin + 0.5f) / 512);
                filled += density;
            }
        }
        values = Arrays.copyOf(values, filled);
        assertEquals(largest(values), threshold(CodeRange.unsigned(2), values), 1e-6);
    }

    @Test
    void fewerThanAsManyBinsAsCodesAreNotClipped() {
        assertEquals(3, EntropyThreshold.bins(new long[] {5, 0, 1, 0}, 4));
    }
}
