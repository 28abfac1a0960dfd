// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/** What other packages ask of a running layer of a DL4J network. */
public final class QuantizedLayers {

    private QuantizedLayers() {}

    /**
     * {@return the layer's configuration; empty if it is not a quantized layer}
     *
     * @param layer a layer of a network, perhaps frozen
     */
    public static Optional<QuantizedLayer> configuration(Layer layer) {
        return Optional.ofNullable(runtime(layer)).map(QuantizedRuntime::layerConf);
    }

    /**
     * {@return the layer as integers, as it is now; empty if it is not a quantized layer}
     *
     * @param layer a layer of a network, perhaps frozen
     * @throws IllegalStateException if a scale is NaN or infinite, if the layer that rounds its
     *     input is not in the network, or if it has never seen an input; the message names the
     *     layer
     */
    public static Optional<IntegerParameters> integerParameters(Layer layer) {
        return Optional.ofNullable(runtime(layer)).map(QuantizedRuntime::integerParameters);
    }

    /**
     * Makes a layer compute in float and show the tensors that it would round, or round again. It
     * also notes the shape of its input.
     *
     * @param layer a quantized layer of a network, perhaps frozen
     * @param observer what sees the tensors; null to round again
     * @throws IllegalArgumentException if it is not a quantized layer
     */
    public static void observe(Layer layer, @Nullable TensorObserver observer) {
        QuantizedRuntime runtime = runtime(layer);
        Require.argument(
                runtime != null,
                "%s is not a quantized layer; QuantizedLayers.configuration tells",
                layer.getClass().getSimpleName());
        Objects.requireNonNull(runtime).setObserver(observer);
    }

    /** {@return whether a layer shows its tensors to an observer, and computes in float} */
    static boolean isObserved(Layer layer) {
        QuantizedRuntime runtime = runtime(layer);
        return runtime != null && runtime.isObserved();
    }

    private static @Nullable QuantizedRuntime runtime(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return runtime(frozen.getInsideLayer());
        }
        if (layer instanceof FrozenLayerWithBackprop frozen) {
            return runtime(frozen.getInsideLayer());
        }
        return layer instanceof QuantizedRuntime runtime ? runtime : null;
    }
}
