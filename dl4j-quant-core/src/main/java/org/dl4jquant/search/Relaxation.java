// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;

/**
 * Lagrange's relaxation: each budget gets a price per unit, and what is spent above it is paid for
 * instead of being forbidden. For any prices at least 0 that gives a lower bound of the loss, since
 * each group then chooses for itself.
 *
 * <p>The best prices are those where the bound, which is concave and made of planes, is highest.
 * One price after the other: the bound's height over the first price, all others being best, is
 * concave again, so where the tangents left and right of the peak meet is the next place to try.
 * That ends after as many steps as there are planes, and takes some dozens; for each further budget
 * so many times more.
 *
 * @see <a href="https://doi.org/10.1137/0108053">Kelley, The cutting-plane method for solving
 *     convex programs, 1960</a>
 * @see <a href="https://doi.org/10.1007/978-3-540-24777-7">Kellerer, Pferschy and Pisinger,
 *     Knapsack problems, 2004, chapter 11: the multiple-choice knapsack problem</a>
 */
final class Relaxation {

    private static final int STEPS = 100;

    /* Tangents that promise less above the height reached do not raise the bound. */
    private static final double PRECISION = 1e-14;

    /* With many budgets each is searched less exactly; any prices give a bound. */
    private static final double COARSE = 1e-5;

    private static final int EXACT_BUDGETS = 2;

    /* Prices beyond so many times what is usual mean that nothing fits. */
    private static final double HIGHEST = 1e12;

    private final Knapsack knapsack;
    private final double enough;
    private final double precision;
    private final double[] units;
    private final double[] prices;
    private final double bound;
    private final double rounding;

    /** The bound's height at some prices, and its slope in the direction of each price. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Height(double value, double[] slopes, double[] prices) {}

    /**
     * Seeks prices.
     *
     * @param knapsack has a choice in each group
     * @param enough a bound above this need not be raised further
     */
    Relaxation(Knapsack knapsack, double enough) {
        this.knapsack = knapsack;
        this.enough = enough;
        precision = knapsack.budgets() <= EXACT_BUDGETS ? PRECISION : COARSE;
        units = units(knapsack);
        Height highest = peak(new double[knapsack.budgets()], 0);
        prices = highest.prices();
        bound = highest.value();
        rounding = rounding(knapsack, prices);
    }

    /** {@return a lower bound of the loss of all allocations} */
    double bound() {
        return bound;
    }

    /** {@return by how much the bound and sums of prices may be wrong} */
    double rounding() {
        return rounding;
    }

    /** {@return the choice of each group whose loss and priced costs are the least} */
    int[] cheapest() {
        int[] chosen = new int[knapsack.groups()];
        Arrays.setAll(chosen, group -> cheapest(group, prices));
        return chosen;
    }

    /** {@return how much more than the group's best choice a choice is priced} */
    double[][] excess() {
        double[][] excess = new double[knapsack.groups()][];
        for (int group = 0; group < excess.length; group++) {
            excess[group] = new double[knapsack.choices(group)];
            double least = priced(group, cheapest(group, prices), prices);
            for (int choice = 0; choice < excess[group].length; choice++) {
                excess[group][choice] = priced(group, choice, prices) - least;
            }
        }
        return excess;
    }

    private double priced(int group, int choice, double[] at) {
        double sum = knapsack.loss(group, choice);
        for (int budget = 0; budget < at.length; budget++) {
            sum += at[budget] * knapsack.cost(group, choice, budget);
        }
        return sum;
    }

    private int cheapest(int group, double[] at) {
        int cheapest = 0;
        double least = priced(group, 0, at);
        for (int choice = 1; choice < knapsack.choices(group); choice++) {
            double priced = priced(group, choice, at);
            if (priced < least) {
                least = priced;
                cheapest = choice;
            }
        }
        return cheapest;
    }

    private Height height(double[] at) {
        double value = 0;
        double[] slopes = new double[at.length];
        for (int budget = 0; budget < at.length; budget++) {
            value -= at[budget] * knapsack.limit(budget);
            slopes[budget] = -knapsack.limit(budget);
        }
        for (int group = 0; group < knapsack.groups(); group++) {
            int chosen = cheapest(group, at);
            value += priced(group, chosen, at);
            for (int budget = 0; budget < at.length; budget++) {
                slopes[budget] += knapsack.cost(group, chosen, budget);
            }
        }
        return new Height(value, slopes, at.clone());
    }

