// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import org.dl4jquant.calibrate.TensorStatistics.BatchRange;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;

/**
 * The values that codes shall reach, before a scale is made of them.
 *
 * @param low the smallest
 * @param high the largest
 */
record ClippingRange(double low, double high) {

    static ClippingRange of(
            TensorStatistics seen, CalibrationMethod method, CodeRange codes, Symmetry symmetry) {
        ClippingRange all = new ClippingRange(seen.min(), seen.max());
        if (method instanceof CalibrationMethod.MovingAverage average) {
            return movingAverage(seen, average.momentum());
        }
        if (method instanceof CalibrationMethod.Percentile percentile) {
            return percentile(seen, percentile.percent() / 100, symmetry);
        }
        if (method instanceof CalibrationMethod.Sigma sigma) {
            double reach = sigma.deviations() * seen.deviation();
            return new ClippingRange(seen.mean() - reach, seen.mean() + reach);
        }
        if (method instanceof CalibrationMethod.Entropy) {
            return all.within(entropy(seen, codes));
        }
        if (method instanceof CalibrationMethod.MeanSquaredError) {
            return leastError(seen, codes, symmetry);
        }
        if (method instanceof CalibrationMethod.LsqInitial) {
            double reach =
                    2 * seen.meanMagnitude() / Math.sqrt(codes.max()) * (codes.max() - codes.min());
            return all.within(reach);
        }
        return all;
    }

    private ClippingRange within(double threshold) {
        return new ClippingRange(Math.max(low, -threshold), Math.min(high, threshold));
    }

    private static ClippingRange movingAverage(TensorStatistics seen, double momentum) {
        double low = seen.batches().get(0).min();
        double high = seen.batches().get(0).max();
        for (BatchRange batch : seen.batches().subList(1, seen.batches().size())) {
            low = momentum * low + (1 - momentum) * batch.min();
            high = momentum * high + (1 - momentum) * batch.max();
        }
        return new ClippingRange(low, high);
    }

    private static ClippingRange percentile(
            TensorStatistics seen, double share, Symmetry symmetry) {
        Histogram histogram = seen.histogram();
        ClippingRange all = new ClippingRange(seen.min(), seen.max());
        if (symmetry == Symmetry.SYMMETRIC) {
            long[] magnitudes = histogram.magnitudes();
            int bins = binsHolding(magnitudes, 0, 1, share * seen.count());
            return all.within(bins * histogram.width());
        }
        double each = 1 - (1 - share) / 2;
        long[] counts = histogram.counts();
        double edge = Histogram.SIDE * histogram.width();
        int fromBelow = binsHolding(counts, 0, 1, each * seen.count());
        int fromAbove = binsHolding(counts, counts.length - 1, -1, each * seen.count());
        return new ClippingRange(
                Math.max(all.low, edge - fromAbove * histogram.width()),
                Math.min(all.high, fromBelow * histogram.width() - edge));
    }

    /** Returns how many bins, from one end, hold at least so many values. */
    private static int binsHolding(long[] counts, int first, int step, double values) {
        long sum = 0;
        for (int i = 0; i < counts.length; i++) {
            sum += counts[first + i * step];
            if (sum >= values) {
                return i + 1;
            }
        }
        return counts.length;
    }

    private static double entropy(TensorStatistics seen, CodeRange codes) {
        Histogram histogram = seen.histogram();
        return EntropyThreshold.of(histogram.magnitudes(), histogram.width(), codes.max() + 1);
    }

    private static ClippingRange leastError(
            TensorStatistics seen, CodeRange codes, Symmetry symmetry) {
        double low = Math.min(0, seen.min());
        double high = Math.max(0, seen.max());
        if (symmetry == Symmetry.SYMMETRIC) {
            low = codes.signed() ? -Math.max(-low, high) : 0;
            high = codes.signed() ? -low : high;
        }
        if (high == low) {
            return new ClippingRange(low, high);
        }
        double bottom = low;
        double top = high;
        double share =
                LeastError.search(
                        1, shrunk -> error(seen.histogram(), bottom * shrunk, top * shrunk, codes));
        return new ClippingRange(low * share, high * share);
    }

    /* The squared error of rounding every bin's centre to the codes of [low, high]. */
    private static double error(Histogram histogram, double low, double high, CodeRange codes) {
        boolean centred = low == -high;
        int steps = centred ? 2 * codes.max() : codes.max() - codes.min();
        double scale = (high - low) / steps;
        double first = centred ? -codes.max() : Math.rint(low / scale);
        long[] counts = histogram.counts();
        double sum = 0;
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                double value = histogram.centre(i);
                double code = Math.max(first, Math.min(first + steps, Math.rint(value / scale)));
                double error = value - code * scale;
                sum += counts[i] * error * error;
            }
        }
        return sum;
    }
}
