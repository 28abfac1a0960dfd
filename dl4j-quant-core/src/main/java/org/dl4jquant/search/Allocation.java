// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;

/**
 * A choice for every group.
 *
 * @param choices one of each group's, in the order of the groups
 * @param loss the sum of their losses
 * @param costs the sums of their costs, in the order of the budgets
 */
public record Allocation(List<Choice> choices, double loss, List<Double> costs) {

    /** Copies. */
    public Allocation {
        choices = List.copyOf(choices);
        costs = List.copyOf(costs);
    }
}
