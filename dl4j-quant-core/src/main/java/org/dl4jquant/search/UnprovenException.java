// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The best allocation was not found in the time given, or was not proven to be the best; the
 * message says how much better another one might be.
 */
public final class UnprovenException extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    private final transient @Nullable Allocation best;
    private final double bound;

    UnprovenException(long parts, @Nullable Allocation best, double bound) {
        super(
                String.format(
                        Locale.ROOT,
                        "after %,d parts of the search %s; allow more parts, or change the budgets",
                        parts,
                        best == null
                                ? String.format(
                                        Locale.ROOT,
                                        "no choices that meet the budgets are known, and all lose"
                                                + " %.6g or more",
                                        bound)
                                : String.format(
                                        Locale.ROOT,
                                        "the best choices known lose %.6g, at most %.3g more than"
                                                + " the best of all",
                                        best.loss(),
                                        best.loss() - bound)));
        this.best = best;
        this.bound = bound;
    }

    /** {@return the best allocation found; none if no choices that meet the budgets were found} */
    public Optional<Allocation> best() {
        return Optional.ofNullable(best);
    }

    /** {@return a lower bound of the loss of all allocations within the budgets} */
    public double bound() {
        return bound;
    }
}
