// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.Arrays;

/**
 * Counts of values in bins of equal width, half of them for negative values, over a range that
 * grows with the values seen.
 */
final class Histogram {

    /* The range is (-2^e, 2^e) and every width a power of two, so the edges of a narrow histogram
     * are edges of a wide one: doubling the range joins bins in pairs and loses nothing else. A
     * histogram of some values is therefore the same in whatever order, and from whatever merged
     * parts, they came. At least half of the bins of one side are in use. */

    /** Bins of one side. */
    static final int SIDE = 4096;

    private static final int LEAST_EXPONENT = -120;

    private long[] counts = new long[2 * SIDE];
    private int exponent = LEAST_EXPONENT;

    void add(float[] values, int offset, int length, float largestMagnitude) {
        widenTo(Math.getExponent(largestMagnitude) + 1);
        double binsPerUnit = SIDE / Math.scalb(1.0, exponent);
        for (int i = offset; i < offset + length; i++) {
            counts[(int) Math.floor(values[i] * binsPerUnit) + SIDE]++;
        }
    }

    void add(Histogram other) {
        widenTo(other.exponent);
        join(other.counts, exponent - other.exponent, counts);
    }

    /** {@return the width of a bin} */
    double width() {
        return Math.scalb(1.0, exponent) / SIDE;
    }

    /** {@return the counts, from the most negative bin to the most positive} */
    long[] counts() {
        return counts;
    }

    /** {@return the value in the middle of a bin} */
    double centre(int bin) {
        return (bin - SIDE + 0.5) * width();
    }

    /**
     * {@return counts of magnitudes, from 0 upwards}
     *
     * @param ofNegatives whether values below 0 are counted with the others, or not at all
     */
    long[] magnitudes(boolean ofNegatives) {
        long[] magnitudes = Arrays.copyOfRange(counts, SIDE, 2 * SIDE);
        for (int i = 0; i < SIDE && ofNegatives; i++) {
            magnitudes[i] += counts[SIDE - 1 - i];
        }
        return magnitudes;
    }

    private void widenTo(int newExponent) {
        if (newExponent > exponent) {
            long[] wide = new long[2 * SIDE];
            join(counts, newExponent - exponent, wide);
            counts = wide;
            exponent = newExponent;
        }
    }

    /** Adds each 2^doublings narrow bins, counted from the value 0, to one wide bin. */
    private static void join(long[] narrow, int doublings, long[] wide) {
        int shift = Math.min(doublings, Integer.SIZE - 1);
        for (int i = 0; i < narrow.length; i++) {
            wide[((i - SIDE) >> shift) + SIDE] += narrow[i];
        }
    }
}
