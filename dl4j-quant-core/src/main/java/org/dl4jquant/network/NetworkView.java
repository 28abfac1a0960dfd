// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * The same view of both kinds of DL4J network: steps by name, who feeds whom, results, copies and
 * training. A view holds no state of its own; it shows the network as it is at each call.
 *
 * <pre>{@code
 * NetworkView<ComputationGraph> view = NetworkView.of(graph);
 * view.topology().consumers("conv1").forEach(step -> System.out.println(step.name()));
 * }</pre>
 *
 * @param <N> the kind of network
 */
public abstract sealed class NetworkView<N extends Model> permits MultiLayerView, GraphView {

    private final N network;

    NetworkView(N network) {
        this.network = network;
    }

    /**
     * Returns the view of a row of layers.
     *
     * @param network an initialized network
     * @return its view
     */
    public static NetworkView<MultiLayerNetwork> of(MultiLayerNetwork network) {
        return new MultiLayerView(Require.given(network, "network"));
    }

    /**
     * Returns the view of a graph.
     *
     * @param network an initialized network
     * @return its view
     */
    public static NetworkView<ComputationGraph> of(ComputationGraph network) {
        return new GraphView(Require.given(network, "network"));
    }

    /**
     * Returns the view of a network of either kind.
     *
     * @param model an initialized MultiLayerNetwork or ComputationGraph
     * @return its view
     * @throws IllegalArgumentException if it is neither
     */
    public static NetworkView<?> ofModel(Model model) {
        if (Require.given(model, "model") instanceof ComputationGraph graph) {
            return of(graph);
        }
        Require.argument(
                model instanceof MultiLayerNetwork,
                "%s is no network; use a MultiLayerNetwork or ComputationGraph",
                model.getClass().getSimpleName());
        return of((MultiLayerNetwork) model);
    }

    /**
     * Returns the network.
     *
     * @return the network itself, no copy
     */
    public final N network() {
        return network;
    }

    /**
     * Returns whether the network has its parameters.
     *
     * @return whether {@code init()} was called
     */
    public abstract boolean initialized();

    // ---- structure -----------------------------------------------------------------------------

    /**
     * Returns the steps and their connections.
     *
     * @return them, as the configuration has them now
     */
    public abstract Topology<Step> topology();

    /**
     * Returns the names of the layers.
     *
     * @return them, all different, in the order of the forward pass
     */
    public abstract List<String> names();

    /**
     * Returns the layers that compute.
     *
     * @return them, in the order of {@link #names}
     */
    public abstract List<Layer> layers();

    /**
     * Returns a layer that computes.
     *
     * @param name its name
     * @return the layer; null if there is none of this name
     */
    public final @Nullable Layer layer(String name) {
        int index = names().indexOf(name);
        return index < 0 ? null : layers().get(index);
    }

    /** {@return the place of a layer among {@link #names}} */
    final int requireIndex(String name) {
        int index = names().indexOf(name);
        Require.argument(index >= 0, "there is no layer '%s'; there are %s", name, names());
        return index;
    }

    /**
     * Returns the holder of a step's parameters.
     *
     * @param name the name of a layer or vertex
     * @return the layer or vertex that computes; null if there is none of this name
     */
    public abstract @Nullable Trainable trainable(String name);

    /**
     * Returns the configuration as JSON.
     *
     * @return the JSON
     */
    public abstract String json();

    /**
     * Returns the steps' configurations to put a network together from.
     *
     * @return copies, in the order of the forward pass
     */
    public abstract List<Part> parts();

    /**
     * Returns the settings that hold for the whole network, for new layers.
     *
     * @return a copy
     */
    public abstract NeuralNetConfiguration defaults();

    /**
     * Puts a network together that has this one's other settings.
     *
     * @param parts its steps, in any order; a row of layers stays a row
     * @param outputs the names of the steps whose results leave it
     * @return a network whose parameters are 0, that has not been trained and has no listeners
     * @throws IllegalArgumentException if a row of layers would be no row
     */
    public final NetworkView<N> assemble(List<Part> parts, List<String> outputs) {
        return assemble(parts, topology().inputs(), outputs);
    }

