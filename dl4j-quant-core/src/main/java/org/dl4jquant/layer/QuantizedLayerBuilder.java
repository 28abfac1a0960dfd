// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/**
 * Builds a quantized layer by hand, for networks that are written with quantizers from the start;
 * {@link QuantizedLayer#builder} begins one.
 *
 * <p>Weights and result are rounded by the layer's scheme, the result of an output layer stays in
 * float. The input is rounded here, too, unless {@link #reads} names the layer that has rounded it.
 * Scales begin at {@code 4 / largest code} for activations, and at the largest weight for weights;
 * {@code Recalibration.of} fits them to data after the network's {@code init}.
 */
public final class QuantizedLayerBuilder {

    private final Layer layer;
    private LayerScheme scheme = LayerScheme.INT8;
    private @Nullable BatchNormalization normalization;
    private @Nullable IActivation function;
    private @Nullable String source;
    private @Nullable TensorScheme result;
    private boolean signedInput = true;
    private boolean floatResult;

    QuantizedLayerBuilder(Layer layer) {
        this.layer = Require.given(layer, "layer").clone();
    }

    /**
     * Names the layer; not needed if it has a name.
     *
     * @param name the name, by which other layers know its codes
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder name(String name) {
        layer.setLayerName(Require.given(name, "name"));
        return this;
    }

    /**
     * Says how weights, input and result are rounded.
     *
     * @param newScheme {@link LayerScheme#INT8} without this call
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder scheme(LayerScheme newScheme) {
        scheme = Require.given(newScheme, "newScheme");
        return this;
    }

    /**
     * Names the layer whose codes this one reads, directly or through pools, moves and dropout.
     *
     * @param name a quantized layer that comes before
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder reads(String name) {
        source = Require.given(name, "name");
        return this;
    }

    /**
     * Says that the input is never negative: where it is rounded here, it gets codes from 0 up, and
     * so does the result of an average.
     *
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder nonNegativeInput() {
        signedInput = false;
        return this;
    }

    /**
     * Joins a batch normalization, which is folded into the layer's integers.
     *
     * @param following it comes between the arithmetic and the activation function
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder batchNormalization(BatchNormalization following) {
        normalization = Require.given(following, "following").clone();
        return this;
    }

    /**
     * Gives the function that comes last, after the batch normalization; the layer's own must be
     * the identity or not be set.
     *
     * @param last the function
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder activation(IActivation last) {
        function = Require.given(last, "last");
        return this;
    }

    /**
     * As {@link #activation(IActivation)}.
     *
     * @param last the function
     * @return this
     */
    public QuantizedLayerBuilder activation(Activation last) {
        return activation(Require.given(last, "last").getActivationFunction());
    }

    /**
     * Rounds the result by another scheme than the layer's: the width of a tensor should be that of
     * the layers that multiply it.
     *
     * @param other one scale for the whole tensor
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder result(TensorScheme other) {
        result = Require.given(other, "other");
        return this;
    }

    /**
     * Leaves the result in float, as that of an output layer always is: for the last layer before
     * the loss, and before a sum, after which a {@link FakeQuantLayer} rounds.
     *
     * @return this
     */
    @CanIgnoreReturnValue
    public QuantizedLayerBuilder resultInFloat() {
        floatResult = true;
        return this;
    }

    /**
     * {@return the layer}
     *
     * @throws IllegalArgumentException if a layer of this kind takes no quantizers, it has no name,
     *     or its functions contradict each other
     */
    public QuantizedLayer build() {
        String name = layer.getLayerName();
        Require.argument(
                name != null,
                "a quantized %s has no name; give it one by name(...): layers that read its codes"
                        + " name it",
                layer.getClass().getSimpleName());
        LayerKind kind = LayerKinds.of(layer);
        CodeFlow flow = kind.flow();
        boolean lossAlone = flow == CodeFlow.LOSS && !kind.isOutput();
        Require.argument(
                !lossAlone && !flow.keepsCodes() && flow != CodeFlow.UNKNOWN,
                "layer '%s' is a %s, which takes no quantizers: %s; add it to the network as it is",
                name,
                layer.getClass().getSimpleName(),
                flow.keepsCodes() ? "codes pass it" : "it computes in float");
        Require.argument(
                normalization == null || kind.absorbsNormalization(),
                "layer '%s' is a %s, which takes in no batch normalization; make that a layer of"
                        + " its own",
                name,
                layer.getClass().getSimpleName());
        if (function != null || normalization != null) {
            useIdentity(name, kind);
        }
        return new QuantizedLayer(layer.clone(), normalization, function, quantizers(name, kind));
    }

    private void useIdentity(String name, LayerKind kind) {
        IActivation own = kind.lastFunction();
        Require.argument(
                own == null || own.getClass() == ActivationIdentity.class,
                "layer '%s' has the activation function %s; give it to activation(...), which comes"
                        + " after the batch normalization, and the layer Activation.IDENTITY",
                name,
                String.valueOf(own));
        Require.argument(
                kind.separatesActivation(),
                "layer '%s' applies its function inside; set that on the layer itself",
                name);
        kind.setLastFunction(new ActivationIdentity());
    }

    private LayerQuantizers quantizers(String name, LayerKind kind) {
        TensorScheme activations = scheme.activations();
        boolean found = scheme.findsScales();
        boolean output = kind.isOutput() || floatResult || (found && result == null);
        Require.argument(
                !found || (kind.findsScales() && source == null),
                "layer '%s' is to find the scales of its input at run time; %s",
                name,
                source == null
                        ? "only dense and output layers do, so give it a scheme that is calibrated,"
                                + " such as LayerScheme.INT8"
                        : "it then reads values, not the codes of '"
                                + source
                                + "': leave out reads(...)");
        LayerQuantizers quantizers =
                LayerQuantizers.of(
                        kind.flow().hasWeights() ? scheme.weights() : null,
                        output || activations == null ? null : resultScheme(name, activations));
        if (activations == null) {
            return source == null ? quantizers : quantizers.withInputFrom(source);
        }
        boolean table = LayerFunctions.needsTable(layer, function);
        if (found) {
            return quantizers.withInput(new ActivationScheme(activations, true));
        }
        if (source != null) {
            quantizers = quantizers.withInputFrom(source);
        } else if (kind.flow() != CodeFlow.READS_INDICES
                && (kind.flow().hasWeights() || kind.flow().sumsCodes() || table)) {
            quantizers = quantizers.withInput(new ActivationScheme(activations, signedInput));
        }
        if (table && quantizers.output() != null && kind.flow().hasWeights()) {
            quantizers =
                    quantizers.withPreActivation(
                            new ActivationScheme(LayerFunctions.wide(activations), true));
        }
        return quantizers.withInner(kind.innerTensors(), activations);
    }

    private ActivationScheme resultScheme(String name, TensorScheme activations) {
        LayerKind kind = LayerKinds.of(layer);
        IActivation last =
                function == null && normalization == null
                        ? kind.lastFunction()
                        : Objects.requireNonNullElseGet(function, ActivationIdentity::new);
        Require.argument(
                last != null || !kind.separatesActivation(),
                "layer '%s' has no activation function yet, which decides whether its codes may be"
                        + " negative; set one on the layer, such as Activation.RELU",
                name);
        return new ActivationScheme(
                result == null ? activations : result, !nonNegative(kind, last));
    }

    private boolean nonNegative(LayerKind kind, @Nullable IActivation last) {
        boolean byFunction = last != null && LayerFunctions.isNonNegative(last);
        return byFunction || (kind.keepsSign() && !signedInput);
    }
}
