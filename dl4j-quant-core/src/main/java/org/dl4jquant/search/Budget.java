// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * The most that all layers together may cost.
 *
 * @param name the quantity that is counted, with its unit, for example {@code bytes}
 * @param limit the most, at least 0; positive infinity counts without limiting
 */
public record Budget(String name, double limit) {

    /** Checks the limit. */
    public Budget {
        Objects.requireNonNull(name, "name");
        Require.argument(limit >= 0, "the budget of %s is %s; it must be at least 0", name, limit);
    }
}
