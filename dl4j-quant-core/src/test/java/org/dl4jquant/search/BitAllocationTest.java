// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.DoubleStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BitAllocationTest {

    /* Sums of up to 50 losses of size 1, in another order. */
    private static final double SUM_ERROR = 1e-12;

    private static Choice choice(String name, double loss, Double... costs) {
        return new Choice(name, loss, List.of(costs));
    }

    private static List<ChoiceGroup> random(Random random, int groups, int budgets, boolean whole) {
        List<ChoiceGroup> all = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            List<Choice> choices = new ArrayList<>();
            int count = 1 + random.nextInt(4);
            for (int i = 0; i < count; i++) {
                choices.add(
                        new Choice(
                                "W" + (2 + i),
                                whole ? random.nextInt(6) : random.nextGaussian(),
                                DoubleStream.generate(
                                                () ->
                                                        whole
                                                                ? random.nextInt(6)
                                                                : random.nextDouble())
                                        .limit(budgets)
                                        .boxed()
                                        .toList()));
            }
            all.add(new ChoiceGroup("layer" + group, choices));
        }
        return all;
    }

    /* Every combination, one after the other. */
    private static @Nullable Double bruteForce(List<ChoiceGroup> groups, List<Budget> budgets) {
        return bruteForce(groups, budgets, 0, 0, new double[budgets.size()]);
    }

    private static @Nullable Double bruteForce(
            List<ChoiceGroup> groups, List<Budget> budgets, int at, double loss, double[] costs) {
        if (at == groups.size()) {
            for (int i = 0; i < costs.length; i++) {
                if (costs[i] > budgets.get(i).limit() * (1 + SUM_ERROR)) {
                    return null;
                }
            }
            return loss;
        }
        Double best = null;
        for (Choice choice : groups.get(at).choices()) {
            double[] sums = costs.clone();
            for (int i = 0; i < sums.length; i++) {
                sums[i] += choice.costs().get(i);
            }
            Double found = bruteForce(groups, budgets, at + 1, loss + choice.loss(), sums);
            if (found != null && (best == null || found < best)) {
                best = found;
            }
        }
        return best;
    }

    @Property(tries = 600)
    void findsWhatTryingAllCombinationsFinds(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 8) int size,
            @ForAll @IntRange(max = 3) int count,
            @ForAll boolean whole) {
        Random random = new Random(seed);
        List<ChoiceGroup> groups = random(random, size, count, whole);
        List<Budget> budgets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double limit = size * (whole ? 6 : 1) * random.nextDouble();
            budgets.add(new Budget("cost" + i, whole ? Math.rint(limit) : limit));
        }
        Double expected = bruteForce(groups, budgets);
        if (expected == null) {
            assertThrows(OverBudgetException.class, () -> BitAllocation.best(groups, budgets));
            return;
        }
        Allocation found = BitAllocation.best(groups, budgets);
        assertEquals(expected, found.loss(), SUM_ERROR);
        for (int i = 0; i < count; i++) {
            double cost = 0;
            for (Choice choice : found.choices()) {
                cost += choice.costs().get(i);
            }
            assertEquals(cost, found.costs().get(i));
            assertTrue(cost <= budgets.get(i).limit() * (1 + SUM_ERROR));
        }
        for (int i = 0; i < size; i++) {
            assertTrue(groups.get(i).choices().contains(found.choices().get(i)));
        }
    }

    @Property(tries = 20)
    void theFrontIsTheBestForEachOfItsLimits(@ForAll long seed) {
        List<ChoiceGroup> groups = random(new Random(seed), 6, 1, false);
        List<Allocation> front = BitAllocation.front(groups, "bytes", 9);
        for (int i = 0; i < front.size(); i++) {
            Allocation point = front.get(i);
            Double best = bruteForce(groups, List.of(new Budget("bytes", point.costs().get(0))));
            assertEquals(best, point.loss(), SUM_ERROR);
            if (i > 0) {
                assertTrue(point.loss() < front.get(i - 1).loss());
                assertTrue(point.costs().get(0) > front.get(i - 1).costs().get(0));
            }
        }
    }

    @Test
    void fiftyLayersWithTwoBudgetsAreSolvedExactly() {
        // Two budgets of which one is the other one twice: as hard as one, which stairs solve too.
        List<ChoiceGroup> one = random(new Random(4), 50, 1, false);
        List<ChoiceGroup> two = new ArrayList<>();
        for (ChoiceGroup group : one) {
            two.add(
                    new ChoiceGroup(
                            group.name(),
                            group.choices().stream()
                                    .map(
                                            each ->
                                                    choice(
                                                            each.name(),
                                                            each.loss(),
                                                            each.costs().get(0),
                                                            2 * each.costs().get(0)))
                                    .toList()));
        }
        Allocation single = BitAllocation.best(one, List.of(new Budget("bytes", 18)));
        Allocation both =
                BitAllocation.best(two, List.of(new Budget("bytes", 20), new Budget("ms", 36)));
        assertEquals(single.loss(), both.loss(), SUM_ERROR);
    }

    // ---- bad input ------------------------------------------------------------------------------

    private static final List<ChoiceGroup> TWO_LAYERS =
            List.of(
                    new ChoiceGroup(
                            "conv",
                            List.of(choice("W8", 0, 800.0, 1.0), choice("W4", 1, 400.0, 3.0))),
                    new ChoiceGroup("dense", List.of(choice("W8", 0, 1600.0, 1.0))));

    private static String refused(double bytes, double millis) {
        return assertThrows(
                        OverBudgetException.class,
                        () ->
                                BitAllocation.best(
                                        TWO_LAYERS,
                                        List.of(
                                                new Budget("bytes", bytes),
                                                new Budget("ms", millis))))
                .getMessage();
    }

    @Test
    void saysByHowMuchTheCheapestMissesABudget() {
        assertEquals(
                "the budget of bytes is 1,600, but the cheapest choices need 2,000, 400 more"
                        + " (25.0 %); raise the budget, or allow fewer bits",
                refused(1600, 10));
        assertEquals(
                "the budget of bytes is 0, but the cheapest choices need 2,000, 2,000 more; the"
                        + " budget of ms is 1.5, but the cheapest choices need 2, 0.5 more"
                        + " (33.3 %); raise the budget, or allow fewer bits",
                refused(0, 1.5).replace("1.50000", "1.5").replace("0.500000", "0.5"));
    }

    @Test
    void saysWhatTwoBudgetsTogetherMiss() {
        assertEquals(
                "no choices meet all budgets: within 2,200 bytes, the budget of ms is 3, but the"
                        + " cheapest choices need 4, 1 more (33.3 %); raise a budget, or allow"
                        + " fewer bits",
                refused(2200, 3));
    }

    @Test
    void aLayerWithOneChoiceGetsIt() {
        Allocation found =
                BitAllocation.best(
                        TWO_LAYERS, List.of(new Budget("bytes", 2400), new Budget("ms", 9)));
        assertEquals(List.of("W8", "W8"), found.choices().stream().map(Choice::name).toList());
        assertEquals(List.of(2400.0, 2.0), found.costs());
    }

    @Test
    void saysWhatIsProvenWhenTheSearchGivesUp() {
        // What is saved is lost, almost exactly: all that fill the budget are about as good.
        Random random = new Random(1);
        List<ChoiceGroup> groups = new ArrayList<>();
        double sum = 0;
        for (int i = 0; i < 60; i++) {
            double cost = Math.exp(random.nextGaussian());
            double loss = cost * (1 + 1e-5 * random.nextGaussian());
            groups.add(
                    new ChoiceGroup(
                            "layer" + i, List.of(choice("W8", 0, cost), choice("W4", loss, 0.0))));
            sum += cost;
        }
        List<Budget> budgets = List.of(new Budget("bytes", 0.4 * sum));
        UnprovenException given =
                assertThrows(UnprovenException.class, () -> BitAllocation.best(groups, budgets, 1));
        Allocation best = given.best().orElseThrow();
        assertTrue(given.bound() < best.loss());
        assertEquals(
                String.format(
                        Locale.ROOT,
                        "after 1 parts of the search the best choices known lose %.6g, at most"
                                + " %.3g more than the best of all; allow more parts, or change"
                                + " the budgets",
                        best.loss(),
                        best.loss() - given.bound()),
                given.getMessage());
        assertEquals(
                "after 2 parts of the search no choices that meet the budgets are known, and all"
                        + " lose 1.50000 or more; allow more parts, or change the budgets",
                new UnprovenException(2, null, 1.5).getMessage());
        assertTrue(new UnprovenException(2, null, 1.5).best().isEmpty());
    }

    private static void refuses(String message, Runnable action) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, action::run).getMessage());
    }

    @Test
    void refusesWhatIsNoProblem() {
        refuses(
                "there is no group of layers to choose for",
                () -> BitAllocation.best(List.of(), List.of()));
        refuses(
                "'conv' has no choices; give it one scheme at least",
                () -> new ChoiceGroup("conv", List.of()));
        refuses(
                "choice 'W8' of 'conv' has 2 costs, but there are 1 budgets: [bytes]",
                () -> BitAllocation.best(TWO_LAYERS, List.of(new Budget("bytes", 1))));
        refuses(
                "a search of 0 parts finds nothing; allow 1 or more",
                () -> BitAllocation.best(TWO_LAYERS, List.of(), 0));
        refuses(
                "choice 'W8' has a loss of NaN; it must be finite",
                () -> choice("W8", Double.NaN, 1.0));
        refuses(
                "choice 'W8' costs -1.0; a cost must be finite and at least 0",
                () -> choice("W8", 0, -1.0));
        refuses(
                "the budget of bytes is NaN; it must be at least 0",
                () -> new Budget("bytes", Double.NaN));
        refuses(
                "1 points make no front; ask for 2 or more",
                () -> BitAllocation.front(TWO_LAYERS, "bytes", 1));
    }
}
