// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/** The activation functions that follow the arithmetic of layers. */
public final class LayerFunctions {

    private LayerFunctions() {}

    /**
     * {@return the integer form of the function that follows a layer's arithmetic; empty if the
     * integer graph has no such layer or function}
     *
     * @param layer the layer's configuration
     * @param merged the function of an activation layer that is joined with it; null if it has only
     *     its own
     */
    public static Optional<PointwiseActivation> integerForm(
            Layer layer, @Nullable IActivation merged) {
        Require.given(layer, "layer");
        LayerKind kind = LayerKinds.of(layer);
        boolean known =
                kind.separatesActivation()
                        && (kind.onlyAppliesFunction()
                                || !(kind.integers() instanceof IntegerSupport.Refusal));
        return known
                ? PointwiseActivation.of(InnerLayer.separateActivation(layer, merged))
                : Optional.empty();
    }
}
