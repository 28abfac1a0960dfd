// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Lagrange's relaxation: each budget gets a price per unit, and what is spent above it is paid for
 * instead of being forbidden. For any prices at least 0 that gives a lower bound of the loss, since
 * each group then chooses for itself; the best prices are sought by subgradient steps. On the way
 * it meets good choices that keep the budgets.
 *
 * @see <a href="https://doi.org/10.1007/978-3-540-24777-7">Kellerer, Pferschy and Pisinger,
 *     Knapsack problems, 2004, chapter 11: the multiple-choice knapsack problem</a>
 */
final class Relaxation {

    private static final int STEPS = 400;

    /* When so many steps have not raised the bound, they are too long. */
    private static final int PATIENCE = 20;

    private final Problem problem;
    private final double[] prices;
    private double bound = Double.NEGATIVE_INFINITY;
    private double bestLoss = Double.POSITIVE_INFINITY;
    private int @Nullable [] best;

    /**
     * Seeks prices.
     *
     * @param problem each of its budgets can be met for itself
     */
    Relaxation(Problem problem) {
        this.problem = problem;
        prices = new double[problem.budgets()];
        offer(cheapestByShare());
        seek();
        polish();
    }

    /** {@return a price for each budget} */
    double[] prices() {
        return prices.clone();
    }

    /** {@return the best choices met; null if none kept the budgets} */
    int @Nullable [] best() {
        return best;
    }

    /** {@return what a choice costs with the prices, beside its loss} */
    static double priced(Problem problem, double[] prices, int group, int choice) {
        double sum = problem.loss(group, choice);
        for (int budget = 0; budget < prices.length; budget++) {
            sum += prices[budget] * problem.cost(group, choice, budget);
        }
        return sum;
    }

    private void seek() {
        double[] now = new double[prices.length];
        double[] units = units();
        double length = 1;
        int since = 0;
        for (int step = 0; step < STEPS && length > Math.ulp(1f); step++) {
            int[] chosen = choose(now);
            offer(chosen);
            double reached = bound(now, chosen);
            if (reached > bound) {
                bound = reached;
                System.arraycopy(now, 0, prices, 0, now.length);
                since = 0;
            } else if (++since == PATIENCE) {
                length /= 2;
                since = 0;
                System.arraycopy(prices, 0, now, 0, now.length);
            }
            for (int budget = 0; budget < now.length; budget++) {
                if (Double.isFinite(problem.limit(budget))) {
                    double overrun = problem.cost(chosen, budget) - problem.limit(budget);
                    double share = overrun / Math.max(problem.limit(budget), 1e-300);
                    now[budget] =
                            Math.max(
                                    0,
                                    now[budget]
                                            + length
                                                    * units[budget]
                                                    * Math.max(-1, Math.min(1, share)));
                }
            }
        }
    }

    /* A price that is as important as the losses: their spread by the spread of the costs. */
    private double[] units() {
        double[] units = new double[prices.length];
        double losses = 0;
        for (int group = 0; group < problem.groups(); group++) {
            int at = group;
            losses += spread(problem.choices(group), choice -> problem.loss(at, choice));
        }
        for (int budget = 0; budget < units.length; budget++) {
            int of = budget;
            double costs = 0;
            for (int group = 0; group < problem.groups(); group++) {
                int at = group;
                costs += spread(problem.choices(group), choice -> problem.cost(at, choice, of));
            }
            units[budget] = costs > 0 ? losses / costs : 0;
        }
        return units;
    }

    private static double spread(int count, IntToDoubleFunction values) {
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            least = Math.min(least, values.applyAsDouble(i));
            most = Math.max(most, values.applyAsDouble(i));
        }
        return most - least;
    }

    private int[] choose(double[] now) {
        int[] chosen = new int[problem.groups()];
        for (int group = 0; group < chosen.length; group++) {
            double least = Double.POSITIVE_INFINITY;
            for (int choice = 0; choice < problem.choices(group); choice++) {
                double priced = priced(problem, now, group, choice);
                if (priced < least) {
                    least = priced;
                    chosen[group] = choice;
                }
            }
        }
        return chosen;
    }

    private double bound(double[] now, int[] chosen) {
        double sum = 0;
        for (int group = 0; group < chosen.length; group++) {
            sum += priced(problem, now, group, chosen[group]);
        }
        for (int budget = 0; budget < now.length; budget++) {
            sum -= now[budget] > 0 ? now[budget] * problem.limit(budget) : 0;
        }
        return sum;
    }

    private void offer(int[] chosen) {
        if (problem.meets(chosen) && problem.loss(chosen) < bestLoss) {
            bestLoss = problem.loss(chosen);
            best = chosen.clone();
        }
    }

    /* The choices whose largest share of a budget is the least. */
    private int[] cheapestByShare() {
        int[] chosen = new int[problem.groups()];
        for (int group = 0; group < chosen.length; group++) {
            double least = Double.POSITIVE_INFINITY;
            for (int choice = 0; choice < problem.choices(group); choice++) {
                double most = 0;
                for (int budget = 0; budget < problem.budgets(); budget++) {
                    most =
                            Math.max(
                                    most,
                                    problem.cost(group, choice, budget)
                                            / Math.max(problem.limit(budget), 1e-300));
                }
                if (most < least) {
                    least = most;
                    chosen[group] = choice;
                }
            }
        }
        return chosen;
    }

    /* Changes one group, then two at once, as long as that lowers the loss within the budgets. */
    private void polish() {
        boolean better = best != null;
        while (better) {
            double before = bestLoss;
            for (int group = 0; group < problem.groups(); group++) {
                improve(group);
            }
            for (int one = 0; one < problem.groups(); one++) {
                for (int other = 0; other < one; other++) {
                    improve(one, other);
                }
            }
            better = bestLoss < before;
        }
    }

    private void improve(int group) {
        int[] trial = known().clone();
        for (int choice = 0; choice < problem.choices(group); choice++) {
            trial[group] = choice;
            offer(trial);
        }
    }

    private void improve(int one, int other) {
        int[] trial = known().clone();
        for (int first = 0; first < problem.choices(one); first++) {
            trial[one] = first;
            for (int second = 0; second < problem.choices(other); second++) {
                trial[other] = second;
                offer(trial);
            }
        }
    }

    private int[] known() {
        int[] known = best;
        if (known == null) {
            throw new IllegalStateException("nothing to improve");
        }
        return Arrays.copyOf(known, known.length);
    }
}
