// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A trained float network whose layers are to get widths, with some data to measure on.
 *
 * <p>The network is only read: what must be changed is tried on copies.
 */
public final class SearchedNetwork {

    private final MeasuredNetwork model;
    private final List<DataSet> data;
    private final List<String> layers;
    private final List<List<String>> groups;
    private final Map<Integer, Map<String, Map<String, INDArray>>> errors =
            new ConcurrentHashMap<>();

    private SearchedNetwork(NetworkView<?> network, DataSetIterator data) {
        this.model = new MeasuredNetwork(network);
        this.data = batches(data);
        MeasuredNetwork prepared = model.prepare(QuantSpec.of(LayerScheme.INT8), this.data);
        this.layers = requireSome(prepared.weighted().stream().filter(this::isLayer).toList());
        this.groups = groups(prepared.tied(), layers);
    }

    /**
     * {@return a network to search}
     *
     * @param trained the network, with one output; only read
     * @param data some hundreds of examples with labels, kept in memory
     * @throws IllegalArgumentException if there are no data, or no layer can be quantized
     */
    public static SearchedNetwork of(MultiLayerNetwork trained, DataSetIterator data) {
        Require.given(trained, "trained");
        Require.given(data, "data");
        return new SearchedNetwork(NetworkView.of(trained), data);
    }

    /**
     * {@return a network to search}
     *
     * @param trained the network, with one input and one output; only read
     * @param data some hundreds of examples with labels, kept in memory
     * @throws IllegalArgumentException if there are no data, or no layer can be quantized
     */
    public static SearchedNetwork of(ComputationGraph trained, DataSetIterator data) {
        Require.given(trained, "trained");
        Require.given(data, "data");
        return new SearchedNetwork(NetworkView.of(trained), data);
    }

    /* Pieces of a vertex, such as an attention's projections, are layers of the prepared network
     * only. They have the scheme of the spec's rule for the vertex, or its default. */
    private boolean isLayer(String prepared) {
        return model.layer(prepared) != null;
    }

    private static List<DataSet> batches(DataSetIterator data) {
        List<DataSet> batches = new ArrayList<>();
        Detached.run(
                () -> {
                    while (data.hasNext()) {
                        batches.add(data.next().copy());
                    }
                });
        Require.argument(
                !batches.isEmpty(),
                "there are no data to measure sensitivities on; give some hundreds of examples, and"
                        + " reset the iterator first");
        return batches;
    }

    private static List<String> requireSome(List<String> names) {
        Require.argument(
                !names.isEmpty(),
                "no layer of the network has weights that can be quantized; Preparation's report"
                        + " says why");
        return names;
    }

    private static List<List<String>> groups(List<Set<String>> tied, List<String> layers) {
        Map<String, Set<String>> groupOf = new LinkedHashMap<>();
        layers.forEach(layer -> groupOf.put(layer, new LinkedHashSet<>(Set.of(layer))));
        for (Set<String> tie : tied) {
            Set<String> joined = new LinkedHashSet<>();
            for (String layer : layers) {
                if (tie.contains(layer)) {
                    joined.addAll(Objects.requireNonNull(groupOf.get(layer)));
                }
            }
            joined.forEach(layer -> groupOf.put(layer, joined));
        }
        List<List<String>> groups = new ArrayList<>();
        new LinkedHashSet<>(groupOf.values()).forEach(group -> groups.add(List.copyOf(group)));
        return List.copyOf(groups);
    }

    /** {@return the layers that have weights to quantize, in the order of the forward pass} */
    public List<String> layers() {
        return layers;
    }

    /**
     * {@return the layers, those together that must have one width: layers whose results meet in
     * one sum}
     */
    public List<List<String>> groups() {
        return groups;
    }

    /** {@return the data, batch by batch} */
    List<DataSet> data() {
        return Collections.unmodifiableList(data);
    }

    /** {@return the network itself} */
    MeasuredNetwork model() {
        return model;
    }

    /** {@return the network prepared with one width for one layer, all others in float} */
    MeasuredNetwork prepareAlone(String layer, int bits) {
        QuantSpec alone =
                QuantSpec.of(LayerScheme.FLOAT)
                        .with(LayerSelector.named(layer), LayerScheme.ofBits(bits, bits));
        return model.prepare(alone, data);
    }

    /**
     * {@return how many products of weights and activations a layer computes for one example}
     *
     * @param layer its name
     * @throws IllegalArgumentException if it is not among {@link #layers}
     */
    public long multiplications(String layer) {
        requireLayer(layer);
        return weights(layer) * positions(layer);
    }

    /**
     * {@return how many weights a layer has that are quantized}
     *
     * @param layer its name
     * @throws IllegalArgumentException if it is not among {@link #layers}
     */
    public long weights(String layer) {
        requireLayer(layer);
        return Objects.requireNonNull(errors(CodeRange.MAX_BITS).get(layer)).values().stream()
                .mapToLong(INDArray::length)
                .sum();
    }

    /* Images have pixels, sequences steps, each of which uses every weight once. */
    private long positions(String layer) {
        INDArray result = Objects.requireNonNull(model.activations(data.get(0)).get(layer));
        Layer running = Objects.requireNonNull(model.layer(layer));
        long units =
                running.conf().getLayer() instanceof FeedForwardLayer sized
                        ? sized.getNOut()
                        : result.size(1);
        return result.length() / result.size(0) / units;
    }

    private void requireLayer(String layer) {
        Require.argument(
                layers.contains(layer),
                "there is no layer '%s' with weights to quantize; there are %s",
                layer,
                layers);
    }

    /**
     * {@return the changes by rounding to a width: rounded weights less weights, by layer and
     * parameter}
     *
     * @param bits the width
     */
    Map<String, Map<String, INDArray>> errors(int bits) {
        return errors.computeIfAbsent(bits, this::measuredErrors);
    }

    private Map<String, Map<String, INDArray>> measuredErrors(int bits) {
        MeasuredNetwork prepared =
                model.prepare(QuantSpec.of(LayerScheme.ofBits(bits, bits)), data);
        Map<String, Map<String, INDArray>> errors = new LinkedHashMap<>();
        for (String name : prepared.names().stream().filter(this::isLayer).toList()) {
            Layer layer = Objects.requireNonNull(prepared.layer(name));
            Map<String, INDArray> ofLayer = new LinkedHashMap<>();
            for (QuantizedTensor tensor : QuantizedLayers.tensors(layer)) {
                if (tensor.weight()) {
                    ofLayer.put(tensor.name(), WeightError.of(tensor));
                }
            }
            if (!ofLayer.isEmpty()) {
                errors.put(name, ofLayer);
            }
        }
        return errors;
    }

    /** Checks widths, and returns them ascending. */
    static List<Integer> ascending(List<Integer> widths) {
        List<Integer> sorted = widths.stream().sorted().distinct().toList();
        Require.argument(
                !sorted.isEmpty()
                        && sorted.size() == widths.size()
                        && sorted.get(0) >= 2
                        && sorted.get(sorted.size() - 1) <= 8,
                "widths %s; give one or more of 2 to 8, each once",
                widths);
        return sorted;
    }
}
