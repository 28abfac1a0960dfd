// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Joins allocations of two halves of the groups: finds the two that together lose the least within
 * all limits, without trying all pairs.
 *
 * <p>From the dearest of one half to its cheapest, by the first budget: more and more of the other
 * half's go with it. Of those the best that is also within the second budget is found in a tree of
 * the least losses by the second cost. More budgets are compared one by one.
 *
 * @see <a href="https://doi.org/10.1145/321812.321823">Horowitz and Sahni, Computing partitions
 *     with applications to the knapsack problem, 1974</a>
 */
final class FenwickSweep {

    private final Knapsack knapsack;
    private final HalfAllocations one;
    private final HalfAllocations other;
    private double least;
    private int best = -1;
    private int bestOther = -1;

    /**
     * Joins.
     *
     * @param knapsack with one budget at least
     * @param one of a half, sorted by the first cost
     * @param other of the other half, sorted by the first cost
     * @param below only a loss below this is of interest
     */
    FenwickSweep(Knapsack knapsack, HalfAllocations one, HalfAllocations other, double below) {
        this.knapsack = knapsack;
        this.one = one;
        this.other = other;
        least = below;
        Reachable reachable =
                switch (knapsack.budgets()) {
                    case 1 -> new Best();
                    case 2 -> new Tree();
                    default -> new Each();
                };
        int added = 0;
        for (int i = one.size() - 1; i >= 0; i--) {
            double left = knapsack.limit(0) - one.cost(i, 0);
            while (added < other.size() && other.cost(added, 0) <= left) {
                reachable.add(added++);
            }
            int found = reachable.best(i);
            if (found >= 0 && one.loss(i) + other.loss(found) < least) {
                least = one.loss(i) + other.loss(found);
                best = i;
                bestOther = found;
            }
        }
    }

    /** {@return the place of each group's choice; null if none loses less than asked} */
    int @Nullable [] chosen() {
        if (best < 0) {
            return null;
        }
        int[] chosen = new int[knapsack.groups()];
        one.choose(best, chosen);
        other.choose(bestOther, chosen);
        return chosen;
    }

    /** Those of the other half that go with one of this half as to the first budget. */
    private interface Reachable {

        void add(int allocation);

        /** {@return which of those added loses the least within the other budgets; -1 if none} */
        int best(int half);
    }

    /** The best of all. */
    private final class Best implements Reachable {
        private int lowest = -1;

        @Override
        public void add(int allocation) {
            if (lowest < 0 || other.loss(allocation) < other.loss(lowest)) {
                lowest = allocation;
            }
        }

        @Override
        public int best(int half) {
            return lowest;
        }
    }

    /**
     * The best up to each second cost.
     *
     * @see <a href="https://doi.org/10.1002/spe.4380240306">Fenwick, A new data structure for
     *     cumulative frequency tables, 1994</a>
     */
    private final class Tree implements Reachable {
        private final double[] seconds;
        private final int[] ranks;
        private final int[] lowest;

        Tree() {
            int size = other.size();
            ranks = new int[size];
            int[] order =
                    IntStream.range(0, size)
                            .boxed()
                            .sorted(Comparator.comparingDouble(each -> other.cost(each, 1)))
                            .mapToInt(Integer::intValue)
                            .toArray();
            seconds = new double[size];
            for (int rank = 0; rank < size; rank++) {
                ranks[order[rank]] = rank;
                seconds[rank] = other.cost(order[rank], 1);
            }
            lowest = new int[size + 1];
            Arrays.fill(lowest, -1);
        }

        @Override
        public void add(int allocation) {
            for (int at = ranks[allocation] + 1; at < lowest.length; at += at & -at) {
                if (lowest[at] < 0 || other.loss(allocation) < other.loss(lowest[at])) {
                    lowest[at] = allocation;
                }
            }
        }

        @Override
        public int best(int half) {
            int best = -1;
            for (int at = within(knapsack.limit(1) - one.cost(half, 1)); at > 0; at -= at & -at) {
                if (lowest[at] >= 0 && (best < 0 || other.loss(lowest[at]) < other.loss(best))) {
                    best = lowest[at];
                }
            }
            return best;
        }

        /* How many of the second costs are at most this. */
        private int within(double most) {
            int low = 0;
            int high = seconds.length;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (seconds[middle] <= most) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low;
        }
    }

    /** One by one. */
    private final class Each implements Reachable {
        private int count;

        @Override
        public void add(int allocation) {
            count = allocation + 1;
        }

        @Override
        public int best(int half) {
            int best = -1;
            double lower = least - one.loss(half);
            for (int i = 0; i < count; i++) {
                if (other.loss(i) < lower && fits(half, i)) {
                    best = i;
                    lower = other.loss(i);
                }
            }
            return best;
        }

        private boolean fits(int half, int i) {
            for (int budget = 1; budget < knapsack.budgets(); budget++) {
                if (one.cost(half, budget) + other.cost(i, budget) > knapsack.limit(budget)) {
                    return false;
                }
            }
            return true;
        }
    }
}
