// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.layer.scale.ScaleUpdaters;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Which updater moves which parameter of the layer inside a quantized one. DL4J's wrappers do not
 * say what updates the parameters of the layers inside them, so the innermost layer is asked.
 */
final class UnderlyingUpdaters {

    private UnderlyingUpdaters() {}

    /** {@return the updater of any parameter of a quantized layer} */
    static IUpdater of(QuantizedLayer layer, String key) {
        if (QuantizedParameters.isUnderlying(layer, key)) {
            return ofParameter(layer.getUnderlying(), key);
        }
        IUpdater weights = layer.weightUpdater();
        BatchNormalization normalization = layer.batchNormalization();
        if (normalization != null && QuantizedParameters.isNormalization(layer, key)) {
            IUpdater own = normalization.getUpdaterByParam(key);
            // One that a user joins has none: DL4J sets those of the layers that it sees.
            return own == null ? Objects.requireNonNull(weights) : own;
        }
        return ScaleUpdaters.updater(
                layer.preparedQuantizers(), key, weights == null ? layer.scaleUpdater() : weights);
    }

    /** {@return the updater of the layer's weights; null if it has none} */
    static @Nullable IUpdater ofWeights(Layer layer) {
        for (String key : layer.initializer().paramKeys(layer)) {
            return ofParameter(layer, key);
        }
        return null;
    }

    /** {@return the updater of one of the layer's parameters} */
    static IUpdater ofParameter(Layer layer, String key) {
        if (layer instanceof Bidirectional both) {
            return ofParameter(both.getFwd(), key.substring(1));
        }
        return layer instanceof BaseWrapperLayer wrapper
                ? ofParameter(wrapper.getUnderlying(), key)
                : layer.getUpdaterByParam(key);
    }
}
