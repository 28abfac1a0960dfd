// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.layer.MaxPoolingLayer;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.QuantizedAddVertex;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * One step of the float network: a layer, perhaps with the batch normalization and the activation
 * layer after it, or a vertex that is no layer.
 *
 * @param name the name of its first member
 * @param layer the layer's configuration; null if it is another vertex
 * @param vertex the vertex's configuration; null in a MultiLayerNetwork
 * @param normalization the batch normalization that belongs to it; null without
 * @param activation the activation layer's function that belongs to it; null without
 * @param inputs the names of the steps or network inputs that it reads
 * @param preprocessor what its input passes before it; null without
 * @param members the names of the float network's layers that it stands for, in order
 */
record Step(
        String name,
        @Nullable Layer layer,
        @Nullable GraphVertex vertex,
        @Nullable BatchNormalization normalization,
        @Nullable IActivation activation,
        List<String> inputs,
        @Nullable InputPreProcessor preprocessor,
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
            @Nullable InputPreProcessor preprocessor) {
        QuantizedLayer kept = quantized(layer);
        return new Step(
                name,
                layer,
                vertex,
                kept == null ? null : kept.batchNormalization(),
                kept == null ? null : kept.activation(),
                inputs,
                preprocessor,
                List.of(name));
    }

    private static @Nullable QuantizedLayer quantized(@Nullable Layer layer) {
        return layer != null && Frozen.inside(layer) instanceof QuantizedLayer quantized
                ? quantized
                : null;
    }

    /** {@return DL4J's layer inside all wrappers; null if it is another vertex} */
    @Nullable Layer thawed() {
        Layer inside = layer == null ? null : Frozen.inside(layer);
        return inside instanceof QuantizedLayer || inside instanceof MaxPoolingLayer
                ? ((BaseWrapperLayer) inside).getUnderlying()
                : inside;
    }

    /** {@return DL4J's vertex that is no layer, without what freezes it; null if it is a layer} */
    @Nullable GraphVertex plainVertex() {
        GraphVertex inside = layer != null || vertex == null ? null : Frozen.inside(vertex);
        return inside instanceof ElementWiseVertex ours
                        && (ours instanceof QuantizedAddVertex || ours instanceof MaximumVertex)
                ? new ElementWiseVertex(ours.getOp())
                : inside;
    }

    /**
     * {@return the layer if it has quantizers already, which stay as they are; null if it has none}
     */
    @Nullable QuantizedLayer kept() {
        return quantized(layer);
    }

    /** {@return the sum if it adds codes already; null if the step is another} */
    @Nullable QuantizedAddVertex keptSum() {
        return vertex != null && Frozen.inside(vertex) instanceof QuantizedAddVertex sum
                ? sum
                : null;
    }

    /** {@return whether the layer does not learn} */
    boolean frozen() {
        return (layer != null && Frozen.is(layer)) || vertex instanceof FrozenVertex;
    }

    /** {@return whether something stands between the tensor that it reads and itself} */
    boolean preprocessed() {
        return preprocessor != null;
    }

    /** {@return the simple name of the layer's or vertex's configuration class} */
    String type() {
        Object what = layer == null ? plainVertex() : thawed();
        return what == null ? "?" : nameOf(what.getClass());
    }

    /** {@return the simple name of a class, or the last part of its name if it is anonymous} */
    static String nameOf(Class<?> type) {
        String name = type.getName();
        return type.getSimpleName().isEmpty()
                ? name.substring(name.lastIndexOf('.') + 1)
                : type.getSimpleName();
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
                preprocessor,
                longer);
    }

    Step withInputs(List<String> newInputs) {
        return new Step(
                name, layer, vertex, normalization, activation, newInputs, preprocessor, members);
    }
}
