// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.weights.IWeightInit;
import org.dl4jquant.network.Step;

/**
 * A configuration after a change of sizes.
 *
 * @param configuration the changed copy; the configuration itself if nothing in it changes
 * @param axis the dimension of its result that numbers channels or features
 * @param difference how many of them the result has more than before; below 0 fewer
 */
public record Resized(Object configuration, int axis, long difference) {

    /**
     * Returns the changed layer with another weight initialization.
     *
     * @param initialization the initialization, which the layer keeps
     * @return a copy; layers inside wrappers have it, too
     * @throws IllegalArgumentException if the layer has no such setting
     */
    public Resized withWeightInit(IWeightInit initialization) {
        return new Resized(initialized((Layer) configuration, initialization), axis, difference);
    }

    private static Layer initialized(Layer layer, IWeightInit initialization) {
        Layer copy = layer.clone();
        if (copy instanceof BaseLayer weighted) {
            weighted.setWeightInitFn(initialization);
        } else if (copy instanceof BaseWrapperLayer wrapper) {
            wrapper.setUnderlying(initialized(wrapper.getUnderlying(), initialization));
        } else if (copy instanceof Bidirectional both) {
            both.setFwd(initialized(both.getFwd(), initialization));
            both.setBwd(initialized(both.getBwd(), initialization));
        } else {
            throw new IllegalArgumentException(
                    "a "
                            + Step.typeOf(layer)
                            + " draws its weights in a way of its own, which cannot be replaced;"
                            + " give no initialization");
        }
        return copy;
    }
}
