// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * What a listener needs of the network that it listens to, the same for both kinds of DL4J network.
 */
final class TrainedNetwork {

    private final Model model;

    /**
     * Looks at a network.
     *
     * @param model a MultiLayerNetwork or ComputationGraph
     * @throws IllegalArgumentException if it is of another kind, or has no quantized layer
     */
    TrainedNetwork(Model model) {
        this.model = model;
        Require.argument(
                model instanceof MultiLayerNetwork || model instanceof ComputationGraph,
                "%s is no network; attach this to a MultiLayerNetwork or ComputationGraph",
                model.getClass().getSimpleName());
        Require.argument(
                !quantized().isEmpty(),
                "the network has no quantized layer; attach this to what Quantization.prepare"
                        + " returns");
    }

    /** A layer with quantizers and its configuration. */
    record Quantized(Layer layer, QuantizedLayer conf) {}

    Model model() {
        return model;
    }

    Layer[] layers() {
        return model instanceof ComputationGraph graph
                ? graph.getLayers()
                : ((MultiLayerNetwork) model).getLayers();
    }

    List<Quantized> quantized() {
        List<Quantized> found = new ArrayList<>();
        for (Layer layer : layers()) {
            QuantizedLayers.configuration(layer)
                    .ifPresent(conf -> found.add(new Quantized(layer, conf)));
        }
        return found;
    }

    int iterations() {
        return model instanceof ComputationGraph graph
                ? graph.getConfiguration().getIterationCount()
                : ((MultiLayerNetwork) model).getIterationCount();
    }

    int epochs() {
        return model instanceof ComputationGraph graph
                ? graph.getConfiguration().getEpochCount()
                : ((MultiLayerNetwork) model).getEpochCount();
    }

    void setCounts(int iterations, int epochs) {
        if (model instanceof ComputationGraph graph) {
            graph.getConfiguration().setIterationCount(iterations);
            graph.getConfiguration().setEpochCount(epochs);
        } else {
            ((MultiLayerNetwork) model).setIterationCount(iterations);
            ((MultiLayerNetwork) model).setEpochCount(epochs);
        }
        for (Layer layer : layers()) {
            layer.setIterationCount(iterations);
            layer.setEpochCount(epochs);
        }
    }

    // ---- notes in the model file ---------------------------------------------------------------

    Map<String, String> notes() {
        return quantized().get(0).conf().trainingNotes();
    }

    /** Adds notes, or replaces those of the same names. */
    void addNotes(Map<String, String> notes) {
        Map<String, String> all = new TreeMap<>(notes());
        all.putAll(notes);
        quantized().get(0).conf().setTrainingNotes(all);
    }

    void removeNotes(String prefix) {
        Map<String, String> all = new TreeMap<>(notes());
        all.keySet().removeIf(name -> name.startsWith(prefix));
        quantized().get(0).conf().setTrainingNotes(all);
    }

    // ---- listeners -----------------------------------------------------------------------------

    private Collection<TrainingListener> listeners() {
        Collection<TrainingListener> all =
                model instanceof ComputationGraph graph
                        ? graph.getListeners()
                        : ((MultiLayerNetwork) model).getListeners();
        return all == null ? List.of() : all;
    }

    /** Adds a listener before all others, so that what they save has seen its work. */
    void listenFirst(TrainingListener listener) {
        List<TrainingListener> all = new ArrayList<>(List.of(listener));
        listeners().stream().filter(other -> other != listener).forEach(all::add);
        model.setListeners(all.toArray(new TrainingListener[0]));
    }

    void stopListening(Class<? extends TrainingListener> type) {
        model.setListeners(
                listeners().stream()
                        .filter(other -> !type.isInstance(other))
                        .toArray(TrainingListener[]::new));
    }

    // ---- updater -------------------------------------------------------------------------------

    /**
     * Sets what the updater remembers of scales and zero points to 0, as at the start of a
     * training.
     */
    void resetScaleMoments() {
        BaseMultiLayerUpdater<?> updater = updater();
        INDArray state = updater == null ? null : updater.getStateViewArray();
        if (updater != null && state != null) {
            updater.getUpdaterBlocks().forEach(block -> resetScales(block, flat(state)));
        }
    }

    private @Nullable BaseMultiLayerUpdater<?> updater() {
        return model instanceof ComputationGraph graph
                ? graph.getUpdater(false)
                : (BaseMultiLayerUpdater<?>) ((MultiLayerNetwork) model).getUpdater(false);
    }

    /* The state of a block is one or more arrays, each as long as the block's parameters. */
    private static void resetScales(UpdaterBlock block, INDArray state) {
        int parameters = block.getParamOffsetEnd() - block.getParamOffsetStart();
        for (UpdaterBlock.ParamState param : block.getLayersAndVariablesInBlock()) {
            String name = param.getParamName();
            if (!name.startsWith(TensorRole.SCALE) && !name.startsWith(TensorRole.ZERO)) {
                continue;
            }
            int from = param.getParamOffsetStart() - block.getParamOffsetStart();
            int length = param.getParamOffsetEnd() - param.getParamOffsetStart();
            for (int at = block.getUpdaterViewOffsetStart() + from;
                    at < block.getUpdaterViewOffsetEnd();
                    at += parameters) {
                state.get(NDArrayIndex.interval(at, at + length)).assign(0);
            }
        }
    }

    private static INDArray flat(INDArray array) {
        return array.reshape(array.length());
    }
}
