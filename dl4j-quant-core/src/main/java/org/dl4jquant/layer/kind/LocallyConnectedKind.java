// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.LocallyConnectedForm;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationLReLU;

/**
 * A convolution with filters of its own for each place; its weight is [place, in * kernel, out].
 *
 * @param configuration the configuration
 * @param getter its activation function
 * @param setter gives the configuration another one
 * @param channelAxis the dimension of its result that numbers the output channels
 * @param integers its integer form, or why it has none
 */
record LocallyConnectedKind(
        SameDiffLayer configuration,
        Supplier<Activation> getter,
        Consumer<Activation> setter,
        int channelAxis,
        IntegerSupport integers)
        implements LayerKind {

    static LayerKind of(SameDiffLayer layer) {
        return layer instanceof LocallyConnected2D images
                ? ofImages(images)
                : ofSequences((LocallyConnected1D) layer);
    }

    private static LayerKind ofImages(LocallyConnected2D layer) {
        return new LocallyConnectedKind(
                layer,
                layer::getActivation,
                layer::setActivation,
                ImageAxis.of(layer.getFormat()),
                LocallyConnectedForm.of(layer));
    }

    private static LayerKind ofSequences(LocallyConnected1D layer) {
        return new LocallyConnectedKind(
                layer,
                layer::getActivation,
                layer::setActivation,
                CHANNELS_FIRST,
                LocallyConnectedForm.of(layer));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.withoutInputs(2);
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public IActivation lastFunction() {
        return function(getter.get());
    }

    /* As DL4J computes it in these layers: a leaky ReLU without a slope. */
    private static IActivation function(Activation named) {
        return named == Activation.LEAKYRELU
                ? new ActivationLReLU(0)
                : named.getActivationFunction();
    }

    /* DL4J's configuration has a name of a function, not the function. */
    @Override
    public void setLastFunction(IActivation function) {
        Activation named =
                Arrays.stream(Activation.values())
                        .filter(each -> function(each).equals(function))
                        .findFirst()
                        .orElse(null);
        Require.state(
                named != null,
                "layer \"%s\" applies DL4J's named functions only, not %s; put an ActivationLayer"
                        + " with that function after it",
                configuration.getLayerName(),
                function);
        setter.accept(named);
    }
}
