// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.Objects;
import org.dl4jquant.scheme.Precision;
import org.jspecify.annotations.Nullable;

/**
 * A part of a training that has one precision.
 *
 * @param precision the precision; null for the one that each layer was prepared for
 * @param end when it ends
 * @param frozenScales whether scales stop learning for as long as it lasts
 */
public record Stage(@Nullable Precision precision, StageEnd end, boolean frozenScales) {

    /** Checks that the end is there. */
    public Stage {
        Objects.requireNonNull(end, "end");
    }

    /** {@return whether it trains integers} */
    boolean isInteger() {
        return precision == null || precision.isInteger();
    }

    /** {@return the precision's name} */
    String name() {
        return precision == null ? "as prepared" : precision.toString();
    }
}
