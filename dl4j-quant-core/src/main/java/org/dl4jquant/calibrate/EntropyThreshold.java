// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

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

    /* All bins of a level have one Q, so that with p and q the counts not yet divided by their sums
     *
     *     KL = (sum(p ln p) - sum(p ln q)) / sum(p) - ln(sum(p)) + ln(sum(q))
     *
     * needs, from sums over all bins below each bin, only one logarithm for each level.
     *
     * P and Q are empty in the same bins, and such bins count nothing. Only the last bin can be
     * empty in Q and not in P, when nothing but what lies beyond is in it, and would make the
     * divergence infinite. It counts as holding EMPTY values then: what MXNet and ONNX Runtime give
     * every empty bin. */
    private static final double EMPTY = 1e-4;

    private static final int BINS = 2048;

    private final long[] counts;
    private final int levels;
    private final long[] below;
    private final int[] filledBelow;
    private final double[] entropyBelow;

    private EntropyThreshold(long[] counts, int levels) {
        this.counts = counts;
        this.levels = levels;
        this.below = new long[counts.length + 1];
        this.filledBelow = new int[counts.length + 1];
        this.entropyBelow = new double[counts.length + 1];
        for (int i = 0; i < counts.length; i++) {
            below[i + 1] = below[i] + counts[i];
            filledBelow[i + 1] = filledBelow[i] + (counts[i] > 0 ? 1 : 0);
            entropyBelow[i + 1] = entropyBelow[i] + timesLog(counts[i]);
        }
    }

    /**
     * {@return the best threshold}
     *
     * @param magnitudes counts of magnitudes in bins of equal width, from 0; a multiple of 2048
     * @param width the bins' width
     * @param levels how many codes magnitudes may take
     */
    static double of(long[] magnitudes, double width, int levels) {
        int factor = magnitudes.length / BINS;
        return bins(coarser(magnitudes, factor), levels) * (width * factor);
    }

    /**
     * {@return how many bins lie below the best threshold}
     *
     * @param counts counts of magnitudes in bins of equal width, from 0
     * @param levels how many codes magnitudes may take
     */
    static int bins(long[] counts, int levels) {
        EntropyThreshold search = new EntropyThreshold(counts, levels);
        int used = lastUsed(counts) + 1;
        double least = Double.POSITIVE_INFINITY;
        int best = used;
        for (int bins = levels; bins <= used; bins++) {
            double divergence = search.divergence(bins);
            if (divergence < least) {
                least = divergence;
                best = bins;
            }
        }
        return best;
    }

    /**
     * {@return the divergence of the distribution that is rounded in this many bins}
     *
     * @param bins how many bins lie below the threshold
     */
    private double divergence(int bins) {
        long all = below[counts.length];
        long kept = below[bins];
        long beyond = all - kept;
        if (kept == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double own = entropyBelow[bins - 1] + timesLog(beyond + counts[bins - 1]);
        double crossed = 0;
        double density = 0;
        for (int level = 0; level < levels; level++) {
            int from = (int) ((long) level * bins / levels);
            int to = (int) ((level + 1L) * bins / levels);
            long sum = below[to] - below[from];
            density = (double) sum / Math.max(1, filledBelow[to] - filledBelow[from]);
            crossed += timesLog(sum, density);
        }
        crossed += timesLog(beyond, counts[bins - 1] > 0 ? density : EMPTY);
        return (own - crossed) / all - StrictMath.log((double) all) + StrictMath.log((double) kept);
    }

    private static double timesLog(long count) {
        return timesLog(count, (double) count);
    }

    /* StrictMath: the same threshold on every machine. */
    private static double timesLog(long count, double density) {
        return count == 0 ? 0 : count * StrictMath.log(density);
    }

    private static long[] coarser(long[] magnitudes, int factor) {
        long[] counts = new long[magnitudes.length / factor];
        for (int i = 0; i < counts.length * factor; i++) {
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
}
