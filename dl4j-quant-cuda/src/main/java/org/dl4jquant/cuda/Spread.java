// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.Arrays;
import org.dl4jquant.check.Require;

/**
 * Times of one thing that was done often.
 *
 * @param median in microseconds
 * @param low a tenth of the times are below
 * @param high a tenth of the times are above
 */
record Spread(double median, double low, double high) {

    /** {@return the spread of some times, at least one} */
    static Spread of(double[] micros) {
        Require.argument(micros.length > 0, "a spread of no times");
        double[] sorted = micros.clone();
        Arrays.sort(sorted);
        int last = sorted.length - 1;
        return new Spread(
                sorted[sorted.length / 2],
                sorted[(int) Math.round(0.1 * last)],
                sorted[(int) Math.round(0.9 * last)]);
    }
}
