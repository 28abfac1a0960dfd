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

    private final long[] counts = new long[2 * SIDE];
    private int exponent = LEAST_EXPONENT;

    void add(float[] values, int offset, int length, float largestMagnitude) {
        growTo(largestMagnitude);
        double binsPerUnit = SIDE / Math.scalb(1.0, exponent);
        for (int i = offset; i < offset + length; i++) {
            counts[(int) Math.floor(values[i] * binsPerUnit) + SIDE]++;
        }
    }

    void add(Histogram other) {
        while (exponent < other.exponent) {
            doubleRange();
        }
        int shift = exponent - other.exponent;
        for (int i = 0; i < counts.length; i++) {
            int bin = ((i - SIDE) >> Math.min(shift, Integer.SIZE - 1)) + SIDE;
            counts[bin] += other.counts[i];
        }
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

    /** {@return counts of magnitudes, from 0 upwards} */
    long[] magnitudes() {
        long[] folded = Arrays.copyOfRange(counts, SIDE, 2 * SIDE);
        for (int i = 0; i < SIDE; i++) {
            folded[i] += counts[SIDE - 1 - i];
        }
        return folded;
    }

    private void growTo(float largestMagnitude) {
        while (largestMagnitude >= Math.scalb(1.0, exponent)) {
            doubleRange();
        }
    }

    private void doubleRange() {
        exponent++;
        for (int i = 0; i < SIDE / 2; i++) {
            int up = SIDE + i;
            counts[up] = counts[SIDE + 2 * i] + counts[SIDE + 2 * i + 1];
            int down = SIDE - 1 - i;
            counts[down] = counts[SIDE - 1 - 2 * i] + counts[SIDE - 2 - 2 * i];
        }
        Arrays.fill(counts, SIDE + SIDE / 2, 2 * SIDE, 0);
        Arrays.fill(counts, 0, SIDE / 2, 0);
    }
}
