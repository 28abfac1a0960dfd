// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.network.Frozen;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * Gives layers without weights, which have a scale to learn but no updater, that of the layer with
 * weights before them, or else of the first one after them.
 */
final class StandaloneUpdaters {

    private StandaloneUpdaters() {}

    /**
     * Sets the updaters of quantized layers without weights.
     *
     * @param layers a network's layers, in the order in which data passes them; changed
     */
    static void assign(List<Layer> layers) {
        IUpdater last =
                layers.stream()
                        .map(StandaloneUpdaters::updater)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(null);
        for (Layer layer : layers) {
            IUpdater own = updater(layer);
            if (own != null) {
                last = own;
            } else if (layer instanceof QuantizedLayer quantized
                    && quantized.scaleUpdater() == null
                    && last != null) {
                quantized.setScaleUpdater(last.clone());
            }
        }
    }

    private static @Nullable IUpdater updater(Layer perhapsFrozen) {
        Layer layer = Frozen.inside(perhapsFrozen);
        if (layer instanceof QuantizedLayer quantized) {
            return quantized.weightUpdater();
        }
        return layer instanceof BaseLayer base ? base.getIUpdater() : null;
    }
}
