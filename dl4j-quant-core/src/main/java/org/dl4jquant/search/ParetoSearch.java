// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best choices exactly. Group after group it keeps the partial allocations that no other
 * one beats in loss and in every cost, and drops those that cannot be completed within the budgets,
 * or whose relaxation says that they cannot become better than what is known.
 *
 * @see <a href="https://doi.org/10.1287/mnsc.15.9.494">Nemhauser and Ullmann, Discrete dynamic
 *     programming and capital allocation, 1969</a>
 */
final class ParetoSearch {

    /* Bounds are sums of float64 numbers in another order than the losses they bound. */
    private static final double ROUNDING = 1e-9;

    /* How many partial choices are kept in the searches that only look for a good solution. */
    private static final int[] BEAMS = {200, 2000, 20_000};

    private final Problem problem;
    private final double[] prices;
    private final double bound;
    private final double scale;
    private int @Nullable [] known;
    private double enough;
    private List<int[]> kept = List.of();
    private int[] order = {};

    /** Choices for the first groups of the order. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Partial(
            double loss, double[] costs, double priced, @Nullable Partial before, int choice) {}

    /**
     * Prepares the search.
     *
     * @param problem each of its budgets can be met for itself
     * @param relaxation of this problem
     */
    ParetoSearch(Problem problem, Relaxation relaxation) {
        this.problem = problem;
        prices = relaxation.prices();
        double sum = 0;
        double magnitude = 0;
        for (int group = 0; group < problem.groups(); group++) {
            sum += least(group);
            magnitude += Math.abs(least(group));
        }
        bound = sum - spentWithin();
        scale = magnitude;
        known = relaxation.best();
        keepThoseWithin(known == null ? Double.POSITIVE_INFINITY : problem.loss(known));
    }

    /* Drops choices that no allocation has whose loss is at most this. */
    private void keepThoseWithin(double best) {
        enough = best + ROUNDING * Math.max(scale, Math.abs(best));
        List<int[]> useful = new ArrayList<>();
        for (int group = 0; group < problem.groups(); group++) {
            useful.add(useful(group, enough - bound));
        }
        kept = useful;
        order =
                IntStream.range(0, problem.groups())
                        .boxed()
                        .sorted(Comparator.comparingDouble(group -> -spread(group)))
                        .mapToInt(Integer::intValue)
                        .toArray();
    }

    /** {@return the best choices; null if none meets the budgets} */
    int @Nullable [] solve() {
        // A solution near the bound leaves little to search; narrow searches find one soon.
        for (int beam : BEAMS) {
            Found found = search(beam);
            if (found.complete()) {
                return found.chosen();
            }
            int[] chosen = found.chosen();
            if (chosen != null && (known == null || problem.loss(chosen) < problem.loss(known))) {
                known = chosen;
                keepThoseWithin(problem.loss(chosen));
            }
        }
        return search(Integer.MAX_VALUE).chosen();
    }

    /* The best choices found, and whether nothing was left out. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Found(int @Nullable [] chosen, boolean complete) {}

    private Found search(int beam) {
        double[] pricedRest = new double[order.length + 1];
        double[][] cheapestRest = new double[order.length + 1][problem.budgets()];
        for (int i = order.length - 1; i >= 0; i--) {
            pricedRest[i] = pricedRest[i + 1] + least(order[i]);
            for (int budget = 0; budget < problem.budgets(); budget++) {
                cheapestRest[i][budget] =
                        cheapestRest[i + 1][budget] + problem.cheapest(order[i], budget);
            }
        }
        double most = enough + spentWithin();
        List<Partial> partials =
                List.of(new Partial(0, new double[problem.budgets()], 0, null, -1));
        boolean complete = true;
        for (int i = 0; i < order.length; i++) {
            List<Partial> next = new ArrayList<>();
            for (Partial partial : partials) {
                for (int choice : kept.get(order[i])) {
                    Partial longer = longer(partial, order[i], choice);
                    if (longer.priced() + pricedRest[i + 1] <= most
                            && fits(longer, cheapestRest[i + 1])) {
                        next.add(longer);
                    }
                }
            }
            partials = unbeaten(next);
            if (partials.size() > beam) {
                partials = mostPromising(partials, beam);
                complete = false;
            }
        }
        return new Found(partials.isEmpty() ? known : choices(partials.get(0)), complete);
    }

    private static List<Partial> mostPromising(List<Partial> all, int count) {
        return all.stream()
                .sorted(Comparator.comparingDouble(Partial::priced))
                .limit(count)
                .sorted(Comparator.comparingDouble(Partial::loss))
                .toList();
    }

    private double spentWithin() {
        double sum = 0;
        for (int budget = 0; budget < prices.length; budget++) {
            sum += prices[budget] > 0 ? prices[budget] * problem.limit(budget) : 0;
        }
        return sum;
    }

    private double priced(int group, int choice) {
        return Relaxation.priced(problem, prices, group, choice);
    }

    private double least(int group) {
        return IntStream.range(0, problem.choices(group))
                .mapToDouble(choice -> priced(group, choice))
                .min()
                .orElseThrow();
    }

    private double spread(int group) {
        double most = Double.NEGATIVE_INFINITY;
        for (int choice : kept.get(group)) {
            most = Math.max(most, priced(group, choice));
        }
        return most - least(group);
    }

    /* Choices that may be part of an allocation which is good enough. */
    private int[] useful(int group, double gap) {
        return IntStream.range(0, problem.choices(group))
                .filter(choice -> priced(group, choice) - least(group) <= gap)
                .filter(choice -> !isBeaten(group, choice))
                .toArray();
    }

