// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.NetworkEdit;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.NewLayer;
import org.dl4jquant.network.ParameterSource;
import org.dl4jquant.network.Step;
import org.jspecify.annotations.Nullable;

/**
 * Gives a quantized network an output layer in float for other classes, which DL4J's {@code
 * nOutReplace} cannot do, because it does not see the layer inside the quantizers.
 *
 * <pre>{@code
 * MultiLayerNetwork changed = OutputLayers.replace(quantized, 5); // the new layer is a float layer
 * MultiLayerNetwork again = Quantization.prepare(changed, spec, newData); // now it is quantized, too
 * }</pre>
 *
 * <p>All other layers keep their quantizers, scales, weights and what the updater remembers of
 * them. {@link LayerSizes} changes layers that are no output layers.
 */
public final class OutputLayers {

    private OutputLayers() {}

    /**
     * {@return a copy of a network whose last layer is new: a float layer like the old one, with
     * other outputs and fresh weights}
     *
     * @param network a network, quantized or not; not changed
     * @param outputs how many outputs the new layer has, above 0
     * @throws IllegalArgumentException if the last layer has no weights or {@code outputs} is not
     *     above 0
     */
    public static MultiLayerNetwork replace(MultiLayerNetwork network, int outputs) {
        NetworkView<MultiLayerNetwork> view = NetworkView.of(Require.given(network, "network"));
        return replace(view, view.topology().outputs().get(0), outputs);
    }

    /**
     * {@return a copy of a network in which one output layer is new: a float layer like the old
     * one, with other outputs and fresh weights}
     *
     * @param network a network, quantized or not; not changed
     * @param name the name of an output layer
     * @param outputs how many outputs the new layer has, above 0
     * @throws IllegalArgumentException if the network has no output layer of that name with
     *     weights, or {@code outputs} is not above 0
     */
    public static ComputationGraph replace(ComputationGraph network, String name, int outputs) {
        Require.given(network, "network");
        Require.given(name, "name");
        NetworkView<ComputationGraph> view = NetworkView.of(network);
        Step step = view.topology().step(name);
        Require.argument(
                step != null && step.layer() != null && view.topology().outputs().contains(name),
                "the network has no output layer '%s'; its outputs are %s",
                name,
                view.topology().outputs());
        return replace(view, name, outputs);
    }

    private static <N extends Model> N replace(NetworkView<N> network, String name, int outputs) {
        Layer old = Objects.requireNonNull(network.topology().step(name)).layer();
        Layer fresh = like(Objects.requireNonNull(old), name, outputs);
        Map<String, ParameterSource> drawn = new HashMap<>();
        for (String key : fresh.initializer().paramKeys(fresh)) {
            drawn.put(key, ParameterSource.fresh());
        }
        return NetworkEdit.of(network)
                .unfreeze(name)
                .replace(name, new NewLayer(name, fresh, drawn))
                .build();
    }

    private static Layer like(Layer old, String name, int outputs) {
        Require.argument(
                outputs > 0,
                "an output layer '%s' with %d outputs; give at least 1",
                name,
                outputs);
        @Nullable Layer inside = FusedStep.inside(old);
        Require.argument(
                inside instanceof BaseOutputLayer,
                "'%s' is no output layer with weights, so it has no number of outputs of its own;"
                        + " change the layer before it by LayerSizes",
                name);
        BaseOutputLayer fresh = (BaseOutputLayer) Objects.requireNonNull(inside).clone();
        fresh.setNOut(outputs);
        fresh.setLayerName(name);
        return fresh;
    }
}
