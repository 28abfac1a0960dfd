// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.List;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;

/** Completes the configuration of a layer that comes into a network. */
final class NewLayerDefaults {

    private NewLayerDefaults() {}

    /**
     * Sets what a layer lacks and a network's builder would have set.
     *
     * @param layer the new layer; changed
     * @param name its name
     * @param like layers of the network, the nearest first
     * @throws IllegalArgumentException if it has no activation function
     */
    static void fill(Layer layer, String name, List<Layer> like) {
        if (!(layer instanceof BaseLayer fresh)) {
            return;
        }
        Require.argument(
                fresh.getActivationFn() != null,
                "layer '%s' has no activation function; give it one, such as IDENTITY",
                name);
        for (Layer other : like) {
            if (Frozen.inside(other) instanceof BaseLayer near && near.getIUpdater() != null) {
                if (fresh.getIUpdater() == null) {
                    fresh.setIUpdater(near.getIUpdater().clone());
                }
                if (fresh.getWeightInitFn() == null) {
                    fresh.setWeightInitFn(near.getWeightInitFn());
                }
            }
        }
        if (Double.isNaN(fresh.getBiasInit())) {
            fresh.setBiasInit(0);
        }
        if (Double.isNaN(fresh.getGainInit())) {
            fresh.setGainInit(1);
        }
        if (fresh.getGradientNormalization() == null) {
            fresh.setGradientNormalization(GradientNormalization.None);
        }
    }
}
