// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;

/**
 * Looks through what DL4J puts around a layer or vertex whose parameters shall not learn. What is
 * inside computes as before, so whoever asks for the kind of a layer or vertex asks for what is
 * inside.
 */
public final class Frozen {

    private Frozen() {}

    /**
     * Returns whether a layer is frozen.
     *
     * @param layer a layer's configuration
     * @return whether it is one of DL4J's wrappers that freeze
     */
    public static boolean is(Layer layer) {
        return layer instanceof FrozenLayer || layer instanceof FrozenLayerWithBackprop;
    }

    /**
     * Returns a layer without the wrappers that freeze it.
     *
     * @param layer a layer's configuration
     * @return the layer inside all of them; the layer itself if it is not frozen
     */
    public static Layer inside(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return inside(frozen.getLayer());
        }
        return layer instanceof FrozenLayerWithBackprop frozen
                ? inside(frozen.getUnderlying())
                : layer;
    }

    /**
     * Returns a vertex without the wrappers that freeze it.
     *
     * @param vertex a vertex's configuration
     * @return the vertex inside all of them; the vertex itself if it is not frozen
     */
    public static GraphVertex inside(GraphVertex vertex) {
        return vertex instanceof FrozenVertex frozen ? inside(frozen.getUnderlying()) : vertex;
    }

    /**
     * Freezes a layer as another one is frozen.
     *
     * @param model a layer's configuration, frozen or not
     * @param layer the layer that takes the place of what is inside
     * @return that layer, in as many wrappers of the same kinds
     */
    public static Layer like(Layer model, Layer layer) {
        if (model instanceof FrozenLayer frozen) {
            return new FrozenLayer(like(frozen.getLayer(), layer));
        }
        return model instanceof FrozenLayerWithBackprop frozen
                ? new FrozenLayerWithBackprop(like(frozen.getUnderlying(), layer))
                : layer;
    }

    /**
     * Freezes a vertex as another one is frozen.
     *
     * @param model a vertex's configuration, frozen or not
     * @param vertex the vertex that takes the place of what is inside
     * @return that vertex, in as many wrappers
     */
    public static GraphVertex like(GraphVertex model, GraphVertex vertex) {
        return model instanceof FrozenVertex frozen
                ? new FrozenVertex(like(frozen.getUnderlying(), vertex))
                : vertex;
    }
}
