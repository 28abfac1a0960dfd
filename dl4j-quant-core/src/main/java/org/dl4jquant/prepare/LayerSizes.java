// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.IWeightInit;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.check.Require;
import org.dl4jquant.network.NetworkView;
import org.jspecify.annotations.Nullable;

/**
 * Changes how many outputs layers of a network have, as {@code nOutReplace} of DL4J's {@code
 * TransferLearning} does, which takes no quantized layers.
 *
 * <pre>{@code
 * MultiLayerNetwork wider = LayerSizes.of(quantized).nOutReplace("conv1", 24).build();
 * Recalibration.ofUncalibrated(wider, calibrationData);
 * wider.fit(trainData, epochs);
 * }</pre>
 *
 * <p>Those layers and the ones that read them draw all their parameters anew, as do layers in
 * between that have a number for each channel, such as a batch normalization. These layers keep
 * their quantizers, but their scales stand for other values then: {@link
 * Recalibration#ofUncalibrated} fits them. All other layers keep parameters, scales and what the
 * updater remembers of them; the numbers of trained iterations and epochs stay. Preprocessors
 * follow the sizes. If the network ends with the results, labels have another size, too.
 *
 * <p>All tensors of a sum have the same size, so the layers that make them must be changed
 * together. New weights are drawn by ND4J's random numbers as they stand. The network may be
 * quantized or not.
 *
 * @param <N> the kind of network
 */
public final class LayerSizes<N extends Model> {

    /**
     * A change of one layer.
     *
     * @param outputs its new number of outputs
     * @param own draws its weights; null for its own initialization
     * @param next draws those of the layers that read it; null for their own
     */
    record Change(int outputs, @Nullable IWeightInit own, @Nullable IWeightInit next) {}

    private final NetworkView<N> network;
    private final Map<String, Change> changes = new LinkedHashMap<>();

    private LayerSizes(NetworkView<N> network) {
        Require.argument(
                network.initialized(), "the network has no parameters yet; call init() first");
        this.network = network;
    }

    /**
     * Begins changes of a row of layers.
     *
     * @param network a network, quantized or not; not changed
     * @return no changes yet
     */
    public static LayerSizes<MultiLayerNetwork> of(MultiLayerNetwork network) {
        return new LayerSizes<>(NetworkView.of(network));
    }

    /**
     * Begins changes of a graph.
     *
     * @param network a network, quantized or not; not changed
     * @return no changes yet
     */
    public static LayerSizes<ComputationGraph> of(ComputationGraph network) {
        return new LayerSizes<>(NetworkView.of(network));
    }

    /**
     * Changes the number of outputs of a layer. New weights are drawn by the weight initializations
     * that the layers have.
     *
     * @param layer the name of a layer with weights
     * @param nOut its new number of outputs, above 0
     * @return these changes
     * @throws IllegalArgumentException if there is no such layer, it has no number of outputs of
     *     its own, or has that number already
     */
    public LayerSizes<N> nOutReplace(String layer, int nOut) {
        return replace(layer, new Change(nOut, null, null));
    }

    /**
     * Changes the number of outputs of a layer.
     *
     * @param layer the name of a layer with weights
     * @param nOut its new number of outputs, above 0
     * @param scheme draws the weights of this layer and of those that read it
     * @return these changes
     * @throws IllegalArgumentException as {@link #nOutReplace(String, int)}
     */
    public LayerSizes<N> nOutReplace(String layer, int nOut, WeightInit scheme) {
        IWeightInit drawing = Require.given(scheme, "scheme").getWeightInitFunction();
        return nOutReplace(layer, nOut, drawing, drawing);
    }

    /**
     * Changes the number of outputs of a layer.
     *
     * @param layer the name of a layer with weights
     * @param nOut its new number of outputs, above 0
     * @param scheme draws the weights of this layer, such as a {@code WeightInitDistribution}
     * @param schemeNext draws the weights of the layers that read it
     * @return these changes
     * @throws IllegalArgumentException as {@link #nOutReplace(String, int)}
     */
    public LayerSizes<N> nOutReplace(
            String layer, int nOut, IWeightInit scheme, IWeightInit schemeNext) {
        return replace(
                layer,
                new Change(
                        nOut,
                        Require.given(scheme, "scheme"),
                        Require.given(schemeNext, "schemeNext")));
    }

    private LayerSizes<N> replace(String layer, Change change) {
        SizePropagation.requireChangeable(network, Require.given(layer, "layer"), change);
        changes.put(layer, change);
        return this;
    }

    /**
     * Builds the changed network.
     *
     * @return a new network, without listeners; one without changes is a copy
     * @throws IllegalArgumentException if a step cannot follow, such as a sum of which only one
     *     tensor changes, or a vertex that reshapes; if a layer that would change is frozen; or if
     *     groups of weights do not divide the new inputs. The message names the step
     */
    public N build() {
        return new SizePropagation<>(network, changes).build();
    }
}
