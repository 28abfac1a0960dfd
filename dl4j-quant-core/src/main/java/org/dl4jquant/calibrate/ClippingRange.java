// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import org.dl4jquant.calibrate.TensorStatistics.BatchRange;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
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
        boolean reachesNegatives = codes.signed() || symmetry == Symmetry.ASYMMETRIC;
        if (method instanceof CalibrationMethod.MovingAverage average) {
            return movingAverage(seen, average.momentum());
        }
        if (method instanceof CalibrationMethod.Percentile percentile) {
            double share = percentile.percent() / 100;
            return symmetry == Symmetry.SYMMETRIC
                    ? all.within(percentile(seen, share, reachesNegatives))
                    : all.betweenTails(seen, (1 - share) / 2);
        }
        if (method instanceof CalibrationMethod.Sigma sigma) {
            double reach = sigma.deviations() * seen.deviation();
            return new ClippingRange(seen.mean() - reach, seen.mean() + reach);
        }
        if (method instanceof CalibrationMethod.Entropy) {
            return all.within(entropy(seen, codes, reachesNegatives));
        }
        // A histogram is coarser than 16-bit codes, and nothing is won by clipping them.
        if (method instanceof CalibrationMethod.MeanSquaredError && !codes.isWide()) {
            return LeastErrorRange.of(seen.histogram(), all, codes, symmetry);
        }
        if (method instanceof CalibrationMethod.LsqInitial && symmetry == Symmetry.SYMMETRIC) {
            // The largest code times LSQ's 2 <|v|> / sqrt(Q_P).
            double reach = 2 * seen.meanMagnitude() * Math.sqrt(codes.max());
            return new ClippingRange(-reach, reach);
        }
        // Min-max; and LSQ+, which is LSQ with an offset, begins there.
        return all;
    }

    /**
     * {@return codes that reach this range}
     *
     * @param codes the codes allowed
     * @param symmetry whether the value 0 has the code 0, or any
     */
    QuantParams params(CodeRange codes, Symmetry symmetry) {
        if (symmetry == Symmetry.SYMMETRIC) {
            double threshold = codes.signed() ? Math.max(-low, high) : high;
            return new QuantParams(Calibration.usable(threshold / codes.max(), codes), 0, codes);
        }
        double bottom = Math.min(0, low);
        double top = Math.max(0, high);
        float scale = Calibration.usable((top - bottom) / (codes.max() - codes.min()), codes);
        int zeroPoint = codes.clamp((int) Math.rint(codes.min() - bottom / scale));
        return new QuantParams(scale, zeroPoint, codes);
    }

    /**
     * {@return shares of this range's ends}
     *
     * @param ofLow the share of the smallest value
     * @param ofHigh the share of the largest value
     */
    ClippingRange shrunk(double ofLow, double ofHigh) {
        return new ClippingRange(low * ofLow, high * ofHigh);
    }

    private ClippingRange within(double threshold) {
        return new ClippingRange(Math.max(low, -threshold), Math.min(high, threshold));
    }

    private ClippingRange betweenTails(TensorStatistics seen, double tail) {
        Histogram histogram = seen.histogram();
        long[] counts = histogram.counts();
        double width = histogram.width();
        double edge = Histogram.SIDE * width;
        double wanted = (1 - tail) * seen.count();
        int fromBelow = binsHolding(counts, 0, 1, wanted);
        int fromAbove = binsHolding(counts, counts.length - 1, -1, wanted);
        return new ClippingRange(
                Math.max(low, edge - fromAbove * width), Math.min(high, fromBelow * width - edge));
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

    private static double percentile(
            TensorStatistics seen, double share, boolean reachesNegatives) {
        long[] reached = seen.histogram().magnitudes(reachesNegatives);
        // Values that cannot be reached are held by whatever range.
        long unreached = seen.count() - sum(reached);
        int bins = binsHolding(reached, 0, 1, share * seen.count() - unreached);
        return bins * seen.histogram().width();
    }

    private static double entropy(
            TensorStatistics seen, CodeRange codes, boolean reachesNegatives) {
        long[] reached = seen.histogram().magnitudes(reachesNegatives);
        // 0 has a code of its own and is rounded without error. Left in, the zeros after a ReLU
        // would be spread over the first level, and the divergence would see little else.
        reached[0] -= seen.zeros();
        return EntropyThreshold.of(reached, seen.histogram().width(), codes.max() + 1);
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

    private static long sum(long[] counts) {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }
}
