// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * One step of the float network: a layer, perhaps with the batch normalization and the activation
 * layer behind it, or a vertex that is no layer.
 *
 * @param name the name of its first member
 * @param layer the layer's configuration; null if it is another vertex
 * @param vertex the vertex's configuration; null in a MultiLayerNetwork
 * @param normalization the batch normalization that belongs to it; null without
 * @param activation the activation layer's function that belongs to it; null without
 * @param inputs the names of the steps or network inputs that it reads
 * @param preprocessed whether a preprocessor reshapes its input
 * @param members the names of the float network's layers that it stands for, in order
 */
record Step(
        String name,
        @Nullable Layer layer,
        @Nullable GraphVertex vertex,
        @Nullable BatchNormalization normalization,
        @Nullable IActivation activation,
        List<String> inputs,
        boolean preprocessed,
        List<String> members) {

    Step {
        inputs = List.copyOf(inputs);
        members = List.copyOf(members);
    }

    static Step of(
            String name,
            @Nullable Layer layer,
            @Nullable GraphVertex vertex,
            List<String> inputs,
            boolean preprocessed) {
        return new Step(name, layer, vertex, null, null, inputs, preprocessed, List.of(name));
    }

    /** {@return the layer without the wrapper that freezes it; null if it is another vertex} */
    @Nullable Layer thawed() {
        if (layer instanceof FrozenLayer frozen) {
            return frozen.getLayer();
        }
        return layer instanceof FrozenLayerWithBackprop frozen ? frozen.getUnderlying() : layer;
    }

    /** {@return whether the layer does not learn} */
    boolean frozen() {
        return layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop;
    }

    /** {@return the simple name of the layer's or vertex's configuration class} */
    String type() {
        Object what = layer == null ? vertex : thawed();
        return what == null ? "?" : what.getClass().getSimpleName();
    }

    Step merged(
            @Nullable BatchNormalization behind, @Nullable IActivation function, String member) {
        List<String> longer = new ArrayList<>(members);
        longer.add(member);
        return new Step(
                name,
                layer,
                vertex,
                behind == null ? normalization : behind,
                function == null ? activation : function,
                inputs,
                preprocessed,
                longer);
    }

    Step withInputs(List<String> newInputs) {
        return new Step(
                name, layer, vertex, normalization, activation, newInputs, preprocessed, members);
    }
}
