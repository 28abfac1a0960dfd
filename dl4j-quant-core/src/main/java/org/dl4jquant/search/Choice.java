// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;

/**
 * One way to quantize a group of layers.
 *
 * @param name its name, for example {@code W4A8}
 * @param loss how much worse the network is predicted to become, finite; it may be below 0
 * @param costs its costs, one number for each budget in the order of the budgets, finite and at
 *     least 0
 */
public record Choice(String name, double loss, List<Double> costs) {

    /** Checks and copies. */
    public Choice {
        Objects.requireNonNull(name, "name");
        Require.argument(
                Double.isFinite(loss),
                "choice '%s' has a loss of %s; it must be finite",
                name,
                loss);
        costs = List.copyOf(costs);
        for (double cost : costs) {
            Require.argument(
                    cost >= 0 && Double.isFinite(cost),
                    "choice '%s' costs %s; a cost must be finite and at least 0",
                    name,
                    cost);
        }
    }
}