    private boolean isBeaten(int group, int choice) {
        return IntStream.range(0, problem.choices(group))
                .anyMatch(other -> other != choice && beats(group, other, choice));
    }

    /* Of equal choices the first beats the others. */
    private boolean beats(int group, int one, int other) {
        boolean equal = problem.loss(group, one) == problem.loss(group, other);
        boolean notWorse = problem.loss(group, one) <= problem.loss(group, other);
        for (int budget = 0; budget < problem.budgets(); budget++) {
            double mine = problem.cost(group, one, budget);
            double theirs = problem.cost(group, other, budget);
            notWorse &= mine <= theirs;
            equal &= mine == theirs;
        }
        return notWorse && (!equal || one < other);
    }

    private Partial longer(Partial partial, int group, int choice) {
        double[] costs = partial.costs().clone();
        for (int budget = 0; budget < costs.length; budget++) {
            costs[budget] += problem.cost(group, choice, budget);
        }
        return new Partial(
                partial.loss() + problem.loss(group, choice),
                costs,
                partial.priced() + priced(group, choice),
                partial,
                choice);
    }

    private boolean fits(Partial partial, double[] cheapestRest) {
        for (int budget = 0; budget < cheapestRest.length; budget++) {
            if (!problem.meets(partial.costs()[budget] + cheapestRest[budget], budget)) {
                return false;
            }
        }
        return true;
    }

    /* In the order of their losses: so only costs need comparing with those before. */
    private List<Partial> unbeaten(List<Partial> all) {
        all.sort(
                Comparator.comparingDouble(Partial::loss)
                        .thenComparing(Partial::costs, Arrays::compare));
        Costs before = Costs.of(problem.budgets());
        return all.stream().filter(partial -> before.add(partial.costs())).toList();
    }

    private int[] choices(Partial last) {
        int[] chosen = new int[order.length];
        Partial at = last;
        for (int i = order.length - 1; i >= 0; i--) {
            chosen[order[i]] = at.choice();
            at = Objects.requireNonNull(at.before());
        }
        return chosen;
    }

    /** Costs of which none is at least as high as another in all budgets. */
    private interface Costs {

        /** Adds costs unless some are there that are nowhere higher; returns whether it did. */
        boolean add(double[] costs);

        static Costs of(int budgets) {
            return switch (budgets) {
                case 0, 1 -> new Lowest();
                case 2 -> new Stairs();
                default -> new Listed();
            };
        }
    }

    /** Of one budget, or of none. */
    private static final class Lowest implements Costs {
        private double lowest = Double.POSITIVE_INFINITY;

        @Override
        public boolean add(double[] costs) {
            double cost = costs.length == 0 ? 0 : costs[0];
            boolean lower = cost < lowest;
            lowest = Math.min(lowest, cost);
            return lower;
        }
    }

    /** Of two budgets: the higher the first cost, the lower the second. */
    private static final class Stairs implements Costs {
        private final TreeMap<Double, Double> secondByFirst = new TreeMap<>();

        @Override
        public boolean add(double[] costs) {
            Map.Entry<Double, Double> left = secondByFirst.floorEntry(costs[0]);
            if (left != null && left.getValue() <= costs[1]) {
                return false;
            }
            Map.Entry<Double, Double> right = secondByFirst.ceilingEntry(costs[0]);
            while (right != null && right.getValue() >= costs[1]) {
                secondByFirst.remove(right.getKey());
                right = secondByFirst.ceilingEntry(costs[0]);
            }
            secondByFirst.put(costs[0], costs[1]);
            return true;
        }
    }

    /** Of any number of budgets. */
    private static final class Listed implements Costs {
        private final List<double[]> all = new ArrayList<>();

        @Override
        public boolean add(double[] costs) {
            if (all.stream().anyMatch(each -> nowhereHigher(each, costs))) {
                return false;
            }
            return all.add(costs);
        }

        private static boolean nowhereHigher(double[] one, double[] other) {
            return IntStream.range(0, one.length).allMatch(i -> one[i] <= other[i]);
        }
    }
}