    /**
     * Puts a network together that has this one's other settings, and other inputs.
     *
     * @param parts its steps, in any order; a row of layers stays a row
     * @param inputs the names of its inputs, in its order
     * @param outputs the names of the steps whose results leave it
     * @return a network whose parameters are 0, that has not been trained and has no listeners
     * @throws IllegalArgumentException if a row of layers would be no row
     */
    public abstract NetworkView<N> assemble(
            List<Part> parts, List<String> inputs, List<String> outputs);

    // ---- results -------------------------------------------------------------------------------

    /**
     * Computes the results in inference mode.
     *
     * @param features one array for each input
     * @param masks their masks; null without
     * @return one array for each output
     */
    public abstract INDArray[] output(INDArray[] features, INDArray @Nullable [] masks);

    /**
     * Computes the results of all steps in inference mode, without masks.
     *
     * @param features one array for each input
     * @return the results by the steps' names
     */
    public abstract Map<String, INDArray> feedForward(INDArray[] features);

    /**
     * Counts right and wrong classes.
     *
     * @param data examples with labels
     * @return the counts
     */
    public abstract Evaluation evaluate(DataSetIterator data);

    // ---- training ------------------------------------------------------------------------------

    /**
     * Trains the network.
     *
     * @param data examples with labels
     * @param epochs how often they are used
     */
    public abstract void fit(DataSetIterator data, int epochs);

    /**
     * Computes the gradient of the loss over a batch, for a network of one input and one output.
     *
     * @param features the batch
     * @param labels its labels
     * @param featuresMask the mask of the features; null without
     * @param labelsMask the mask of the labels; null without
     * @return the gradient, by {@link #gradientKey}
     */
    public abstract Gradient gradient(
            INDArray features,
            INDArray labels,
            @Nullable INDArray featuresMask,
            @Nullable INDArray labelsMask);

    /** Gives a network that was made without training its place for gradients. */
    public abstract void startGradients();

    /**
     * Returns the name under which a gradient holds a parameter.
     *
     * @param layer a layer's name
     * @param parameter its parameter's name
     * @return the name
     */
    public abstract String gradientKey(String layer, String parameter);

    /**
     * Returns the number of trained iterations.
     *
     * @return the number
     */
    public abstract int iterations();

    /**
     * Returns the number of trained epochs.
     *
     * @return the number
     */
    public abstract int epochs();

    /**
     * Sets the numbers of trained iterations and epochs, which schedules and updaters read.
     *
     * @param iterations the number of iterations
     * @param epochs the number of epochs
     */
    public abstract void setCounts(int iterations, int epochs);

    final void setCountsOfLayers(int iterations, int epochs) {
        for (Layer layer : layers()) {
            layer.setIterationCount(iterations);
            layer.setEpochCount(epochs);
        }
    }

    /**
     * Returns the listeners.
     *
     * @return them, in the order in which they are called
     */
    public abstract Collection<TrainingListener> listeners();

    /**
     * Returns the network's updater.
     *
     * @return the updater; null before the first iteration
     */
    public abstract @Nullable BaseMultiLayerUpdater<?> updater();

    /**
     * Returns the network's updater, which is made if there is none yet.
     *
     * @return the updater
     */
    public abstract BaseMultiLayerUpdater<?> madeUpdater();

    /** Drops the updater; the next one starts with a state of 0. */
    public abstract void resetUpdater();

    // ---- copies --------------------------------------------------------------------------------

    /**
     * Copies the network.
     *
     * @param type the data type of the copy
     * @return a copy with the same parameters, without listeners and without the updater's state
     */
    public abstract NetworkView<N> copy(DataType type);

    /**
     * Takes over the parameters of the steps that another network has under the same names, what
     * its updater remembers of them, and its numbers of trained iterations and epochs.
     *
     * @param other a network that was edited or cut out of this one, or the other way round
     * @throws IllegalArgumentException if a parameter has another shape there
     */
    public final void takeOver(NetworkView<?> other) {
        Map<String, Map<String, ParameterSource>> sources = new LinkedHashMap<>();
        Topology<Step> theirs = Require.given(other, "other").topology();
        for (Step step : topology().steps()) {
            if (theirs.step(step.name()) != null) {
                sources.put(step.name(), EditedParameters.all(other, step.name()));
            }
        }
        setCounts(other.iterations(), other.epochs());
        EditedParameters.copy(other, sources, this);
    }

    /**
     * Puts another layer in the place of one that computes.
     *
     * @param name the name of a layer
     * @param other the layer that computes from now on; the configuration stays
     */
    public abstract void substitute(String name, Layer other);
}
