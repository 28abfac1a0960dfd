// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.dl4jquant.check.Require;

/**
 * Chooses for every group of layers so that the predicted losses add up to the least that is
 * possible within all budgets: the multiple-choice knapsack problem, solved exactly.
 *
 * <pre>{@code
 * Allocation best =
 *         BitAllocation.best(groups, List.of(new Budget("bytes", 250_000), new Budget("ms", 0.8)));
 * }</pre>
 *
 * <p>One or two budgets with some dozens of groups take milliseconds, and memory stays small. The
 * problem is NP-hard: with three budgets and more, or choices made to be difficult (of which the
 * losses are the costs, but for the sign), it can take long; {@link #best(List, List, long)} gives
 * up.
 */
public final class BitAllocation {

    private static final double PERCENT = 100;

    private BitAllocation() {}

    /**
     * {@return the allocation with the least loss within all budgets}
     *
     * @param groups whose choices have a cost for each budget
     * @param budgets none, one or several
     * @throws OverBudgetException if no allocation meets all budgets
     * @throws IllegalArgumentException if there is no group, or a choice has more or fewer costs
     *     than there are budgets
     */
    public static Allocation best(List<ChoiceGroup> groups, List<Budget> budgets) {
        Require.given(groups, "groups");
        Require.given(budgets, "budgets");
        return best(groups, budgets, Long.MAX_VALUE);
    }

    /**
     * {@return the allocation with the least loss within all budgets, unless that is too hard to
     * find}
     *
     * @param groups whose choices have a cost for each budget
     * @param budgets none, one or several
     * @param parts into how many parts the search may divide the problem, 1 or more; a part takes
     *     milliseconds, hard ones a second, and most problems have less than ten
     * @throws UnprovenException if that many parts do not prove an allocation to be the best; it
     *     has the best one found, and what all lose at least
     * @throws OverBudgetException if no allocation meets all budgets
     * @throws IllegalArgumentException if there is no group, a choice has more or fewer costs than
     *     there are budgets, or {@code parts} is not above 0
     */
    public static Allocation best(List<ChoiceGroup> groups, List<Budget> budgets, long parts) {
        Require.given(groups, "groups");
        Require.given(budgets, "budgets");
        Require.argument(parts > 0, "a search of %d parts finds nothing; allow 1 or more", parts);
        Problem problem = new Problem(groups, budgets);
        requireEachCanBeMet(problem);
        BranchAndBound search = new BranchAndBound(problem);
        int[] chosen = search.solve(parts);
        if (!search.isProven()) {
            throw new UnprovenException(
                    parts, chosen == null ? null : problem.allocation(chosen), search.bound());
        }
        if (chosen == null) {
            throw new OverBudgetException(together(problem));
        }
        return problem.allocation(chosen);
    }

    /**
     * {@return the best allocations for limits of one cost from the least possible to what the
     * least loss needs, in equal steps; each only once, the cheapest first}
     *
     * @param groups whose choices have one cost
     * @param cost the name of that, with its unit
     * @param points how many limits, 2 or more
     * @throws IllegalArgumentException if there is no group, a choice has not one cost, or there
     *     are too few points
     */
    public static List<Allocation> front(List<ChoiceGroup> groups, String cost, int points) {
        Require.given(groups, "groups");
        Require.given(cost, "cost");
        Require.argument(points >= 2, "%d points make no front; ask for 2 or more", points);
        Problem free = new Problem(groups, List.of(new Budget(cost, Double.POSITIVE_INFINITY)));
        double least = free.cheapest(0);
        Allocation dearest = best(groups, List.of(new Budget(cost, Double.POSITIVE_INFINITY)));
        double most = dearest.costs().get(0);
        List<Allocation> front = new ArrayList<>();
        for (int point = 0; point < points; point++) {
            double limit = least + (most - least) * point / (points - 1);
            Allocation best = best(groups, List.of(new Budget(cost, limit)));
            if (front.isEmpty() || best.loss() < front.get(front.size() - 1).loss()) {
                front.add(best);
            }
        }
        return List.copyOf(front);
    }

    private static void requireEachCanBeMet(Problem problem) {
        List<String> missed = new ArrayList<>();
        for (int budget = 0; budget < problem.budgets(); budget++) {
            double cheapest = problem.cheapest(budget);
            if (!problem.meets(cheapest, budget)) {
                missed.add(missed(problem, budget, cheapest));
            }
        }
        if (!missed.isEmpty()) {
            throw new OverBudgetException(
                    String.join("; ", missed) + "; raise the budget, or allow fewer bits");
        }
    }

    private static String missed(Problem problem, int budget, double cheapest) {
        double limit = problem.limit(budget);
        return String.format(
                Locale.ROOT,
                "the budget of %s is %s, but the cheapest choices need %s, %s more%s",
                problem.budgetName(budget),
                number(limit),
                number(cheapest),
                number(cheapest - limit),
                limit > 0
                        ? String.format(
                                Locale.ROOT, " (%.1f %%)", PERCENT * (cheapest - limit) / limit)
                        : "");
    }

    /* Each budget can be met, but not with the others: what the last needs if those before hold. */
    private static String together(Problem problem) {
        double[] limits = new double[problem.budgets()];
        Arrays.fill(limits, Double.POSITIVE_INFINITY);
        List<String> met = new ArrayList<>();
        for (int budget = 0; budget < limits.length; budget++) {
            Problem cheapest = problem.within(limits).minimizing(budget);
            int[] chosen = new BranchAndBound(cheapest).solve();
            double needed = chosen == null ? Double.NaN : problem.cost(chosen, budget);
            if (!problem.meets(needed, budget)) {
                return "no choices meet all budgets: within "
                        + String.join(" and ", met)
                        + ", "
                        + missed(problem, budget, needed)
                        + "; raise a budget, or allow fewer bits";
            }
            limits[budget] = problem.limit(budget);
            met.add(number(problem.limit(budget)) + " " + problem.budgetName(budget));
        }
        throw new IllegalStateException("choices meet all budgets, but were not found");
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.format(Locale.ROOT, "%,.0f", value)
                : String.format(Locale.ROOT, "%.6g", value);
    }
}
