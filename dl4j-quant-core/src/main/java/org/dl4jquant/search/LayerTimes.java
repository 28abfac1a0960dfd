// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Latency;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;

/**
 * The time that an engine takes for each layer, measured on a graph of this layer alone: the median
 * of 21 inferences of one example.
 *
 * <p>The sum over layers is an estimate of a network's time: engines fuse layers, and each graph of
 * one layer has the engine's own cost of a call, which is the same for every width.
 */
public final class LayerTimes implements Cost {

    private final SearchedNetwork network;
    private final String engine;
    private final Map<Integer, IntGraph> graphs = new ConcurrentHashMap<>();
    private final Map<String, Double> known = new ConcurrentHashMap<>();

    /**
     * Makes a cost of measured times; each is measured when it is first asked for.
     *
     * @param network whose layers; all of them can be lowered
     * @param engine the engine's name, such as {@code onnxruntime}
     */
    public LayerTimes(SearchedNetwork network, String engine) {
        this.network = network;
        this.engine = engine;
    }

    @Override
    public String name() {
        return "ms of " + engine;
    }

    @Override
    public double of(String layer, int bits) {
        return known.computeIfAbsent(layer + " " + bits, key -> measure(layer, bits));
    }

    private double measure(String layer, int bits) {
        IntGraph whole =
                graphs.computeIfAbsent(
                        bits,
                        width ->
                                network.model()
                                        .prepare(
                                                QuantSpec.of(LayerScheme.ofBits(width, width)),
                                                network.data())
                                        .lower());
        return Latency.millis(engine, alone(whole, layer));
    }

    private static IntGraph alone(IntGraph whole, String layer) {
        for (IntNode node : whole.nodes()) {
            if (node.name().equals(layer)) {
                Require.argument(
                        node instanceof Weighted,
                        "layer '%s' is a %s in the integer graph; only convolutions and dense"
                                + " layers are timed",
                        layer,
                        node.getClass().getSimpleName());
                String input = node.inputs().get(0);
                IntGraph.Builder builder = IntGraph.builder();
                builder.add(new Input("x", whole.type(input).shape()));
                builder.add(new Quantize("q", "x", whole.type(input).codes()));
                builder.add(((Weighted) node).reading("q"));
                return builder.build(List.of(layer));
            }
        }
        throw new IllegalArgumentException(
                "the integer graph has no node '"
                        + layer
                        + "' to time; it has "
                        + whole.nodes().stream().map(IntNode::name).toList());
    }
}
