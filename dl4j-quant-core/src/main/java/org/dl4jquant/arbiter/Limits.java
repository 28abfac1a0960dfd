// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.Serializable;
import org.dl4jquant.check.Require;

/**
 * How large and slow a candidate may be.
 *
 * @param bytes the most bytes of its parameters
 * @param milliseconds the longest time of one inference
 */
public record Limits(long bytes, double milliseconds) implements Serializable {

    /** No limit. */
    public static final Limits NONE = new Limits(Long.MAX_VALUE, Double.POSITIVE_INFINITY);

    /** Checks that both are above 0. */
    public Limits {
        Require.argument(
                bytes > 0 && milliseconds > 0,
                "limits of %d bytes and %s ms; both must be above 0",
                bytes,
                milliseconds);
    }

    /**
     * {@return a limit of size alone}
     *
     * @param bytes the most bytes of its parameters
     */
    public static Limits ofBytes(long bytes) {
        return new Limits(bytes, Double.POSITIVE_INFINITY);
    }

    /**
     * {@return these limits with one of time}
     *
     * @param milliseconds the longest time of one inference
     */
    public Limits withMilliseconds(double milliseconds) {
        return new Limits(bytes, milliseconds);
    }

    /**
     * {@return by which factor a candidate is over the limit it misses most; 1 or less within all}
     *
     * @param candidateBytes its bytes
     * @param candidateMilliseconds its time; NaN if it was not measured
     */
    double excess(long candidateBytes, double candidateMilliseconds) {
        double bySize = candidateBytes / (double) bytes;
        return Double.isNaN(candidateMilliseconds)
                ? bySize
                : Math.max(bySize, candidateMilliseconds / milliseconds);
    }
}