    /* The peak over the prices from one budget on, those before being fixed. */
    private Height peak(double[] at, int budget) {
        if (budget == at.length) {
            return height(at);
        }
        Height left = with(at, budget, 0);
        if (left.slopes()[budget] <= 0 || left.value() > enough) {
            return left;
        }
        double most = units[budget];
        Height right = with(at, budget, most);
        while (right.slopes()[budget] > 0) {
            if (right.value() > enough || most > HIGHEST * units[budget]) {
                return right;
            }
            left = right;
            most *= 2;
            right = with(at, budget, most);
        }
        return between(at, budget, left, right);
    }

    private Height with(double[] at, int budget, double price) {
        double[] now = at.clone();
        now[budget] = price;
        return peak(now, budget + 1);
    }

    /* Rising on the left, not on the right. */
    private Height between(double[] at, int budget, Height rising, Height falling) {
        Height left = rising;
        Height right = falling;
        Height top = left.value() >= right.value() ? left : right;
        for (int step = 0; step < STEPS && top.value() <= enough; step++) {
            double steepness = left.slopes()[budget] - right.slopes()[budget];
            double from = left.prices()[budget];
            double meeting =
                    (right.value()
                                    - left.value()
                                    + left.slopes()[budget] * from
                                    - right.slopes()[budget] * right.prices()[budget])
                            / steepness;
            double promised = left.value() + left.slopes()[budget] * (meeting - from);
            if (!(meeting > from && meeting < right.prices()[budget])
                    || promised - top.value() <= precision * Math.abs(promised)) {
                break;
            }
            Height middle = with(at, budget, meeting);
            top = middle.value() > top.value() ? middle : top;
            if (middle.slopes()[budget] > 0) {
                left = middle;
            } else {
                right = middle;
            }
        }
        return new Height(top.value(), level(left, right, budget), top.prices());
    }

    /* Between a slope above 0 and one below lies a level one; the slopes in all directions are
     * mixed alike. */
    private static double[] level(Height left, Height right, int budget) {
        double share = right.slopes()[budget] / (right.slopes()[budget] - left.slopes()[budget]);
        double[] mixed = new double[left.slopes().length];
        for (int i = 0; i < mixed.length; i++) {
            mixed[i] = share * left.slopes()[i] + (1 - share) * right.slopes()[i];
        }
        return mixed;
    }

    /* Prices that are as important as the losses: their spread by the spread of the costs. */
    private static double[] units(Knapsack knapsack) {
        double[] units = new double[knapsack.budgets()];
        double losses = 0;
        for (int group = 0; group < knapsack.groups(); group++) {
            double[] all = new double[knapsack.choices(group)];
            for (int choice = 0; choice < all.length; choice++) {
                all[choice] = knapsack.loss(group, choice);
            }
            losses += spread(all);
        }
        for (int budget = 0; budget < units.length; budget++) {
            double costs = 0;
            for (int group = 0; group < knapsack.groups(); group++) {
                double[] all = new double[knapsack.choices(group)];
                for (int choice = 0; choice < all.length; choice++) {
                    all[choice] = knapsack.cost(group, choice, budget);
                }
                costs += spread(all);
            }
            units[budget] = (losses > 0 ? losses : 1) / (costs > 0 ? costs : 1);
        }
        return units;
    }

    private static double spread(double[] values) {
        double least = values[0];
        double most = values[0];
        for (double value : values) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        return most - least;
    }

    /* Each addition may round by half a unit in the last place of the sum so far. */
    private static double rounding(Knapsack knapsack, double[] prices) {
        double sum = 0;
        for (int budget = 0; budget < prices.length; budget++) {
            sum += prices[budget] * knapsack.limit(budget);
        }
        for (int group = 0; group < knapsack.groups(); group++) {
            double most = 0;
            for (int choice = 0; choice < knapsack.choices(group); choice++) {
                most = Math.max(most, Math.abs(knapsack.loss(group, choice)));
            }
            sum += most;
        }
        return sum * (knapsack.groups() + prices.length) * Math.ulp(1.0);
    }
}
