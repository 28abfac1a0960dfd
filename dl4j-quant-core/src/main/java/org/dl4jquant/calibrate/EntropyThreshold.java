// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.Arrays;

/**
 * The threshold whose rounded distribution diverges least from the one seen (Kullback-Leibler).
 *
 * <p>For each threshold, P is the histogram up to it with all that lies beyond added to its last
 * bin; Q is the histogram up to it <em>without</em> what lies beyond, merged to as many levels as
 * there are codes and spread again over the bins that are not empty. The smallest divergence wins.
 *
 * @see <a
 *     href="https://on-demand.gputechconf.com/gtc/2017/presentation/s7310-8-bit-inference-with-tensorrt.pdf">
 *     Migacz, 8-bit inference with TensorRT, 2017</a>
 */
final class EntropyThreshold {

    /* Empty bins of Q where P is not empty would make the divergence infinite. They get this much,
     * taken in equal parts from the others; a threshold for which they have not that much to give
     * is passed over. The value is the one that MXNet and ONNX Runtime use. */
    private static final double SMOOTHING = 1e-4;

    private static final int BINS = 2048;

    private EntropyThreshold() {}

    /**
     * {@return the best threshold}
     *
     * @param magnitudes counts of magnitudes in bins of equal width, from 0
     * @param width the bins' width
     * @param levels how many codes magnitudes may take
     */
    static double of(long[] magnitudes, double width, int levels) {
        int factor = magnitudes.length / BINS;
        double binWidth = width * factor;
        long[] counts = coarser(magnitudes);
        int used = lastUsed(counts) + 1;
        if (used <= levels) {
            return used * binWidth;
        }
        double least = Double.POSITIVE_INFINITY;
        int best = used;
        for (int bins = levels; bins <= used; bins++) {
            double divergence = divergence(counts, bins, used, levels);
            if (divergence <= least) {
                least = divergence;
                best = bins;
            }
        }
        return best * binWidth;
    }

    private static long[] coarser(long[] magnitudes) {
        int factor = magnitudes.length / BINS;
        long[] counts = new long[BINS];
        for (int i = 0; i < magnitudes.length; i++) {
            counts[i / factor] += magnitudes[i];
        }
        return counts;
    }

    private static int lastUsed(long[] counts) {
        int last = counts.length - 1;
        while (last > 0 && counts[last] == 0) {
            last--;
        }
        return last;
    }

    private static double divergence(long[] counts, int bins, int used, int levels) {
        double[] p = new double[bins];
        for (int i = 0; i < bins; i++) {
            p[i] = counts[i];
        }
        for (int i = bins; i < used; i++) {
            p[bins - 1] += counts[i];
        }
        double[] q = spread(counts, bins, levels);
        if (!smooth(p) || !smooth(q)) {
            return Double.POSITIVE_INFINITY;
        }
        double sumP = Arrays.stream(p).sum();
        double sumQ = Arrays.stream(q).sum();
        double divergence = 0;
        for (int i = 0; i < bins; i++) {
            divergence += p[i] / sumP * Math.log(p[i] * sumQ / (q[i] * sumP));
        }
        return divergence;
    }

    private static double[] spread(long[] counts, int bins, int levels) {
        double[] spread = new double[bins];
        for (int level = 0; level < levels; level++) {
            int from = (int) ((long) level * bins / levels);
            int to = (int) ((level + 1L) * bins / levels);
            long sum = 0;
            int filled = 0;
            for (int i = from; i < to; i++) {
                sum += counts[i];
                filled += counts[i] > 0 ? 1 : 0;
            }
            for (int i = from; i < to; i++) {
                spread[i] = counts[i] > 0 ? (double) sum / filled : 0;
            }
        }
        return spread;
    }

    private static boolean smooth(double[] distribution) {
        int empty = 0;
        for (double value : distribution) {
            empty += value == 0 ? 1 : 0;
        }
        int filled = distribution.length - empty;
        double taken = filled == 0 ? 1 : SMOOTHING * empty / filled;
        if (taken >= 1) {
            return false;
        }
        for (int i = 0; i < distribution.length; i++) {
            distribution[i] = distribution[i] == 0 ? SMOOTHING : distribution[i] - taken;
        }
        return true;
    }
}
