// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A problem of which choices may have been struck out, as arrays: those choices of each group that
 * remain, and the budgets that can be overrun at all.
 */
final class Knapsack {

    private final double[][] losses;
    private final double[][][] costs;
    private final int[][] ids;
    private final double[] limits;

    private Knapsack(double[][] losses, double[][][] costs, int[][] ids, double[] limits) {
        this.losses = losses;
        this.costs = costs;
        this.ids = ids;
        this.limits = limits;
    }

    /** {@return all choices, and the budgets that can be overrun} */
    static Knapsack of(Problem problem) {
        int[] binding =
                IntStream.range(0, problem.budgets())
                        .filter(budget -> !problem.meets(problem.dearest(budget), budget))
                        .toArray();
        double[][] losses = new double[problem.groups()][];
        double[][][] costs = new double[losses.length][][];
        int[][] ids = new int[losses.length][];
        for (int group = 0; group < losses.length; group++) {
            int at = group;
            ids[group] = IntStream.range(0, problem.choices(group)).toArray();
            losses[group] =
                    Arrays.stream(ids[group]).mapToDouble(id -> problem.loss(at, id)).toArray();
            costs[group] =
                    Arrays.stream(ids[group])
                            .mapToObj(id -> costs(problem, at, id, binding))
                            .toArray(double[][]::new);
        }
        return new Knapsack(
                losses, costs, ids, Arrays.stream(binding).mapToDouble(problem::allowed).toArray());
    }

    private static double[] costs(Problem problem, int group, int choice, int[] budgets) {
        return Arrays.stream(budgets)
                .mapToDouble(budget -> problem.cost(group, choice, budget))
                .toArray();
    }

    int groups() {
        return losses.length;
    }

    int budgets() {
        return limits.length;
    }

    int choices(int group) {
        return losses[group].length;
    }

    /** {@return the choice's place among all of its group's} */
    int id(int group, int choice) {
        return ids[group][choice];
    }

    double loss(int group, int choice) {
        return losses[group][choice];
    }

    double cost(int group, int choice, int budget) {
        return costs[group][choice][budget];
    }

    double limit(int budget) {
        return limits[budget];
    }

    /** {@return whether a group has no choice} */
    boolean isImpossible() {
        return Arrays.stream(losses).anyMatch(each -> each.length == 0);
    }

    double cheapest(int group, int budget) {
        double least = Double.POSITIVE_INFINITY;
        for (double[] each : costs[group]) {
            least = Math.min(least, each[budget]);
        }
        return least;
    }

    /** {@return an upper bound of every allocation's loss} */
    double worst() {
        double worst = 0;
        double magnitude = 0;
        for (double[] each : losses) {
            double most = Arrays.stream(each).max().orElseThrow();
            worst += most;
            magnitude += Math.abs(most);
        }
        return worst + magnitude * groups() * Math.ulp(1.0);
    }

    /** Which choices remain. */
    @FunctionalInterface
    interface Filter {
        boolean keeps(int group, int choice);
    }

    /** {@return the choices that a filter keeps} */
    Knapsack keeping(Filter filter) {
        double[][] fewerLosses = losses.clone();
        double[][][] fewerCosts = costs.clone();
        int[][] fewerIds = ids.clone();
        for (int group = 0; group < losses.length; group++) {
            int at = group;
            int[] kept =
                    IntStream.range(0, choices(group))
                            .filter(choice -> filter.keeps(at, choice))
                            .toArray();
            if (kept.length < choices(group)) {
                fewerLosses[group] =
                        Arrays.stream(kept).mapToDouble(each -> losses[at][each]).toArray();
                fewerCosts[group] =
                        Arrays.stream(kept)
                                .mapToObj(each -> costs[at][each])
                                .toArray(double[][]::new);
                fewerIds[group] = Arrays.stream(kept).map(each -> ids[at][each]).toArray();
            }
        }
        return new Knapsack(fewerLosses, fewerCosts, fewerIds, limits);
    }

    /**
     * {@return this without the choices that another of the group beats in loss and in all costs,
     * and without those that are too dear even if all other groups choose the cheapest}
     */
    Knapsack reduced() {
        Knapsack now = keeping((group, choice) -> !isBeaten(group, choice));
        int before;
        do {
            before = now.size();
            if (now.isImpossible()) {
                return now;
            }
            now = now.withoutTooDear();
        } while (now.size() < before);
        return now;
    }

    private int size() {
        return Arrays.stream(ids).mapToInt(each -> each.length).sum();
    }

    private Knapsack withoutTooDear() {
        double[] room = limits.clone();
        for (int group = 0; group < groups(); group++) {
            for (int budget = 0; budget < room.length; budget++) {
                room[budget] -= cheapest(group, budget);
            }
        }
        return keeping(
                (group, choice) ->
                        IntStream.range(0, room.length)
                                .allMatch(
                                        budget ->
                                                cost(group, choice, budget)
                                                                - cheapest(group, budget)
                                                        <= room[budget] + rounding(budget)));
    }

    /** {@return by how much sums of costs about as high as the limit may be wrong} */
    double rounding(int budget) {
        return Math.ulp(limits[budget]) * groups();
    }

    private boolean isBeaten(int group, int choice) {
        return IntStream.range(0, choices(group))
                .anyMatch(other -> other != choice && beats(group, other, choice));
    }

    /* Of equal choices the first beats the others. */
    private boolean beats(int group, int one, int other) {
        boolean equal = losses[group][one] == losses[group][other];
        boolean notWorse = losses[group][one] <= losses[group][other];
        for (int budget = 0; budget < limits.length; budget++) {
            double mine = costs[group][one][budget];
            double theirs = costs[group][other][budget];
            notWorse &= mine <= theirs;
            equal &= mine == theirs;
        }
        return notWorse && (!equal || one < other);
    }
}
