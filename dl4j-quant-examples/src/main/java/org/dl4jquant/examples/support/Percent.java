// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.Arrays;
import java.util.Locale;

/** Shares as text, in percent. */
public final class Percent {

    private static final double PERCENT = 100;

    private Percent() {}

    /** {@return for example {@code 97.20 %}} */
    public static String of(double share) {
        return String.format(Locale.ROOT, "%.2f %%", PERCENT * share);
    }

    /** {@return a difference of shares in points, for example {@code +0.13}} */
    public static String points(double difference) {
        return String.format(Locale.ROOT, "%+.2f", PERCENT * difference);
    }

    /** {@return mean and sample deviation in percent, for example {@code 97.44 (0.37)}} */
    public static String summary(double... shares) {
        double mean = Arrays.stream(shares).average().orElseThrow();
        double squares = Arrays.stream(shares).map(share -> (share - mean) * (share - mean)).sum();
        double deviation = shares.length < 2 ? 0 : Math.sqrt(squares / (shares.length - 1));
        return String.format(Locale.ROOT, "%.2f (%.2f)", PERCENT * mean, PERCENT * deviation);
    }
}
