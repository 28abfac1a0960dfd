// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.TensorScheme;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/**
 * A quantizer as a layer of its own, for networks that are written with quantizers from the start:
 * its result is its input, rounded; gradients pass straight through, and its scale learns.
 *
 * <pre>{@code
 * .layer(FakeQuantLayer.unsigned("pixels", TensorScheme.INT8_ACTIVATIONS))
 * .layer(QuantizedLayer.builder(new DenseLayer.Builder().nOut(32).activation(Activation.RELU).build())
 *         .name("hidden").reads("pixels").build())
 * }</pre>
 *
 * <p>It stands after a network's input, a sum or a concatenation, whose tensors no layer rounds,
 * and fits input of any rank. The layers that read its codes name it ({@link
 * QuantizedLayerBuilder#reads}). It is a {@link QuantizedLayer} that computes nothing, in model
 * files too; lowered, it is a node that makes codes.
 */
public final class FakeQuantLayer {

    private FakeQuantLayer() {}

    /**
     * {@return a layer that rounds to codes of both signs}
     *
     * @param name the layer's name, by which other layers know its codes
     * @param scheme how it rounds, with one scale for the whole tensor
     */
    public static QuantizedLayer signed(String name, TensorScheme scheme) {
        return of(name, new ActivationScheme(Require.given(scheme, "scheme"), true));
    }

    /**
     * {@return a layer that rounds values which are never negative, to codes from 0 up; negative
     * ones become 0}
     *
     * @param name the layer's name, by which other layers know its codes
     * @param scheme how it rounds, with one scale for the whole tensor
     */
    public static QuantizedLayer unsigned(String name, TensorScheme scheme) {
        return of(name, new ActivationScheme(Require.given(scheme, "scheme"), false));
    }

    /**
     * {@return a layer that rounds}
     *
     * @param name the layer's name, by which other layers know its codes
     * @param scheme how it rounds
     */
    public static QuantizedLayer of(String name, ActivationScheme scheme) {
        ActivationLayer identity = new ActivationLayer(new ActivationIdentity());
        identity.setLayerName(Require.given(name, "name"));
        return new QuantizedLayer(
                identity, null, null, LayerQuantizers.of(null, Require.given(scheme, "scheme")));
    }
}
