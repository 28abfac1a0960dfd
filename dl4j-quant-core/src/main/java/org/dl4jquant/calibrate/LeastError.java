// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.function.DoubleUnaryOperator;

/**
 * The search for the threshold of least error: a coarse grid over all shares of the largest value,
 * then a fine one around the best. The error has many small dips, so bisection would be misled.
 */
final class LeastError {

    /* 100 steps find the dip; 20 more resolve a tenth of a step. Not tuned further: at 8 bits the
     * error changes by less than 1 % over one coarse step. */
    private static final int COARSE_STEPS = 100;
    private static final int FINE_STEPS = 10;

    private LeastError() {}

    /**
     * {@return the threshold of least error; the largest of several}
     *
     * @param largest the largest threshold to try, above 0
     * @param error the error of a threshold
     */
    static double search(double largest, DoubleUnaryOperator error) {
        double best = largest;
        double least = error.applyAsDouble(largest);
        for (int step = COARSE_STEPS - 1; step > 0; step--) {
            double threshold = largest * step / COARSE_STEPS;
            double found = error.applyAsDouble(threshold);
            if (found < least) {
                least = found;
                best = threshold;
            }
        }
        double coarse = best;
        double fineStep = largest / COARSE_STEPS / FINE_STEPS;
        for (int step = -FINE_STEPS + 1; step < FINE_STEPS; step++) {
            double threshold = coarse + step * fineStep;
            double found =
                    threshold > 0 && threshold <= largest
                            ? error.applyAsDouble(threshold)
                            : Double.POSITIVE_INFINITY;
            if (found < least) {
                least = found;
                best = threshold;
            }
        }
        return best;
    }
}
