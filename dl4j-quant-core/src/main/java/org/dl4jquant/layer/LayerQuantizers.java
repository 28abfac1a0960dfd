// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.StrictScalars;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;

/**
 * The quantizers that one layer carries: each tensor of a network has one, at its producer.
 *
 * @param weights the scheme of each of its weights; null leaves them in float
 * @param input the scheme of its input, where no other layer has rounded it; else null
 * @param inputFrom the name of the layer that has rounded its input; null if none has
 * @param preActivation the scheme of the value before the activation function, where that function
 *     becomes a table of codes; else null
 * @param output the scheme of its result; null leaves it in float
 * @param hidden the scheme of a recurrent layer's hidden state, which is rounded before the next
 *     step reads it and before it leaves the layer; else null
 * @param hiddenBackward the same for the direction that goes back in time
 * @param products the scheme of an attention's queries, keys, values and joined heads, each with
 *     its own scale; null without projections
 * @param probabilities the scheme of an attention's probabilities; else null
 */
public record LayerQuantizers(
        @Nullable TensorScheme weights,
        @Nullable ActivationScheme input,
        @JsonDeserialize(using = StrictScalars.OfTextOrNull.class) @Nullable String inputFrom,
        @Nullable ActivationScheme preActivation,
        @Nullable ActivationScheme output,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable ActivationScheme hidden,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable ActivationScheme hiddenBackward,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable ActivationScheme products,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable ActivationScheme probabilities) {

    /** No quantizer at all. */
    public static final LayerQuantizers NONE =
            new LayerQuantizers(null, null, null, null, null, null, null, null, null);

    /** Checks that the input is rounded only once, and a table has codes on both sides. */
    public LayerQuantizers {
        Require.argument(
                input == null || inputFrom == null,
                "the input is rounded by layer '%s' already; a second quantizer would round codes",
                inputFrom == null ? "" : inputFrom);
        Require.argument(
                preActivation == null || output != null,
                "a quantizer before the activation function needs one behind it: a table maps"
                        + " codes to codes");
        Require.argument(
                hidden == null || hiddenBackward != null || output == null,
                "a layer that gives out its rounded hidden state needs no quantizer of its result:"
                        + " it would round codes");
    }

    /**
     * {@return quantizers of these weights and this result only}
     *
     * @param weights the scheme of each weight; null leaves them in float
     * @param output the scheme of the result; null leaves it in float
     */
    public static LayerQuantizers of(
            @Nullable TensorScheme weights, @Nullable ActivationScheme output) {
        return new LayerQuantizers(weights, null, null, null, output, null, null, null, null);
    }

    /**
     * {@return these quantizers with one for the input}
     *
     * @param scheme how the input is rounded
     */
    public LayerQuantizers withInput(ActivationScheme scheme) {
        return new LayerQuantizers(
                weights,
                scheme,
                null,
                preActivation,
                output,
                hidden,
                hiddenBackward,
                products,
                probabilities);
    }

    /**
     * {@return these quantizers, their input being rounded by another layer}
     *
     * @param layer that layer's name
     */
    public LayerQuantizers withInputFrom(String layer) {
        return new LayerQuantizers(
                weights,
                null,
                layer,
                preActivation,
                output,
                hidden,
                hiddenBackward,
                products,
                probabilities);
    }

    /**
     * {@return these quantizers with one before the activation function}
     *
     * @param scheme how the value before it is rounded
     */
    public LayerQuantizers withPreActivation(ActivationScheme scheme) {
        return new LayerQuantizers(
                weights,
                input,
                inputFrom,
                scheme,
                output,
                hidden,
                hiddenBackward,
                products,
                probabilities);
    }

    /**
     * {@return these quantizers with one for the hidden state, which then is the result}
     *
     * @param scheme how the hidden state is rounded
     */
    public LayerQuantizers withHidden(ActivationScheme scheme) {
        return new LayerQuantizers(weights, input, inputFrom, null, null, scheme, null, null, null);
    }

    /**
     * {@return these quantizers with one for the hidden state of each of two directions, whose
     * results are joined}
     *
     * @param scheme how both hidden states are rounded, each with its own scale
     */
    public LayerQuantizers withHiddenBothWays(ActivationScheme scheme) {
        return new LayerQuantizers(
                weights, input, inputFrom, null, output, scheme, scheme, null, null);
    }

    /**
     * {@return these quantizers with those of an attention's inner products}
     *
     * @param scheme how their factors are rounded; probabilities have no sign
     * @param projects whether queries, keys, values and the heads' result are projections
     */
    public LayerQuantizers withAttention(TensorScheme scheme, boolean projects) {
        return new LayerQuantizers(
                weights,
                input,
                inputFrom,
                preActivation,
                output,
                hidden,
                hiddenBackward,
                projects ? new ActivationScheme(scheme, true) : null,
                new ActivationScheme(scheme, false));
    }

    /** {@return what the layer's result is rounded by, at whichever place; null if it is float} */
    public @Nullable TensorRole resultRole() {
        if (output != null) {
            return TensorRole.OUTPUT;
        }
        return hidden != null && hiddenBackward == null ? TensorRole.HIDDEN : null;
    }

    /** {@return the scheme of the layer's result; null if it is float} */
    public @Nullable ActivationScheme result() {
        TensorRole role = resultRole();
        return role == null ? null : role.scheme(this);
    }

    /**
     * {@return these quantizers at another precision; a quantizer that has no codes then reads no
     * other layer's codes}
     *
     * @param precision the precision
     */
    LayerQuantizers at(Precision precision) {
        ActivationScheme newOutput = at(output, precision);
        return new LayerQuantizers(
                precision.ofWeights(weights),
                at(input, precision),
                precision.activations() instanceof IntFormat ? inputFrom : null,
                newOutput == null ? null : at(preActivation, precision),
                newOutput,
                at(hidden, precision),
                at(hiddenBackward, precision),
                at(products, precision),
                at(probabilities, precision));
    }

    private static @Nullable ActivationScheme at(
            @Nullable ActivationScheme prepared, Precision precision) {
        TensorScheme scheme = precision.ofActivations(prepared == null ? null : prepared.scheme());
        return prepared == null || scheme == null
                ? null
                : new ActivationScheme(scheme, prepared.signed());
    }
}
