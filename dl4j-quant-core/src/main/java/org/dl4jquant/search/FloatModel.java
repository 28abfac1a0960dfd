// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.GraphCopies;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** What both kinds of DL4J networks can do. */
interface FloatModel {

    /** {@return the layers at run time, in the order of the forward pass} */
    Layer[] layers();

    /** {@return the result for a batch, in inference mode} */
    INDArray output(DataSet batch);

    /** {@return every layer's result for a batch, in inference mode, by name} */
    Map<String, INDArray> activations(DataSet batch);

    /** {@return a copy with quantizers} */
    FloatModel prepare(QuantSpec spec, List<DataSet> data);

    /** {@return the integer graph of a network with quantizers} */
    IntGraph lower();

    /**
     * {@return a copy in float64 without dropout and weight noise, whose batch normalizations
     * always use their running statistics}
     */
    FloatModel exactCopy();

    /**
     * {@return the gradient of the loss summed over a batch, and by name of layer and parameter}
     */
    Gradient gradient(DataSet batch);

    /** {@return the name under which a gradient knows a layer's parameter} */
    String key(String layer, String parameter);

    /**
     * {@return sets of layers whose results meet in one sum}
     *
     * @param weighted the layers whose weights {@code prepare} rounds
     */
    List<Set<String>> tied(Set<String> weighted);

    Evaluation evaluate(List<DataSet> data);

    /** {@return the names by which {@code prepare} knows the layers, in the order of layers()} */
    List<String> names();

    /** {@return a layer by name, null without} */
    default @Nullable Layer layer(String name) {
        int index = names().indexOf(name);
        return index < 0 ? null : layers()[index];
    }

    private static DataSetIterator iterator(List<DataSet> data) {
        return new ListDataSetIterator<>(data, 1);
    }

    private static void calm(Layer[] layers) {
        for (Layer layer : layers) {
            layer.conf().getLayer().setIDropout(null);
            if (layer.conf().getLayer() instanceof BaseLayer weighted) {
                weighted.setWeightNoise(null);
            }
        }
    }

    /** A network of layers one behind another. */
    final class OfLayers implements FloatModel {

        private final MultiLayerNetwork network;

        OfLayers(MultiLayerNetwork network) {
            this.network = network;
        }

        @Override
        public Layer[] layers() {
            return network.getLayers();
        }

        @Override
        public List<String> names() {
            return LayerNames.of(network);
        }

        @Override
        public INDArray output(DataSet batch) {
            return Detached.compute(
                    () ->
                            network.output(
                                    batch.getFeatures(),
                                    false,
                                    batch.getFeaturesMaskArray(),
                                    null));
        }

        @Override
        public Map<String, INDArray> activations(DataSet batch) {
            List<INDArray> results =
                    Detached.compute(() -> network.feedForward(batch.getFeatures(), false));
            Map<String, INDArray> byName = new LinkedHashMap<>();
            List<String> names = names();
            for (int i = 0; i < names.size(); i++) {
                byName.put(names.get(i), results.get(i + 1));
            }
            return byName;
        }

        @Override
        public FloatModel prepare(QuantSpec spec, List<DataSet> data) {
            return new OfLayers(Preparation.prepare(network, spec, iterator(data)).network());
        }

        @Override
        public IntGraph lower() {
            return Lowering.of(network);
        }

        @Override
        public FloatModel exactCopy() {
            MultiLayerNetwork copy = network.clone();
            MultiLayerNetwork exact = copy.convertDataType(DataType.DOUBLE);
            calm(exact.getLayers());
            exact.initGradientsView();
            FixedNormalization.fixAll(exact);
            return new OfLayers(exact);
        }

        @Override
        public Gradient gradient(DataSet batch) {
            network.setInput(batch.getFeatures().castTo(DataType.DOUBLE));
            network.setLabels(batch.getLabels().castTo(DataType.DOUBLE));
            network.setLayerMaskArrays(batch.getFeaturesMaskArray(), batch.getLabelsMaskArray());
            network.computeGradientAndScore();
            return network.gradient();
        }

        @Override
        public String key(String layer, String parameter) {
            return names().indexOf(layer) + "_" + parameter;
        }

        @Override
        public List<Set<String>> tied(Set<String> weighted) {
            return List.of();
        }

        @Override
        public Evaluation evaluate(List<DataSet> data) {
            return network.evaluate(iterator(data));
        }
    }

    /** A graph with one input and one output. */
    final class OfGraph implements FloatModel {

        private final ComputationGraph network;

