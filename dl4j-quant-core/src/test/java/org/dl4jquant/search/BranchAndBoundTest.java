// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BranchAndBoundTest {

    /* Sums of up to 50 float64 numbers, in another order. */
    private static final double SUM_ERROR = 1e-11;

    /** The property that makes a problem hard. */
    private enum Kind {
        /** Losses and costs have nothing to do with each other. */
        INDEPENDENT,
        /** The loss falls exactly as the cost rises: all fillings are about as good. */
        TIED,
        /** The loss falls about as the cost rises. */
        NEARLY_TIED,
        /** All groups have the same choices: allocations are equal but for their order. */
        ALIKE,
        /** One group is larger than all others together. */
        ONE_LARGE,
        /** All losses are equal. */
        EQUAL
    }

    private static Problem problem(Random random, Kind kind, int groups, int budgets) {
        List<ChoiceGroup> all = new ArrayList<>();
        double[] limits = new double[budgets];
        List<Choice> same = choices(random, kind, 1, budgets);
        for (int group = 0; group < groups; group++) {
            int size = kind == Kind.ONE_LARGE && group == 0 ? 12 * groups : 12;
            all.add(
                    new ChoiceGroup(
                            "layer" + group,
                            kind == Kind.ALIKE ? same : choices(random, kind, size, budgets)));
            for (int budget = 0; budget < budgets; budget++) {
                int at = budget;
                limits[budget] +=
                        all.get(group).choices().stream()
                                .mapToDouble(each -> each.costs().get(at))
                                .max()
                                .orElseThrow();
            }
        }
        List<Budget> within = new ArrayList<>();
        for (int budget = 0; budget < budgets; budget++) {
            double share = 0.2 + 0.7 * random.nextDouble();
            within.add(new Budget("cost" + budget, Math.floor(share * limits[budget])));
        }
        return new Problem(all, within);
    }

    private static List<Choice> choices(Random random, Kind kind, int size, int budgets) {
        List<Choice> choices = new ArrayList<>();
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            Double[] costs = new Double[budgets];
            double sum = 0;
            for (int budget = 0; budget < budgets; budget++) {
                costs[budget] = (double) random.nextInt(size + 3);
                sum += costs[budget];
            }
            double loss =
                    switch (kind) {
                        case INDEPENDENT, ALIKE -> random.nextInt(20) - 5;
                        case TIED -> 10 - sum;
                        case NEARLY_TIED -> 10 - sum * (1 + 0.01 * random.nextGaussian());
                        case ONE_LARGE -> size * random.nextDouble();
                        case EQUAL -> 1;
                    };
            choices.add(new Choice("W" + i, loss, List.of(costs)));
        }
        return choices;
    }

    /* Every combination, one after the other. */
    private static void forEach(Problem problem, Consumer<int[]> consumer) {
        int[] chosen = new int[problem.groups()];
        int group;
        do {
            consumer.accept(chosen);
            group = 0;
            while (group < chosen.length && ++chosen[group] == problem.choices(group)) {
                chosen[group++] = 0;
            }
        } while (group < chosen.length);
    }

    private static double bruteForce(Problem problem) {
        double[] least = {Double.POSITIVE_INFINITY};
        forEach(
                problem,
                chosen -> {
                    if (problem.meets(chosen)) {
                        least[0] = Math.min(least[0], problem.loss(chosen));
                    }
                });
        return least[0];
    }

    private static double loss(Problem problem, int @Nullable [] chosen) {
        assertTrue(chosen == null || problem.meets(chosen));
        return chosen == null ? Double.POSITIVE_INFINITY : problem.loss(chosen);
    }

    @Property(tries = 750)
    void findsWhatTryingAllCombinationsFinds(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 6) int groups,
            @ForAll @IntRange(max = 3) int budgets) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        double expected = bruteForce(problem);
        assertEquals(expected, loss(problem, new BranchAndBound(problem).solve()), SUM_ERROR);
    }

    @Property(tries = 750)
    void findsItWithTheShortestListsToo(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 6) int groups,
            @ForAll @IntRange(max = 3) int budgets,
            @ForAll @IntRange(min = 1, max = 5) int length) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        double expected = bruteForce(problem);
        assertEquals(
                expected, loss(problem, new BranchAndBound(problem, length).solve()), SUM_ERROR);
    }

    @Property(tries = 500)
    void findsItWhenSomeAllocationMeetsAllLimitsExactly(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 6) int groups,
            @ForAll @IntRange(min = 1, max = 3) int budgets,
            @ForAll @IntRange(min = 1, max = 64) int length) {
        Random random = new Random(seed);
        List<ChoiceGroup> all = new ArrayList<>();
        double[] limits = new double[budgets];
        for (int group = 0; group < groups; group++) {
            List<Choice> choices = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Double[] costs = new Double[budgets];
                // Costs that hardly differ have prices that are very high.
                Arrays.setAll(costs, budget -> 1 + 1e-6 * random.nextDouble());
                choices.add(new Choice("W" + i, random.nextGaussian(), List.of(costs)));
            }
            all.add(new ChoiceGroup("layer" + group, choices));
            Choice dear = choices.get(random.nextInt(4));
            Arrays.setAll(limits, budget -> limits[budget] + dear.costs().get(budget));
        }
        List<Budget> within =
                Arrays.stream(limits).mapToObj(each -> new Budget("x", each)).toList();
        Problem problem = new Problem(all, within);
        double expected = bruteForce(problem);
        assertTrue(Double.isFinite(expected));
        assertEquals(
                expected, loss(problem, new BranchAndBound(problem, length).solve()), SUM_ERROR);
    }

    @Property(tries = 250)
    void aSearchThatGivesUpProvesABound(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 6) int groups,
            @ForAll @IntRange(min = 1, max = 2) int budgets,
            @ForAll @IntRange(max = 4) int parts) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        double best = bruteForce(problem);
        BranchAndBound search = new BranchAndBound(problem, 1, 2);
        double found = loss(problem, search.solve(parts));
        assertTrue(found >= best - SUM_ERROR);
        assertTrue(search.bound() <= best + SUM_ERROR);
        if (search.isProven()) {
            assertEquals(best, found, SUM_ERROR);
        }
    }

    @Property(tries = 250)
    void choicesThatAreStruckOutAreNotNeeded(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 5) int groups,
            @ForAll @IntRange(max = 3) int budgets) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        Knapsack reduced = Knapsack.of(problem).reduced();
        double[] least = {Double.POSITIVE_INFINITY};
        forEach(
                problem,
                chosen -> {
                    if (problem.meets(chosen) && has(reduced, chosen)) {
                        least[0] = Math.min(least[0], problem.loss(chosen));
                    }
                });
        assertEquals(bruteForce(problem), least[0], SUM_ERROR);
    }

    private static boolean has(Knapsack knapsack, int[] chosen) {
        for (int group = 0; group < chosen.length; group++) {
            boolean found = false;
            for (int choice = 0; choice < knapsack.choices(group); choice++) {
                found |= knapsack.id(group, choice) == chosen[group];
            }
            if (!found) {
                return false;
            }
        }
        return true;
    }

    @Property(tries = 250)
    void noAllocationLosesLessThanTheBoundAndItsExcess(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 5) int groups,
            @ForAll @IntRange(max = 3) int budgets) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        Knapsack knapsack = Knapsack.of(problem);
        Relaxation relaxation = new Relaxation(knapsack, Double.POSITIVE_INFINITY);
        double[][] excess = relaxation.excess();
        forEach(
                problem,
                chosen -> {
                    double sum = relaxation.bound();
                    for (int group = 0; group < chosen.length; group++) {
                        sum += excess[group][chosen[group]];
                    }
                    assertTrue(
                            !problem.meets(chosen)
                                    || sum <= problem.loss(chosen) + relaxation.rounding());
                });
    }

    /* The best price by trying all at which two choices of a group are priced alike. */
    @Property(tries = 200)
    void oneBudgetsPriceIsTheBestOfAll(
            @ForAll long seed, @ForAll Kind kind, @ForAll @IntRange(min = 1, max = 20) int groups) {
        Problem problem = problem(new Random(seed), kind, groups, 1);
        if (!problem.meets(problem.cheapest(0), 0)) {
            return;
        }
        Knapsack knapsack = Knapsack.of(problem);
        double expected = bound(problem, 0);
        for (int group = 0; group < groups; group++) {
            for (int one = 0; one < problem.choices(group); one++) {
                for (int other = 0; other < one; other++) {
                    double saved = problem.cost(group, other, 0) - problem.cost(group, one, 0);
                    double lost = problem.loss(group, one) - problem.loss(group, other);
                    if (lost / saved > 0 && Double.isFinite(lost / saved)) {
                        expected = Math.max(expected, bound(problem, lost / saved));
                    }
                }
            }
        }
        double found = new Relaxation(knapsack, Double.POSITIVE_INFINITY).bound();
        // The limit is raised by its rounding, at a price up to 1000.
        assertEquals(expected, found, 1e-8 * Math.max(1, Math.abs(expected)));
    }

    private static double bound(Problem problem, double price) {
        double sum = -price * problem.limit(0);
        for (int group = 0; group < problem.groups(); group++) {
            double least = Double.POSITIVE_INFINITY;
            for (int choice = 0; choice < problem.choices(group); choice++) {
                least =
                        Math.min(
                                least,
                                problem.loss(group, choice)
                                        + price * problem.cost(group, choice, 0));
            }
            sum += least;
        }
        return sum;
    }

    @Property(tries = 500)
    void halvesMissNothingBelowWhatTheyProve(
            @ForAll long seed,
            @ForAll Kind kind,
            @ForAll @IntRange(min = 1, max = 6) int groups,
            @ForAll @IntRange(min = 1, max = 3) int budgets,
            @ForAll @IntRange(min = 1, max = 40) int most) {
        Problem problem = problem(new Random(seed), kind, groups, budgets);
        Knapsack knapsack = Knapsack.of(problem);
        if (knapsack.budgets() == 0) {
            return;
        }
        Relaxation relaxation = new Relaxation(knapsack, knapsack.worst());
        double gap = Math.max(0, knapsack.worst() - relaxation.bound());
        MeetInTheMiddle halves =
                new MeetInTheMiddle(
                        knapsack, relaxation.excess(), gap, Double.POSITIVE_INFINITY, most);
        double found = loss(problem, halves.chosen());
        double best = bruteForce(problem);
        assertTrue(found >= best - SUM_ERROR);
        if (best - relaxation.bound() < halves.proven() - SUM_ERROR) {
            assertEquals(best, found, SUM_ERROR);
        }
    }

    /* Dynamic programming over whole costs: the least loss for each pair of costs. */
    private static double byTable(Problem problem) {
        int first = (int) problem.limit(0);
        int second = problem.budgets() > 1 ? (int) problem.limit(1) : 0;
        double[][] least = new double[first + 1][second + 1];
        for (int group = 0; group < problem.groups(); group++) {
            double[][] next = new double[first + 1][second + 1];
            for (double[] row : next) {
                Arrays.fill(row, Double.POSITIVE_INFINITY);
            }
            for (int choice = 0; choice < problem.choices(group); choice++) {
                int one = (int) problem.cost(group, choice, 0);
                int two = problem.budgets() > 1 ? (int) problem.cost(group, choice, 1) : 0;
                for (int i = one; i <= first; i++) {
                    for (int j = two; j <= second; j++) {
                        next[i][j] =
                                Math.min(
                                        next[i][j],
                                        least[i - one][j - two] + problem.loss(group, choice));
                    }
                }
            }
            least = next;
        }
        return least[first][second];
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void manyLayersAreSolvedAsATableOfAllCostsSolvesThem(Kind kind) {
        for (int groups = 20; groups <= 50; groups += 6) {
            for (int budgets = 1; budgets <= 2; budgets++) {
                for (int seed = 0; seed < 2; seed++) {
                    Problem problem = problem(new Random(seed), kind, groups, budgets);
                    assertEquals(
                            byTable(problem),
                            loss(problem, new BranchAndBound(problem).solve()),
                            SUM_ERROR * groups,
                            kind + " " + groups + " " + budgets + " " + seed);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "64"})
    void findsTheSameEachTime(int length) {
        for (Kind kind : Kind.values()) {
            int solved = 0;
            for (int seed = 0; seed < 5; seed++) {
                Problem problem = problem(new Random(seed), kind, 9, 2);
                int[] once = new BranchAndBound(problem, length).solve();
                assertArrayEquals(once, new BranchAndBound(problem, length).solve());
                solved += once == null ? 0 : 1;
            }
            assertTrue(solved > 0, kind.name());
        }
    }
}
