// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;

/** Groups, choices and budgets as arrays of numbers. */
final class Problem {

    /* Costs are sums of float64 numbers in some order: a limit that is met exactly must count as
     * met. */
    private static final double ROUNDING = 1e-12;

    private final List<ChoiceGroup> groups;
    private final List<Budget> budgets;
    private final double[][] losses;
    private final double[][][] costs;
    private final double[] limits;

    Problem(List<ChoiceGroup> groups, List<Budget> budgets) {
        this.groups = List.copyOf(groups);
        this.budgets = List.copyOf(budgets);
        Require.argument(!groups.isEmpty(), "there is no group of layers to choose for");
        losses = new double[groups.size()][];
        costs = new double[groups.size()][][];
        for (int group = 0; group < losses.length; group++) {
            List<Choice> choices = groups.get(group).choices();
            losses[group] = choices.stream().mapToDouble(Choice::loss).toArray();
            costs[group] = new double[choices.size()][];
            for (int choice = 0; choice < choices.size(); choice++) {
                costs[group][choice] = costs(groups.get(group), choices.get(choice));
            }
        }
        limits = budgets.stream().mapToDouble(Budget::limit).toArray();
    }

    private double[] costs(ChoiceGroup group, Choice choice) {
        Require.argument(
                choice.costs().size() == budgets.size(),
                "choice '%s' of '%s' has %d costs, but there are %d budgets: %s",
                choice.name(),
                group.name(),
                choice.costs().size(),
                budgets.size(),
                budgets.stream().map(Budget::name).toList());
        return choice.costs().stream().mapToDouble(Double::doubleValue).toArray();
    }

    int groups() {
        return losses.length;
    }

    int choices(int group) {
        return losses[group].length;
    }

    int budgets() {
        return limits.length;
    }

    String budgetName(int budget) {
        return budgets.get(budget).name();
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

    /** {@return whether a sum of costs is within a budget} */
    boolean meets(double cost, int budget) {
        return cost <= allowed(budget);
    }

    /** {@return the most that may be spent of a budget, rounding included} */
    double allowed(int budget) {
        return limits[budget] * (1 + ROUNDING);
    }

    /** {@return the most that all groups can cost} */
    double dearest(int budget) {
        double sum = 0;
        for (double[][] group : costs) {
            sum += Arrays.stream(group).mapToDouble(each -> each[budget]).max().orElseThrow();
        }
        return sum;
    }

    /** {@return the least that a group can cost} */
    double cheapest(int group, int budget) {
        return Arrays.stream(costs[group]).mapToDouble(each -> each[budget]).min().orElseThrow();
    }

    /** {@return the least that all groups can cost} */
    double cheapest(int budget) {
        double sum = 0;
        for (int group = 0; group < groups(); group++) {
            sum += cheapest(group, budget);
        }
        return sum;
    }

    /** {@return whether all budgets are met} */
    boolean meets(int[] chosen) {
        for (int budget = 0; budget < budgets(); budget++) {
            if (!meets(cost(chosen, budget), budget)) {
                return false;
            }
        }
        return true;
    }

    /** {@return how large a sum of losses can be, whatever its sign} */
    double size() {
        double sum = 0;
        for (double[] group : losses) {
            sum += Arrays.stream(group).map(Math::abs).max().orElseThrow();
        }
        return sum;
    }

    double loss(int[] chosen) {
        double sum = 0;
        for (int group = 0; group < chosen.length; group++) {
            sum += loss(group, chosen[group]);
        }
        return sum;
    }

    double cost(int[] chosen, int budget) {
        double sum = 0;
        for (int group = 0; group < chosen.length; group++) {
            sum += cost(group, chosen[group], budget);
        }
        return sum;
    }

    Allocation allocation(int[] chosen) {
        List<Choice> choices = new ArrayList<>();
        for (int group = 0; group < chosen.length; group++) {
            choices.add(groups.get(group).choices().get(chosen[group]));
        }
        List<Double> sums = new ArrayList<>();
        for (int budget = 0; budget < budgets(); budget++) {
            sums.add(cost(chosen, budget));
        }
        return new Allocation(choices, loss(chosen), sums);
    }

    /** {@return this problem with other limits} */
    Problem within(double... otherLimits) {
        List<Budget> others = new ArrayList<>();
        for (int budget = 0; budget < budgets(); budget++) {
            others.add(new Budget(budgetName(budget), otherLimits[budget]));
        }
        return new Problem(groups, others);
    }

    /** {@return the problem whose loss is the cost of one of this problem's budgets} */
    Problem minimizing(int budget) {
        List<ChoiceGroup> others = new ArrayList<>();
        for (ChoiceGroup group : groups) {
            others.add(
                    new ChoiceGroup(
                            group.name(),
                            group.choices().stream()
                                    .map(
                                            each ->
                                                    new Choice(
                                                            each.name(),
                                                            each.costs().get(budget),
                                                            each.costs()))
                                    .toList()));
        }
        return new Problem(others, budgets);
    }
}
