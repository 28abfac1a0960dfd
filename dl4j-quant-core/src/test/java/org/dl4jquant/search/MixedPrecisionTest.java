// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class MixedPrecisionTest {

    private static final List<Integer> WIDTHS = List.of(2, 4, 8);

    private static final SearchedNetwork NETWORK = SensitivityTest.searchedResidual();

    private static Sensitivities scores() {
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        double weight = 1;
        for (String layer : NETWORK.layers()) {
            scores.put(layer, List.of(0.9 * weight, 0.1 * weight, 0.01 * weight));
            weight *= 1.7;
        }
        return new Sensitivities("made up", WIDTHS, scores);
    }

    private static List<Map<String, Integer>> allWidths() {
        List<Map<String, Integer>> all = new ArrayList<>();
        all.add(Map.of());
        for (List<String> group : NETWORK.groups()) {
            List<Map<String, Integer>> longer = new ArrayList<>();
            for (Map<String, Integer> before : all) {
                for (int bits : WIDTHS) {
                    Map<String, Integer> widths = new LinkedHashMap<>(before);
                    group.forEach(layer -> widths.put(layer, bits));
                    longer.add(widths);
                }
            }
            all = longer;
        }
        return all;
    }

    @Test
    void theBestIsThatOfAllWidthsWithinBothBudgets() {
        MixedPrecision search = MixedPrecision.of(NETWORK, scores());
        Cost bytes = Cost.bytes(NETWORK);
        Cost operations = Cost.bitOperations(NETWORK);
        List<Cost> costs = List.of(bytes, operations);
        for (double share : new double[] {0.3, 0.5, 0.8, 1}) {
            Map<String, Integer> eights = new LinkedHashMap<>();
            NETWORK.layers().forEach(layer -> eights.put(layer, 8));
            List<Double> most = search.of(eights, costs).costs();
            Map<Cost, Double> limits = new LinkedHashMap<>();
            limits.put(bytes, share * most.get(0));
            limits.put(operations, share * share * most.get(1));
            double least = Double.POSITIVE_INFINITY;
            for (Map<String, Integer> widths : allWidths()) {
                MixedPrecision.Found found = search.of(widths, costs);
                if (found.costs().get(0) <= share * most.get(0)
                        && found.costs().get(1) <= share * share * most.get(1)) {
                    least = Math.min(least, found.loss());
                }
            }
            MixedPrecision.Found best = search.best(limits);
            assertEquals(least, best.loss(), 1e-12);
            assertEquals(best.costs(), search.of(best.widths(), costs).costs());
            assertEquals(best.loss(), search.of(best.widths(), costs).loss(), 1e-12);
        }
    }

    /* Every layer with every width that some widths within the budget have. */
    @Test
    void proposesTheBestForEachLayerAndWidth() {
        MixedPrecision search = MixedPrecision.of(NETWORK, scores());
        Cost bytes = Cost.bytes(NETWORK);
        Map<String, Integer> fours = new LinkedHashMap<>();
        NETWORK.layers().forEach(layer -> fours.put(layer, 4));
        double limit = search.of(fours, List.of(bytes)).costs().get(0);
        List<MixedPrecision.Found> proposals = search.proposals(Map.of(bytes, limit));
        assertEquals(Set.copyOf(proposals).size(), proposals.size());
        assertEquals(search.best(Map.of(bytes, limit)), proposals.get(0));
        for (String layer : NETWORK.layers()) {
            for (int bits : WIDTHS) {
                double least = Double.POSITIVE_INFINITY;
                for (Map<String, Integer> widths : allWidths()) {
                    MixedPrecision.Found found = search.of(widths, List.of(bytes));
                    if (widths.get(layer) == bits && found.costs().get(0) <= limit) {
                        least = Math.min(least, found.loss());
                    }
                }
                double proposed =
                        proposals.stream()
                                .filter(found -> found.widths().get(layer) == bits)
                                .mapToDouble(MixedPrecision.Found::loss)
                                .min()
                                .orElse(Double.POSITIVE_INFINITY);
                if (Double.isInfinite(least)) {
                    assertEquals(least, proposed, layer + " with " + bits);
                } else {
                    assertEquals(least, proposed, 1e-12, layer + " with " + bits);
                }
            }
        }
        assertThrows(OverBudgetException.class, () -> search.proposals(Map.of(bytes, limit / 100)));
    }

    @Test
    void theFrontFallsFromDearToCheap() {
        List<MixedPrecision.Found> front =
                MixedPrecision.of(NETWORK, scores()).front(Cost.bytes(NETWORK), 20);
        assertTrue(front.size() > 3);
        for (int i = 1; i < front.size(); i++) {
            assertTrue(front.get(i).loss() < front.get(i - 1).loss());
            assertTrue(front.get(i).costs().get(0) > front.get(i - 1).costs().get(0));
        }
        assertTrue(front.get(0).widths().values().stream().allMatch(bits -> bits == 2));
    }

    @Test
    void tiedAndKeptLayersHaveOneWidth() {
        MixedPrecision search = MixedPrecision.of(NETWORK, scores()).keeping("stem", 4);
        for (MixedPrecision.Found found : search.front(Cost.bytes(NETWORK), 10)) {
            assertEquals(found.widths().get("a"), found.widths().get("short"));
            assertEquals(4, found.widths().get("stem"));
        }
        assertEquals(2, search.keeping("a", 2).best(Map.of()).widths().get("short"));
    }

    @Test
    void aSpecNamesEveryLayer() {
        MixedPrecision.Found found = new MixedPrecision.Found(Map.of("a", 3), 0.5, List.of(1.0));
        assertEquals(
                QuantSpec.of(LayerScheme.INT8)
                        .with(LayerSelector.named("a"), LayerScheme.ofBits(3, 3)),
                found.spec());
    }

    @Test
    void oneWidthForAllLayersLeavesOneSpec() {
        Map<String, List<Double>> scores = new LinkedHashMap<>();
        NETWORK.layers().forEach(layer -> scores.put(layer, List.of(1.0)));
        MixedPrecision search =
                MixedPrecision.of(NETWORK, new Sensitivities("x", List.of(4), scores));
        assertEquals(1, search.front(Cost.bytes(NETWORK), 10).size());
        assertTrue(search.best(Map.of()).widths().values().stream().allMatch(bits -> bits == 4));
    }

    @Test
    void timesAreThoseOfEnginesThatRunOneLayer() {
        Cost times = new LayerTimes(NETWORK, "reference");
        assertEquals("ms of reference", times.name());
        for (String layer : NETWORK.layers()) {
            assertTrue(times.of(layer, 4) > 0);
            assertEquals(times.of(layer, 4), times.of(layer, 4));
        }
        MixedPrecision search = MixedPrecision.of(NETWORK, scores());
        assertTrue(search.best(Map.of(times, 1e9)).costs().get(0) > 0);
        assertTrue(
                message(() -> times.of("x", 4))
                        .startsWith("the integer graph has no node 'x' to time; it has ["));
    }

    @Test
    void saysByHowMuchTheCheapestMissesTheBudget() {
        MixedPrecision search = MixedPrecision.of(NETWORK, scores());
        String message =
                assertThrows(
                                OverBudgetException.class,
                                () -> search.best(Map.of(Cost.bytes(NETWORK), 60.0)))
                        .getMessage();
        assertEquals(
                "the budget of bytes is 60, but the cheapest choices need 97, 37 more (61.7 %);"
                        + " raise the budget, or allow fewer bits",
                message);
    }

    @Test
    void refusesWhatDoesNotFitTheNetwork() {
        MixedPrecision search = MixedPrecision.of(NETWORK, scores());
        assertTrue(
                message(() -> search.keeping("x", 4))
                        .startsWith("layer 'x' cannot keep 4 bits; there are layers ["));
        assertTrue(
                message(() -> search.keeping("a", 2).keeping("short", 4).best(Map.of()))
                        .contains("meet in a sum and have one width, but are to keep ["));
        assertTrue(
                message(() -> MixedPrecision.of(NETWORK, new Sensitivities("x", WIDTHS, Map.of())))
                        .startsWith("the scores are of the layers [], but the network has ["));
        assertEquals(
                "layer 'a' at 4 bits costs -1.0 ms; a cost must be finite and at least 0",
                message(() -> Cost.of("ms", (layer, bits) -> -1).of("a", 4)));
        assertTrue(
                message(() -> new Sensitivities("x", List.of(4), Map.of("a", List.of(Double.NaN))))
                        .startsWith("layer 'a' has the scores [NaN] by x; they must be finite"));
        assertEquals(
                "layer 'a' has 1 scores for 3 widths",
                message(() -> new Sensitivities("x", WIDTHS, Map.of("a", List.of(1.0)))));
    }

    private static String message(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }
}
