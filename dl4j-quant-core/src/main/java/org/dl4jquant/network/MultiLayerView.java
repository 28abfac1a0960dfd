// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The view of a row of layers. */
final class MultiLayerView extends NetworkView<MultiLayerNetwork> {

    MultiLayerView(MultiLayerNetwork network) {
        super(network);
    }

    private MultiLayerConfiguration conf() {
        return network().getLayerWiseConfigurations();
    }

    @Override
    public boolean initialized() {
        return network().isInitCalled();
    }

    @Override
    public Topology<Step> topology() {
        List<Step> steps = new ArrayList<>();
        List<String> names = names();
        String input = LayerNames.input(names);
        String last = input;
        for (int i = 0; i < names.size(); i++) {
            steps.add(
                    Step.of(
                            names.get(i),
                            conf().getConf(i).getLayer(),
                            List.of(last),
                            conf().getInputPreProcess(i)));
            last = names.get(i);
        }
        return new Topology<>(steps, List.of(input), List.of(last));
    }

    @Override
    public List<String> names() {
        return LayerNames.of(conf());
    }

    @Override
    public List<Layer> layers() {
        return List.of(network().getLayers());
    }

    @Override
    public @Nullable Trainable trainable(String name) {
        return layer(name);
    }

    @Override
    public String json() {
        return conf().toJson();
    }

    @Override
    public List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        for (Step step : topology().steps()) {
            InputPreProcessor before = step.preprocessor();
            parts.add(
                    new Part(
                            step.name(),
                            step.inputs(),
                            conf().getConf(parts.size()).clone(),
                            null,
                            before == null ? null : before.clone()));
        }
        return parts;
    }

    @Override
    public NeuralNetConfiguration defaults() {
        return conf().getConf(0).clone();
    }

    @Override
    public NetworkView<MultiLayerNetwork> assemble(
            List<Part> parts, List<String> inputs, List<String> outputs) {
        List<NeuralNetConfiguration> layers = new ArrayList<>();
        Map<Integer, InputPreProcessor> preprocessors = new HashMap<>();
        for (Part part : row(parts, inputs.get(0), outputs)) {
            if (part.preprocessor() != null) {
                preprocessors.put(layers.size(), part.preprocessor());
            }
            layers.add(requireLayer(part));
        }
        MultiLayerConfiguration after = conf().clone();
        after.setConfs(layers);
        after.setInputPreProcessors(preprocessors);
        after.setIterationCount(0);
        after.setEpochCount(0);
        MultiLayerNetwork made = new MultiLayerNetwork(after);
        ZeroNetworks.init(made);
        return of(made);
    }

    private static NeuralNetConfiguration requireLayer(Part part) {
        NeuralNetConfiguration conf = part.conf();
        Require.argument(
                conf != null,
                "step '%s' is a vertex, and a MultiLayerNetwork holds layers only; use its"
                        + " toComputationGraph()",
                part.name());
        return Objects.requireNonNull(conf);
    }

    private List<Part> row(List<Part> parts, String input, List<String> outputs) {
        Map<String, Part> readers = new LinkedHashMap<>();
        for (Part part : parts) {
            Require.argument(
                    part.inputs().size() == 1
                            && readers.putIfAbsent(part.inputs().get(0), part) == null,
                    "step '%s' reads %s, as another one does or with others, and a"
                            + " MultiLayerNetwork is a row of layers; use its toComputationGraph()",
                    part.name(),
                    part.inputs());
        }
        List<Part> row = new ArrayList<>();
        String last = input;
        for (Part next = readers.get(last); next != null; next = readers.get(last)) {
            row.add(next);
            last = next.name();
        }
        Require.argument(
                row.size() == parts.size() && outputs.equals(List.of(last)),
                "the row of layers ends with '%s' after %d of %d; its output would be %s",
                last,
                row.size(),
                parts.size(),
                outputs);
        return row;
    }

    @Override
    public INDArray[] output(INDArray[] features, INDArray @Nullable [] masks) {
        return new INDArray[] {
            network().output(features[0], false, masks == null ? null : masks[0], null)
        };
    }

    @Override
    public Map<String, INDArray> feedForward(INDArray[] features) {
        List<INDArray> results = network().feedForward(features[0], false);
        Map<String, INDArray> byName = new LinkedHashMap<>();
        // The first of them is the input.
        names().forEach(name -> byName.put(name, results.get(byName.size() + 1)));
        return byName;
    }

    @Override
    public Evaluation evaluate(DataSetIterator data) {
        return network().evaluate(data);
    }

    @Override
    public void fit(DataSetIterator data, int epochs) {
        network().fit(data, epochs);
    }

    @Override
    public Gradient gradient(
            INDArray features,
            INDArray labels,
            @Nullable INDArray featuresMask,
            @Nullable INDArray labelsMask) {
        network().setInput(features);
        network().setLabels(labels);
        network().setLayerMaskArrays(featuresMask, labelsMask);
        network().computeGradientAndScore();
        return network().gradient();
    }

    @Override
    public void startGradients() {
        network().initGradientsView();
    }

    @Override
    public String gradientKey(String layer, String parameter) {
        return names().indexOf(layer) + "_" + parameter;
    }

    @Override
    public int iterations() {
        return network().getIterationCount();
    }

    @Override
    public int epochs() {
        return network().getEpochCount();
    }

    @Override
    public void setCounts(int iterations, int epochs) {
        network().setIterationCount(iterations);
        network().setEpochCount(epochs);
        setCountsOfLayers(iterations, epochs);
    }

    @Override
    public Collection<TrainingListener> listeners() {
        Collection<TrainingListener> listeners = network().getListeners();
        return listeners == null ? List.of() : listeners;
    }

    @Override
    public @Nullable BaseMultiLayerUpdater<?> updater() {
        return (BaseMultiLayerUpdater<?>) network().getUpdater(false);
    }

    @Override
    public BaseMultiLayerUpdater<?> madeUpdater() {
        return (BaseMultiLayerUpdater<?>) network().getUpdater();
    }

    @Override
    public void resetUpdater() {
        network().setUpdater(null);
    }

    @Override
    public NetworkView<MultiLayerNetwork> copy(DataType type) {
        MultiLayerConfiguration conf = conf().clone();
        conf.setDataType(type);
        MultiLayerNetwork copy = new MultiLayerNetwork(conf);
        copy.init(network().params().castTo(type).dup(), false);
        return of(copy);
    }

    @Override
    public void substitute(String name, Layer other) {
        network().getLayers()[requireIndex(name)] = other;
    }
}
