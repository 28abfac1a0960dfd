// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Meeting in the middle: lists the allocations of two halves of the groups that may be part of a
 * good one, and joins them. Two lists of thousands stand for millions of allocations.
 *
 * @see <a href="https://doi.org/10.1145/321812.321823">Horowitz and Sahni, Computing partitions
 *     with applications to the knapsack problem, 1974</a>
 */
final class MeetInTheMiddle {

    private final Knapsack knapsack;
    private final double[][] excess;
    private final HalfAllocations one;
    private final HalfAllocations other;
    private final int @Nullable [] chosen;

    /**
     * Searches.
     *
     * @param knapsack has a choice in each group, and a budget
     * @param excess by how much each choice is priced above the cheapest of its group
     * @param gap allocations with a higher excess are of no use
     * @param below only a loss below this is of interest
     * @param most how many allocations of a half to list at most
     */
    MeetInTheMiddle(Knapsack knapsack, double[][] excess, double gap, double below, int most) {
        this.knapsack = knapsack;
        this.excess = excess;
        one = new HalfAllocations(knapsack.budgets(), gap);
        other = new HalfAllocations(knapsack.budgets(), gap);
        list(most);
        chosen = new FenwickSweep(knapsack, one, other, below).chosen();
    }

    /** {@return the place of each group's choice; null if none loses less than asked} */
    int @Nullable [] chosen() {
        return chosen;
    }

    /** {@return the excess below which no allocation was left out} */
    double proven() {
        return Math.min(one.proven(), other.proven());
    }

    /* The shorter list grows: both stay about as long. */
    private void list(int most) {
        double[] room = room();
        double[] otherRoom = room.clone();
        for (int group : order()) {
            boolean shorter = one.size() <= other.size();
            double[] left = shorter ? room : otherRoom;
            for (int budget = 0; budget < left.length; budget++) {
                left[budget] += knapsack.cheapest(group, budget);
            }
            (shorter ? one : other).extend(group, rows(group), left, most);
        }
    }

    /* What is left of each limit if all groups choose the cheapest. */
    private double[] room() {
        double[] room = new double[knapsack.budgets()];
        for (int budget = 0; budget < room.length; budget++) {
            room[budget] = knapsack.limit(budget) + knapsack.rounding(budget);
            for (int group = 0; group < knapsack.groups(); group++) {
                room[budget] -= knapsack.cheapest(group, budget);
            }
        }
        return room;
    }

    /* The groups in which the second choice is the worst come first: so lists stay short. */
    private int[] order() {
        return IntStream.range(0, excess.length)
                .boxed()
                .sorted(Comparator.comparingDouble(group -> -second(excess[group])))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static double second(double[] excess) {
        double[] sorted = excess.clone();
        Arrays.sort(sorted);
        return sorted.length == 1 ? Double.POSITIVE_INFINITY : sorted[1];
    }

    private double[][] rows(int group) {
        int budgets = knapsack.budgets();
        double[][] rows = new double[knapsack.choices(group)][budgets + 2];
        for (int choice = 0; choice < rows.length; choice++) {
            for (int budget = 0; budget < budgets; budget++) {
                rows[choice][budget] = knapsack.cost(group, choice, budget);
            }
            rows[choice][budgets] = knapsack.loss(group, choice);
            rows[choice][budgets + 1] = excess[group][choice];
        }
        return rows;
    }
}
