// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best choices exactly, up to the rounding of float64 sums.
 *
 * <p>Parts of the problem wait in the order of their bounds. Prices say which choices can be part
 * of a better allocation than the best one known; if few combinations can, {@link MeetInTheMiddle}
 * tries them all. If not, it tries those priced lowest, which finds good allocations and raises the
 * bound to the price of those left out; then the part is divided by the choices of one group, for
 * each of which there are better prices. What is kept at a time is small: no list grows without
 * limit.
 *
 * @see <a href="https://doi.org/10.1016/0377-2217(95)00015-I">Pisinger, A minimal algorithm for the
 *     multiple-choice knapsack problem, 1995</a>
 */
final class BranchAndBound {

    /* How many allocations of a half are listed: few first, since they find a good one, which
     * leaves less to list. Tuned by AllocationBenchmark; four times more or fewer change little. */
    private static final int[] LENGTHS = {64, 512, 4096, 32_768, 131_072};

    /* The two longest wait until so many parts were searched without them: whole costs of which many
     * sums are equal need them, other problems are better divided. */
    private static final int[] PATIENCE = {0, 0, 0, 8, 128};

    /* With more than two budgets the halves are joined pair by pair. */
    private static final int MOST_PAIRED = 512;

    private static final int JOINED_FAST = 2;

    /* Sums of losses in two orders differ by less than so many times their size, their number and
     * the rounding of one. Of allocations that are as near as that, any counts as the best. */
    private static final double ROUNDING = 16 * Math.ulp(1.0);

    private final Problem problem;
    private final int[] lengths;
    private final double rounding;
    private final PriorityQueue<Part> open =
            new PriorityQueue<>(
                    Comparator.comparingDouble(Part::bound).thenComparingLong(Part::number));
    private int @Nullable [] best;
    private double least = Double.POSITIVE_INFINITY;
    private long parts;
    private long searched;

    /** A part of the allocations, none of which loses less than the bound. */
    private record Part(Knapsack knapsack, Relaxation relaxation, double bound, long number) {}

    /**
     * Prepares the search.
     *
     * @param problem each of its budgets can be met for itself
     */
    BranchAndBound(Problem problem) {
        this(problem, LENGTHS);
    }

    /**
     * Prepares the search.
     *
     * @param problem each of its budgets can be met for itself
     * @param lengths how many allocations of a half are listed, growing
     */
    BranchAndBound(Problem problem, int... lengths) {
        this.problem = problem;
        this.lengths = lengths.clone();
        rounding = ROUNDING * problem.groups() * problem.size();
    }

    /** {@return the best choices; null if none meets the budgets} */
    int @Nullable [] solve() {
        return solve(Long.MAX_VALUE);
    }

    /**
     * {@return the best choices, or the best found until then; null if there are none}
     *
     * @param most how many parts of the problem to search at most
     */
    int @Nullable [] solve(long most) {
        open(Knapsack.of(problem), Double.NEGATIVE_INFINITY);
        while (!isProven() && searched < most) {
            search(open.remove());
            searched++;
        }
        return best;
    }

    /** {@return whether nothing better is left to find} */
    boolean isProven() {
        Part first = open.peek();
        return first == null || !isPromising(first.bound());
    }

    /** {@return a lower bound of the loss of all allocations} */
    double bound() {
        Part first = open.peek();
        return first == null ? least : Math.min(least, first.bound());
    }

    private boolean isPromising(double bound) {
        return bound + rounding < least;
    }

    private void open(Knapsack choices, double known) {
        Knapsack knapsack = choices.reduced();
        if (knapsack.isImpossible()) {
            return;
        }
        double enough = Math.min(least, knapsack.worst());
        Relaxation relaxation = new Relaxation(knapsack, enough);
        double bound = Math.max(known, relaxation.bound() - relaxation.rounding());
        if (bound <= enough && isPromising(bound)) {
            open.add(new Part(knapsack, relaxation, bound, parts++));
        }
    }

    private void search(Part part) {
        Relaxation relaxation = part.relaxation();
        if (part.knapsack().budgets() == 0) {
            offer(part.knapsack(), relaxation.cheapest());
            return;
        }
        double gap = gap(part);
        double[][] all = relaxation.excess();
        Knapsack knapsack = part.knapsack().keeping((group, choice) -> all[group][choice] <= gap);
        double[][] excess =
                Arrays.stream(all)
                        .map(each -> Arrays.stream(each).filter(value -> value <= gap).toArray())
                        .toArray(double[][]::new);
        double proven = list(part, knapsack, excess);
        double bound = Math.max(part.bound(), relaxation.bound() - relaxation.rounding() + proven);
        if (proven < gap(part) && isPromising(bound)) {
            divide(knapsack, mostOpen(knapsack, excess, gap), bound);
        }
    }

    /* An allocation that is priced higher above the cheapest is not better than the best known. */
    private double gap(Part part) {
        return Math.min(least, part.knapsack().worst())
                - part.relaxation().bound()
                + part.relaxation().rounding();
    }

    /* Returns the excess below which nothing was left out. */
    private double list(Part part, Knapsack knapsack, double[][] excess) {
        double proven = 0;
        for (int i = 0; i < lengths.length && searched >= PATIENCE[i]; i++) {
            int most =
                    knapsack.budgets() <= JOINED_FAST
                            ? lengths[i]
                            : Math.min(lengths[i], MOST_PAIRED);
            MeetInTheMiddle halves = new MeetInTheMiddle(knapsack, excess, gap(part), least, most);
            proven = Math.max(proven, halves.proven());
            int[] chosen = halves.chosen();
            if (chosen != null) {
                offer(knapsack, chosen);
            }
            if (proven >= gap(part)) {
                break;
            }
        }
        return proven;
    }

    private void offer(Knapsack knapsack, int[] chosen) {
        int[] ids = new int[chosen.length];
        Arrays.setAll(ids, group -> knapsack.id(group, chosen[group]));
        double loss = problem.loss(ids);
        if (loss < least) {
            least = loss;
            best = ids;
        }
    }

    private void divide(Knapsack knapsack, int group, double bound) {
        for (int choice = 0; choice < knapsack.choices(group); choice++) {
            int taken = choice;
            open(knapsack.keeping((at, each) -> at != group || each == taken), bound);
        }
    }

    /* The group in which two choices that differ much are priced about as low. */
    private static int mostOpen(Knapsack knapsack, double[][] excess, double gap) {
        int group = -1;
        double most = -1;
        for (int at = 0; at < excess.length; at++) {
            for (int one = 0; one < excess[at].length; one++) {
                for (int other = 0; other < one; other++) {
                    double price = Math.max(excess[at][one], excess[at][other]);
                    double open =
                            Math.abs(knapsack.loss(at, one) - knapsack.loss(at, other))
                                    * (1 - price / gap);
                    if (open > most) {
                        most = open;
                        group = at;
                    }
                }
            }
        }
        return group;
    }
}
