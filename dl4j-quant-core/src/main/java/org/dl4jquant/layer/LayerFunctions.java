// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;

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

    /**
     * {@return the function that follows a quantized layer's arithmetic and normalization}
     *
     * @param layer the layer
     */
    public static IActivation after(QuantizedLayer layer) {
        return InnerLayer.separateActivation(Require.given(layer, "layer"));
    }

    /**
     * {@return whether the function that follows a layer's arithmetic runs as a table in the
     * integer graph: it is no clamp, and a table reads codes}
     *
     * @param layer the layer's configuration
     * @param merged the function of an activation layer that is joined with it; null if it has only
     *     its own
     */
    public static boolean needsTable(Layer layer, @Nullable IActivation merged) {
        return integerForm(layer, merged).filter(function -> !function.isClamp()).isPresent();
    }

    /**
     * {@return whether a function never gives a negative value}
     *
     * @param function the function
     */
    public static boolean isNonNegative(IActivation function) {
        Require.given(function, "function");
        return function.getClass() == ActivationSoftmax.class
                || PointwiseActivation.of(function)
                        .map(PointwiseActivation::nonNegative)
                        .orElse(false);
    }

    /**
     * {@return the scheme with the widest codes: narrower ones would make a table no cheaper}
     *
     * @param scheme a scheme of any format; only integer ones change
     */
    public static TensorScheme wide(TensorScheme scheme) {
        return Require.given(scheme, "scheme").format() instanceof IntFormat
                ? scheme.withFormat(new IntFormat(CodeRange.MAX_BITS))
                : scheme;
    }
}
