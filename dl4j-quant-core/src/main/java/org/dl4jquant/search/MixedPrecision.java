// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Finds the widths of all layers that are predicted to harm least within budgets.
 *
 * <pre>{@code
 * SearchedNetwork network = SearchedNetwork.of(trained, someData);
 * Sensitivities scores = new HessianTrace(50, 1).measure(network, List.of(2, 4, 8));
 * MixedPrecision search = MixedPrecision.of(network, scores);
 * QuantSpec spec = search.best(Map.of(Cost.bytes(network), 200_000.0)).spec();
 * }</pre>
 */
public final class MixedPrecision {

    private final SearchedNetwork network;
    private final Sensitivities scores;
    private final Map<String, Integer> fixed;

    /**
     * Widths for all layers.
     *
     * @param widths bits by layer, in the order of the forward pass
     * @param loss the sum of the layers' scores
     * @param costs the sums of the layers' costs, in the order of the budgets
     */
    public record Found(Map<String, Integer> widths, double loss, List<Double> costs) {

        /** Checks that the parts are there. */
        public Found {
            Objects.requireNonNull(widths, "widths");
            costs = List.copyOf(costs);
        }

        /** {@return the spec that gives each layer its width, and all others 8 bits} */
        public QuantSpec spec() {
            QuantSpec spec = QuantSpec.of(LayerScheme.INT8);
            for (Map.Entry<String, Integer> layer : widths.entrySet()) {
                spec =
                        spec.with(
                                LayerSelector.named(layer.getKey()),
                                LayerScheme.ofBits(layer.getValue(), layer.getValue()));
            }
            return spec;
        }
    }

    private MixedPrecision(
            SearchedNetwork network, Sensitivities scores, Map<String, Integer> fixed) {
        this.network = network;
        this.scores = scores;
        this.fixed = fixed;
    }

    /**
     * {@return a search in which every layer may have every width}
     *
     * @param network whose layers
     * @param scores how much each suffers from each width
     * @throws IllegalArgumentException if a layer has no scores
     */
    public static MixedPrecision of(SearchedNetwork network, Sensitivities scores) {
        Require.given(network, "network");
        Require.given(scores, "scores");
        Require.argument(
                scores.layers().containsAll(network.layers()),
                "the scores are of the layers %s, but the network has %s",
                scores.layers(),
                network.layers());
        return new MixedPrecision(network, scores, Map.of());
    }

    /**
     * {@return this search with one layer's width decided; layers tied to it get the same}
     *
     * @param layer its name
     * @param bits one of the scores' widths
     * @throws IllegalArgumentException if there is no such layer or width
     */
    public MixedPrecision keeping(String layer, int bits) {
        Require.argument(
                network.layers().contains(layer) && scores.widths().contains(bits),
                "layer '%s' cannot keep %d bits; there are layers %s and widths %s",
                layer,
                bits,
                network.layers(),
                scores.widths());
        Map<String, Integer> more = new LinkedHashMap<>(fixed);
        more.put(layer, bits);
        return new MixedPrecision(network, scores, more);
    }

    /**
     * {@return the widths with the least loss within all budgets}
     *
     * @param limits the most of each cost; none at all finds the least loss whatever it costs
     * @throws OverBudgetException if no widths meet all budgets; the message says by how much the
     *     cheapest ones miss them
     */
    public Found best(Map<Cost, Double> limits) {
        List<Budget> budgets = new ArrayList<>();
        limits.forEach((cost, limit) -> budgets.add(new Budget(cost.name(), limit)));
        return found(BitAllocation.best(choices(List.copyOf(limits.keySet())), budgets));
    }

    /**
     * {@return the best widths for each layer and each width that the layer might have, within all
     * budgets; each once, the least loss first}
     *
     * <p>Scores are measured before training, and training wins back more of what some widths lose
     * than of others. These proposals differ in every layer's width, so a short training of each
     * tells more than the scores; see {@code MixedPrecisionSearch} of the examples.
     *
     * @param limits the most of each cost
     * @throws OverBudgetException if no widths meet all budgets; the message says by how much the
     *     cheapest ones miss them
     */
    public List<Found> proposals(Map<Cost, Double> limits) {
        Set<Found> proposals = new LinkedHashSet<>();
        proposals.add(best(limits));
        for (List<String> group : network.groups()) {
            for (int bits : widths(group)) {
                try {
                    proposals.add(keeping(group.get(0), bits).best(limits));
                } catch (OverBudgetException e) {
                    // Nothing within the budgets has this width here.
                }
            }
        }
        return proposals.stream().sorted(Comparator.comparingDouble(Found::loss)).toList();
    }

    /**
     * {@return the best widths for many limits of one cost, the cheapest first}
     *
     * @param cost the limited quantity
     * @param points how many limits, 2 or more; equal results are listed once
     */
    public List<Found> front(Cost cost, int points) {
        return BitAllocation.front(choices(List.of(cost)), cost.name(), points).stream()
                .map(this::found)
                .toList();
    }

    /**
     * {@return the costs and loss of given widths}
     *
     * @param widths bits by layer, for every layer
     * @param costs the quantities to count
     */
    public Found of(Map<String, Integer> widths, List<Cost> costs) {
        Map<String, Integer> ordered = new LinkedHashMap<>();
        double loss = 0;
        double[] sums = new double[costs.size()];
        for (String layer : network.layers()) {
            Integer bits = widths.get(layer);
            Require.argument(bits != null, "layer '%s' has no width in %s", layer, widths);
            int width = Objects.requireNonNull(bits);
            ordered.put(layer, width);
            loss += scores.score(layer, width);
            for (int i = 0; i < sums.length; i++) {
                sums[i] += costs.get(i).of(layer, width);
            }
        }
        List<Double> total = new ArrayList<>();
        for (double sum : sums) {
            total.add(sum);
        }
        return new Found(ordered, loss, total);
    }

    private List<ChoiceGroup> choices(List<Cost> costs) {
        List<ChoiceGroup> groups = new ArrayList<>();
        for (List<String> group : network.groups()) {
            List<Choice> choices = new ArrayList<>();
            for (int bits : widths(group)) {
                double loss = group.stream().mapToDouble(l -> scores.score(l, bits)).sum();
                List<Double> sums = new ArrayList<>();
                for (Cost cost : costs) {
                    sums.add(group.stream().mapToDouble(l -> cost.of(l, bits)).sum());
                }
                choices.add(new Choice(Integer.toString(bits), loss, sums));
            }
            groups.add(new ChoiceGroup(String.join(", ", group), choices));
        }
        return groups;
    }

    private List<Integer> widths(List<String> group) {
        List<Integer> decided =
                group.stream().map(fixed::get).filter(Objects::nonNull).distinct().toList();
        Require.argument(
                decided.size() <= 1,
                "the layers %s meet in a sum and have one width, but are to keep %s bits",
                group,
                decided);
        return decided.isEmpty() ? scores.widths() : decided;
    }

    private Found found(Allocation allocation) {
        Map<String, Integer> widths = new LinkedHashMap<>();
        for (String layer : network.layers()) {
            for (int i = 0; i < network.groups().size(); i++) {
                if (network.groups().get(i).contains(layer)) {
                    widths.put(layer, Integer.parseInt(allocation.choices().get(i).name()));
                }
            }
        }
        return new Found(widths, allocation.loss(), allocation.costs());
    }
}
