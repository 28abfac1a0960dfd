// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.lower.Lowering;
import org.dl4jquant.nd.Detached;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Step;
import org.dl4jquant.network.Topology;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A network of one input and one output, in float or with quantizers, as the measures of the search
 * use it.
 *
 * @param view the network
 */
record MeasuredNetwork(NetworkView<?> view) {

    /**
     * {@return the names by which {@code prepare} knows the layers, in the forward pass's order}
     */
    List<String> names() {
        return view.names();
    }

    /** {@return a layer by name, null without} */
    @Nullable Layer layer(String name) {
        return view.layer(name);
    }

    /** {@return the result for a batch, in inference mode} */
    INDArray output(DataSet batch) {
        INDArray mask = batch.getFeaturesMaskArray();
        return Detached.compute(
                () ->
                        view.output(
                                        new INDArray[] {batch.getFeatures()},
                                        mask == null ? null : new INDArray[] {mask})[0]);
    }

    /** {@return every layer's result for a batch, in inference mode, by name} */
    Map<String, INDArray> activations(DataSet batch) {
        return Detached.compute(() -> view.feedForward(new INDArray[] {batch.getFeatures()}));
    }

    /** {@return a copy with quantizers} */
    MeasuredNetwork prepare(QuantSpec spec, List<DataSet> data) {
        return new MeasuredNetwork(
                NetworkView.ofModel(Preparation.prepare(view, spec, iterator(data)).network()));
    }

    /** {@return the integer graph of a network with quantizers} */
    IntGraph lower() {
        return Lowering.of(view);
    }

    /**
     * {@return a copy in float64 without dropout and weight noise, whose batch normalizations
     * always use their running statistics}
     */
    MeasuredNetwork exactCopy() {
        NetworkView<?> exact = view.copy(DataType.DOUBLE);
        for (Layer layer : exact.layers()) {
            layer.conf().getLayer().setIDropout(null);
            if (layer.conf().getLayer() instanceof BaseLayer weighted) {
                weighted.setWeightNoise(null);
            }
        }
        exact.startGradients();
        FixedNormalization.fixAll(exact);
        return new MeasuredNetwork(exact);
    }

    /**
     * {@return the gradient of the loss summed over a batch, and by name of layer and parameter}
     */
    Gradient gradient(DataSet batch) {
        return view.gradient(
                batch.getFeatures().castTo(DataType.DOUBLE),
                batch.getLabels().castTo(DataType.DOUBLE),
                batch.getFeaturesMaskArray(),
                batch.getLabelsMaskArray());
    }

    /** {@return the name under which a gradient knows a layer's parameter} */
    String key(String layer, String parameter) {
        return view.gradientKey(layer, parameter);
    }

    Evaluation evaluate(List<DataSet> data) {
        return view.evaluate(iterator(data));
    }

    private static DataSetIterator iterator(List<DataSet> data) {
        return new ListDataSetIterator<>(data, 1);
    }

    // ---- of a network with quantizers ----------------------------------------------------------

    /** {@return the layers whose weights are rounded, in the order of the forward pass} */
    List<String> weighted() {
        return names().stream().filter(this::hasRoundedWeights).toList();
    }

    private boolean hasRoundedWeights(String name) {
        Layer layer = layer(name);
        return layer != null
                && QuantizedLayers.tensors(layer).stream().anyMatch(QuantizedTensor::weight);
    }

    /**
     * {@return sets of layers with rounded weights whose results meet in one sum}
     *
     * <p>The steps are those that {@code prepare} made: batch normalizations that it joined with
     * the layer before them are gone, and what stays in float is no quantized layer.
     */
    List<Set<String>> tied() {
        Topology<Step> topology = view.topology();
        List<Set<String>> tied = new ArrayList<>();
        for (Step step : topology.steps()) {
            if (isSum(step)) {
                Set<String> producers = topology.producers(step.name(), this::passesCodes);
                producers.removeIf(name -> !hasRoundedWeights(name));
                tied.add(producers);
            }
        }
        return tied;
    }

    private static boolean isSum(Step step) {
        return step.vertex() instanceof QuantizedAddVertex
                || LayerKinds.of(step).flow() == CodeFlow.ADDS;
    }

    /* What computes with weights that stay in float makes no codes, so nothing before it is tied. */
    private boolean passesCodes(Step step) {
        Trainable running = view.trainable(step.name());
        boolean quantized = step.layer() instanceof QuantizedLayer;
        return !isSum(step)
                && !hasRoundedWeights(step.name())
                && (quantized || running == null || running.numParams() == 0);
    }
}
