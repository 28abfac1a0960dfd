// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.Arrays;

/**
 * The scale of least mean squared rounding error, over the weights themselves.
 *
 * <p>With the codes fixed, the error {@code sum((|w| - scale * code)^2)} is least at {@code scale =
 * sum(|w| * code) / sum(code^2)}, and falls short of {@code sum(w^2)} by the <em>gain</em> {@code
 * sum(|w| * code)^2 / sum(code^2)}. So the best codes are those of the largest gain, and they yield
 * their scale.
 */
final class WeightScale {

    /* As the scale falls, a weight goes from code k to k + 1 at |w| / (k + 0.5), and between two of
     * these breakpoints no code changes. Walking down all of them meets every set of nearest codes,
     * so the best scale is found exactly. With few weights there is much to gain: on a grid of
     * shares, 8-bit scales of 25 normal weights have a third more error than need be.
     *
     * With many weights the gain is a smooth function and the breakpoints are many; there the grid
     * does, each of its candidates improved to the best scale of its codes.
     *
     * Both go down from large scales, and end where no smaller one can be better: weights that have
     * the largest code all stand for one value, so their error is at least their squared distance
     * from their mean, and with a smaller scale there are only more of them. This leaves out two
     * thirds of the breakpoints and most of the shares, with the same result. */
    private static final int MOST_BREAKPOINTS = 1 << 15;

    /* Codes whose breakpoints are walked have at most 8 bits with their sign. */
    private static final int CODE_BITS = 7;
    private static final int CODE_MASK = (1 << CODE_BITS) - 1;

    /* Sums of up to 2^31 float64 products differ by less from exact ones, in parts of the sum. */
    private static final double SUMMATION = 1e-9;

    private final float[] magnitudes;
    private final int maxCode;
    private final double total;
    private final double largest;
    private double products;
    private double squares;
    private double mostGain;
    private double tooSmall;

    private WeightScale(float[] weights, int maxCode) {
        this.magnitudes = new float[weights.length];
        double sum = 0;
        double most = 0;
        for (int i = 0; i < weights.length; i++) {
            magnitudes[i] = Math.abs(weights[i]);
            sum += (double) magnitudes[i] * magnitudes[i];
            most = Math.max(most, magnitudes[i]);
        }
        this.maxCode = maxCode;
        this.total = sum;
        this.largest = most;
    }

    /**
     * {@return units per code; 0 if all weights are 0}
     *
     * @param weights the weights that share a scale, finite
     * @param maxCode the largest code; the smallest is its negative
     */
    static double of(float[] weights, int maxCode) {
        WeightScale search = new WeightScale(weights, maxCode);
        if (search.largest == 0) {
            return 0;
        }
        double overShares = search.overShares();
        return maxCode <= CODE_MASK && (long) weights.length * maxCode <= MOST_BREAKPOINTS
                ? search.overAllBreakpoints()
                : overShares;
    }

    private double overAllBreakpoints() {
        long[] breakpoints = RadixSort.byUpperHalf(breakpoints((float) tooSmall));
        products = 0;
        squares = 0;
        double most = 0;
        double best = 0;
        for (int i = breakpoints.length - 1; i >= 0; i--) {
            int step = (int) breakpoints[i];
            products += magnitudes[step >> CODE_BITS];
            squares += 2 * (step & CODE_MASK) + 1;
            // A quotient takes longer than all the rest.
            if (products * products > most * squares * (1 - SUMMATION) && gain() > most) {
                most = gain();
                best = products / squares;
            }
        }
        return best;
    }

    /* In the upper half of each the breakpoint, as the bits of a float32, which sort like the number
     * they are, less those of the smallest; in the lower half which weight it is and which code it
     * leaves. */
    private long[] breakpoints(float floor) {
        int floorBits = Float.floatToIntBits(floor);
        long[] breakpoints = new long[magnitudes.length * maxCode];
        int filled = 0;
        for (int i = 0; i < magnitudes.length; i++) {
            for (int code = 0; code < maxCode && magnitudes[i] > 0; code++) {
                float breakpoint = (float) (magnitudes[i] / (code + 0.5));
                if (breakpoint < floor) {
                    break;
                }
                breakpoints[filled++] =
                        (long) (Float.floatToIntBits(breakpoint) - floorBits) << Integer.SIZE
                                | (i << CODE_BITS | code);
            }
        }
        return Arrays.copyOf(breakpoints, filled);
    }

    private double overShares() {
        double largestScale = largest / maxCode;
        double share =
                LeastError.search(
                        each -> {
                            round(largestScale * each);
                            mostGain = Math.max(mostGain, gain());
                            return -gain();
                        },
                        each -> isTooSmall(largestScale * each));
        round(largestScale * share);
        return products / squares;
    }

    private void round(double scale) {
        double codesPerUnit = 1 / scale;
        products = 0;
        squares = 0;
        for (float magnitude : magnitudes) {
            double code = Math.min(maxCode, Math.rint(magnitude * codesPerUnit));
            products += magnitude * code;
            squares += code * code;
        }
    }

    private double gain() {
        return products * products / squares;
    }

    /** Whether scales up to this one have more error than the best so far. */
    private boolean isTooSmall(double scale) {
        float least = (float) (scale * (maxCode - 0.5 + SUMMATION));
        long clipped = 0;
        double sum = 0;
        double sumOfSquares = 0;
        for (float magnitude : magnitudes) {
            if (magnitude > least) {
                clipped++;
                sum += magnitude;
                sumOfSquares += (double) magnitude * magnitude;
            }
        }
        double error = clipped == 0 ? 0 : sumOfSquares - sum * sum / clipped;
        boolean isWorse = error > total - mostGain + SUMMATION * total;
        if (isWorse) {
            tooSmall = Math.max(tooSmall, scale);
        }
        return isWorse;
    }
}