        OfGraph(ComputationGraph network) {
            this.network = network;
        }

        @Override
        public Layer[] layers() {
            List<Layer> layers = new ArrayList<>();
            for (int vertex : network.topologicalSortOrder()) {
                Layer layer = network.getVertices()[vertex].getLayer();
                if (layer != null) {
                    layers.add(layer);
                }
            }
            return layers.toArray(Layer[]::new);
        }

        @Override
        public List<String> names() {
            List<String> names = new ArrayList<>();
            for (int index : network.topologicalSortOrder()) {
                org.deeplearning4j.nn.graph.vertex.GraphVertex vertex =
                        network.getVertices()[index];
                if (vertex.getLayer() != null) {
                    names.add(vertex.getVertexName());
                }
            }
            return names;
        }

        @Override
        public INDArray output(DataSet batch) {
            INDArray mask = batch.getFeaturesMaskArray();
            return Detached.compute(
                    () ->
                            network.output(
                                            false,
                                            new INDArray[] {batch.getFeatures()},
                                            mask == null ? null : new INDArray[] {mask},
                                            null)[0]);
        }

        @Override
        public Map<String, INDArray> activations(DataSet batch) {
            return Detached.compute(() -> network.feedForward(batch.getFeatures(), false));
        }

        @Override
        public FloatModel prepare(QuantSpec spec, List<DataSet> data) {
            return new OfGraph(Preparation.prepare(network, spec, iterator(data)).network());
        }

        @Override
        public IntGraph lower() {
            return Lowering.of(network);
        }

        @Override
        public FloatModel exactCopy() {
            ComputationGraph exact = GraphCopies.of(network, DataType.DOUBLE);
            calm(exact.getLayers());
            exact.initGradientsView();
            FixedNormalization.fixAll(exact);
            return new OfGraph(exact);
        }

        @Override
        public Gradient gradient(DataSet batch) {
            network.setInputs(batch.getFeatures().castTo(DataType.DOUBLE));
            network.setLabels(batch.getLabels().castTo(DataType.DOUBLE));
            network.setLayerMaskArrays(
                    masks(batch.getFeaturesMaskArray()), masks(batch.getLabelsMaskArray()));
            network.computeGradientAndScore();
            return network.gradient();
        }

        private static INDArray @Nullable [] masks(@Nullable INDArray mask) {
            return mask == null ? null : new INDArray[] {mask};
        }

        @Override
        public String key(String layer, String parameter) {
            return layer + "_" + parameter;
        }

        @Override
        public List<Set<String>> tied(Set<String> weighted) {
            List<Set<String>> tied = new ArrayList<>();
            Map<String, GraphVertex> vertices = network.getConfiguration().getVertices();
            vertices.forEach(
                    (name, vertex) -> {
                        if (isSum(vertex)) {
                            tied.add(feeders(name, vertices, weighted));
                        }
                    });
            return tied;
        }

        private static boolean isSum(@Nullable GraphVertex vertex) {
            return vertex != null
                    && Frozen.inside(vertex) instanceof ElementWiseVertex join
                    && join.getClass() == ElementWiseVertex.class
                    && join.getOp() == ElementWiseVertex.Op.Add;
        }

        /* Back from a sum to the layers whose weights are rounded, up to the next sum. What computes
         * with weights that stay in float makes no codes, so nothing before it is tied. */
        private Set<String> feeders(
                String sum, Map<String, GraphVertex> vertices, Set<String> weighted) {
            Set<String> feeders = new LinkedHashSet<>();
            Deque<String> open = new ArrayDeque<>(inputs(sum));
            while (!open.isEmpty()) {
                String name = open.remove();
                GraphVertex vertex = vertices.get(name);
                if (weighted.contains(name)) {
                    feeders.add(name);
                } else if (vertex != null && !isSum(vertex) && !hasFloatWeights(name)) {
                    open.addAll(inputs(name));
                }
            }
            return feeders;
        }

        private boolean hasFloatWeights(String vertex) {
            Layer layer = network.getLayer(vertex);
            return layer != null
                    && layer.numParams() > 0
                    && !(Frozen.inside(layer.conf().getLayer()) instanceof BatchNormalization);
        }

        private List<String> inputs(String vertex) {
            return Objects.requireNonNullElse(
                    network.getConfiguration().getVertexInputs().get(vertex), List.of());
        }

        @Override
        public Evaluation evaluate(List<DataSet> data) {
            return network.evaluate(iterator(data));
        }
    }
}
