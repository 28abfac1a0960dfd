// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.UpdaterStates;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A network during its training: its quantized layers, notes in its model file, listeners. */
final class TrainedNetwork {

    private final NetworkView<?> view;

    /**
     * Looks at a network.
     *
     * @param model a network of either kind
     * @throws IllegalArgumentException if it is no network, or has no quantized layer
     */
    TrainedNetwork(Model model) {
        this.view = NetworkView.ofModel(model);
        Require.argument(
                !quantized().isEmpty(),
                "the network has no quantized layer; attach this to what Quantization.prepare"
                        + " returns");
    }

    /** A layer with quantizers and its configuration. */
    record Quantized(Layer layer, QuantizedLayer conf) {}

    Model model() {
        return view.network();
    }

    List<Layer> layers() {
        return view.layers();
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
        return view.iterations();
    }

    int epochs() {
        return view.epochs();
    }

    void setCounts(int iterations, int epochs) {
        view.setCounts(iterations, epochs);
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

    /** Adds a listener before all others, so that what they save has seen its work. */
    void listenFirst(TrainingListener listener) {
        List<TrainingListener> all = new ArrayList<>(List.of(listener));
        view.listeners().stream().filter(other -> other != listener).forEach(all::add);
        model().setListeners(all.toArray(new TrainingListener[0]));
    }

    void stopListening(Class<? extends TrainingListener> type) {
        model().setListeners(
                        view.listeners().stream()
                                .filter(other -> !type.isInstance(other))
                                .toArray(TrainingListener[]::new));
    }

    // ---- updater -------------------------------------------------------------------------------

    /**
     * Sets what the updater remembers of scales and zero points to 0, as at the start of a
     * training.
     */
    void resetScaleMoments() {
        UpdaterStates states = UpdaterStates.of(view);
        for (String name : view.names()) {
            for (String key : Objects.requireNonNull(view.layer(name)).paramTable().keySet()) {
                if (key.startsWith(TensorRole.SCALE) || key.startsWith(TensorRole.ZERO)) {
                    List<INDArray> zeros = states.get(name, key);
                    zeros.forEach(state -> state.assign(0));
                    states.set(name, key, zeros);
                }
            }
        }
    }
}
