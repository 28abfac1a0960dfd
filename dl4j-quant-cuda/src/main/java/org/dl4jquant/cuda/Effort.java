// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import org.dl4jquant.check.Require;

/**
 * How much is done to know a time, or that something is right.
 *
 * @param repeats how many times are taken, of which medians are given
 * @param warmUpMillis how long the same is done before, so that clocks have risen
 * @param flushBytes what is written to device memory to empty the second-level cache, and what is
 *     copied to measure the bandwidth; several times that cache
 * @param conformances with how many random inputs single instructions are tried
 */
record Effort(int repeats, int warmUpMillis, long flushBytes, int conformances) {

    /** For a measurement that shall be believed: the largest cache of a GPU has 60 MB. */
    static final Effort USUAL = new Effort(50, 100, 512L << 20, 1000);

    Effort {
        Require.argument(
                repeats >= 1 && warmUpMillis >= 0 && flushBytes >= 1 && conformances >= 1,
                "an effort of %d repeats, %d ms of warm-up, %d bytes and %d conformances",
                repeats,
                warmUpMillis,
                flushBytes,
                conformances);
    }

    /* Only times, without much ado. */
    static Effort of(int repeats) {
        return new Effort(repeats, 1, 1, 1);
    }
}
