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
     * does, each of its candidates improved to the best scale of its codes. */
    private static final int MOST_BREAKPOINTS = 1 << 15;

    private final float[] magnitudes;
    private final int maxCode;
    private double products;
    private double squares;

    private WeightScale(float[] weights, int maxCode) {
        this.magnitudes = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            magnitudes[i] = Math.abs(weights[i]);
        }
        this.maxCode = maxCode;
    }

    /**
     * {@return units per code; 0 if all weights are 0}
     *
     * @param weights the weights that share a scale, finite
     * @param maxCode the largest code; the smallest is its negative
     */
    static double of(float[] weights, int maxCode) {
        WeightScale search = new WeightScale(weights, maxCode);
        double largest = 0;
        for (float magnitude : search.magnitudes) {
            largest = Math.max(largest, magnitude);
        }
        if (largest == 0) {
            return 0;
        }
        return (long) weights.length * maxCode <= MOST_BREAKPOINTS
                ? search.overAllBreakpoints()
                : search.overShares(largest / maxCode);
    }

    private double overAllBreakpoints() {
        long[] breakpoints = breakpoints();
        Arrays.sort(breakpoints);
        double most = 0;
        double best = 0;
        for (int i = breakpoints.length - 1; i >= 0; i--) {
            int step = (int) breakpoints[i];
            products += magnitudes[step / maxCode];
            squares += 2 * (step % maxCode) + 1;
            if (gain() > most) {
                most = gain();
                best = products / squares;
            }
        }
        return best;
    }

    /* In the upper half of each the breakpoint, as the bits of a float32, which sort like the number
     * they are; in the lower half which weight it is and which code it leaves. */
    private long[] breakpoints() {
        long[] breakpoints = new long[magnitudes.length * maxCode];
        int filled = 0;
        for (int i = 0; i < magnitudes.length; i++) {
            for (int code = 0; code < maxCode && magnitudes[i] > 0; code++) {
                float breakpoint = (float) (magnitudes[i] / (code + 0.5));
                breakpoints[filled++] =
                        (long) Float.floatToIntBits(breakpoint) << Integer.SIZE
                                | (i * maxCode + code);
            }
        }
        return Arrays.copyOf(breakpoints, filled);
    }

    private double overShares(double largestScale) {
        double share =
                LeastError.search(
                        each -> {
                            round(largestScale * each);
                            return -gain();
                        });
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
}
