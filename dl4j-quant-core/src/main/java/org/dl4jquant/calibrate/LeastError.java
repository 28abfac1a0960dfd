// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.function.DoublePredicate;
import java.util.function.DoubleUnaryOperator;

/**
 * The search for the share of a range at which an error is least: a coarse grid in geometric steps,
 * then a fine one around the best. Geometric, because with few bits and a far outlier the best
 * share can be a thousandth; a grid, because the error has many small dips and bisection would be
 * misled.
 */
final class LeastError {

    /* An octave is halved in 8 coarse steps and 64 fine ones, which leaves a threshold at most 0.6 %
     * beside its dip; 12 octaves reach down to 1/4096. Not tuned further. */
    private static final int COARSE_PER_OCTAVE = 8;
    private static final int FINE_PER_OCTAVE = 64;
    private static final int OCTAVES = 12;

    private LeastError() {}

    /**
     * {@return the share of least error, in (0, 1]; the largest of several}
     *
     * @param error the error at a share
     */
    static double search(DoubleUnaryOperator error) {
        return search(error, share -> false);
    }

    /**
     * {@return the share of least error, in (0, 1]; the largest of several}
     *
     * @param error the error at a share; both grids are walked from the largest share down
     * @param isLast whether no share below the one that was just tried can have less error than the
     *     least so far, so that the coarse grid ends
     */
    static double search(DoubleUnaryOperator error, DoublePredicate isLast) {
        int finePerCoarse = FINE_PER_OCTAVE / COARSE_PER_OCTAVE;
        int coarse = best(0, OCTAVES * FINE_PER_OCTAVE, finePerCoarse, error, isLast);
        int fine =
                best(
                        Math.max(0, coarse - finePerCoarse + 1),
                        coarse + finePerCoarse,
                        1,
                        error,
                        isLast);
        return share(fine);
    }

    private static int best(
            int first, int end, int step, DoubleUnaryOperator error, DoublePredicate isLast) {
        int best = first;
        double least = Double.POSITIVE_INFINITY;
        for (int i = first; i < end; i += step) {
            double found = error.applyAsDouble(share(i));
            if (found < least) {
                least = found;
                best = i;
            }
            if (isLast.test(share(i))) {
                break;
            }
        }
        return best;
    }

    /* StrictMath: the same scales on every machine. */
    private static double share(int steps) {
        return StrictMath.pow(2, -steps / (double) FINE_PER_OCTAVE);
    }
}
