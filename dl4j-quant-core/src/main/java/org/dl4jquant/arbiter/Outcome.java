// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.io.Serializable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a candidate.
 *
 * @param status whether it has an accuracy
 * @param accuracy share of the test examples that it classifies rightly, 0 to 1; NaN without
 * @param bytes bytes of its parameters, weights at their widths; 0 if unknown
 * @param milliseconds time of one inference; NaN if it was not measured
 * @param seconds duration of the run
 * @param reason why it has no accuracy; empty if it has
 */
public record Outcome(
        Status status,
        double accuracy,
        long bytes,
        double milliseconds,
        double seconds,
        String reason)
        implements Serializable {

    /** Whether a candidate has an accuracy. */
    public enum Status {
        /** It was trained and measured. */
        MEASURED,
        /** It is larger or slower than allowed, and was not trained. */
        OVER_LIMIT,
        /** It cannot be prepared, or its training failed or diverged. */
        FAILED
    }

    /** Checks that the parts are there. */
    public Outcome {
        Objects.requireNonNull(status, "status");
        Objects.requireNonNull(reason, "reason");
    }

    /**
     * {@return an outcome without accuracy}
     *
     * @param reason why
     * @param seconds how long it took to fail
     */
    static Outcome failed(String reason, double seconds) {
        return new Outcome(Status.FAILED, Double.NaN, 0, Double.NaN, seconds, reason);
    }

    /**
     * {@return the score that the search maximizes: the accuracy; below 0 the more a candidate is
     * over a limit; null if it failed}
     *
     * @param limits the limits of size and time
     */
    @Nullable Double score(Limits limits) {
        return switch (status) {
            case MEASURED -> accuracy;
            case OVER_LIMIT -> 1 - limits.excess(bytes, milliseconds);
            case FAILED -> null;
        };
    }
}
