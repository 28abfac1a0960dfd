// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/**
 * The quantizers that one layer carries: each tensor of a network has one, at its producer.
 *
 * @param weights the scheme of each of its weights; null leaves them in float
 * @param inputFrom the name of the layer that has rounded its input; null if none has
 * @param tensors the schemes of its activation tensors; those that are not there stay in float. A
 *     value before the activation function is rounded where that function becomes a table of codes,
 *     a hidden state before the next step reads it and before it leaves the layer
 */
@JsonSerialize(using = LayerQuantizersJson.Writer.class)
@JsonDeserialize(using = LayerQuantizersJson.Reader.class)
public record LayerQuantizers(
        @Nullable TensorScheme weights,
        @Nullable String inputFrom,
        Map<TensorRole, ActivationScheme> tensors) {

    /** No quantizer at all. */
    public static final LayerQuantizers NONE = new LayerQuantizers(null, null, Map.of());

    /** Checks that the input is rounded only once, and a table has codes on both sides. */
    public LayerQuantizers {
        EnumMap<TensorRole, ActivationScheme> copy = new EnumMap<>(TensorRole.class);
        copy.putAll(tensors);
        tensors = Collections.unmodifiableMap(copy);
        Require.argument(
                !tensors.containsKey(TensorRole.INPUT) || inputFrom == null,
                "the input is rounded by layer '%s' already; a second quantizer would round codes",
                inputFrom == null ? "" : inputFrom);
        Require.argument(
                !tensors.containsKey(TensorRole.PRE_ACTIVATION)
                        || tensors.containsKey(TensorRole.OUTPUT),
                "a quantizer before the activation function needs one after it: a table maps"
                        + " codes to codes");
        Require.argument(
                !tensors.containsKey(TensorRole.HIDDEN)
                        || tensors.containsKey(TensorRole.HIDDEN_BACKWARD)
                        || !tensors.containsKey(TensorRole.OUTPUT),
                "a layer that gives out its rounded hidden state needs no quantizer of its result:"
                        + " it would round codes");
        tensors.forEach(
                (role, scheme) ->
                        Require.argument(
                                scheme.runtimeScale() == null || role == TensorRole.INPUT,
                                "the scale of the tensor %s cannot be found at run time, only that"
                                        + " of a layer's input; give it a scheme that is calibrated,"
                                        + " such as TensorScheme.INT8_ACTIVATIONS",
                                role));
        requireOneSchemeEach(tensors);
    }

    /* As files have them: an attention's projections are rounded alike, or not at all. */
    private static void requireOneSchemeEach(Map<TensorRole, ActivationScheme> tensors) {
        tensors.forEach(
                (role, scheme) -> {
                    for (TensorRole other : TensorRole.values()) {
                        Require.argument(
                                !role.jsonName().equals(other.jsonName())
                                        || scheme.equals(tensors.get(other)),
                                "%s and %s share one scheme, but have %s and %s; give both the"
                                        + " same",
                                role,
                                other,
                                scheme,
                                String.valueOf(tensors.get(other)));
                    }
                });
    }

    /**
     * {@return quantizers of these weights and this result only}
     *
     * @param weights the scheme of each weight; null leaves them in float
     * @param output the scheme of the result; null leaves it in float
     */
    public static LayerQuantizers of(
            @Nullable TensorScheme weights, @Nullable ActivationScheme output) {
        return new LayerQuantizers(
                weights, null, output == null ? Map.of() : Map.of(TensorRole.OUTPUT, output));
    }

    /**
     * {@return the scheme of a tensor; null if it is not rounded}
     *
     * @param role the tensor
     */
    public @Nullable ActivationScheme scheme(TensorRole role) {
        return tensors.get(role);
    }

    /** {@return the scheme of the input; null if it is float, or another layer has rounded it} */
    public @Nullable ActivationScheme input() {
        return scheme(TensorRole.INPUT);
    }

    /** {@return the scheme of the result; null leaves it in float} */
    public @Nullable ActivationScheme output() {
        return scheme(TensorRole.OUTPUT);
    }

    /**
     * {@return these quantizers with one for the input}
     *
     * @param scheme the input's scheme
     */
    public LayerQuantizers withInput(ActivationScheme scheme) {
        return new LayerQuantizers(weights, null, tensors).with(scheme, TensorRole.INPUT);
    }

    /**
     * {@return these quantizers, their input being rounded by another layer}
     *
     * @param layer that layer's name
     */
    public LayerQuantizers withInputFrom(String layer) {
        return new LayerQuantizers(weights, layer, without(TensorRole.INPUT).tensors);
    }

    /**
     * {@return these quantizers with one before the activation function}
     *
     * @param scheme the scheme of the function's argument
     */
    public LayerQuantizers withPreActivation(ActivationScheme scheme) {
        return with(scheme, TensorRole.PRE_ACTIVATION);
    }

    /**
     * {@return these quantizers with one for the hidden state, which then is the result}
     *
     * @param scheme the hidden state's scheme
     */
    public LayerQuantizers withHidden(ActivationScheme scheme) {
        return without(TensorRole.PRE_ACTIVATION, TensorRole.OUTPUT)
                .with(scheme, TensorRole.HIDDEN);
    }

    /**
     * {@return these quantizers with one for the hidden state of each of two directions, whose
     * results are joined}
     *
     * @param scheme the scheme of both hidden states, each with its own scale
     */
    public LayerQuantizers withHiddenBothWays(ActivationScheme scheme) {
        return without(TensorRole.PRE_ACTIVATION)
                .with(scheme, TensorRole.HIDDEN, TensorRole.HIDDEN_BACKWARD);
    }

    /**
     * {@return these quantizers with those of an attention's inner products}
     *
     * @param scheme the scheme of their factors; probabilities have no sign
     * @param projects whether queries, keys, values and the heads' result are projections
     */
    public LayerQuantizers withAttention(TensorScheme scheme, boolean projects) {
        LayerQuantizers weighed = with(new ActivationScheme(scheme, false), TensorRole.PROBABILITY);
        return projects
                ? weighed.with(
                        new ActivationScheme(scheme, true),
                        TensorRole.QUERY,
                        TensorRole.KEY,
                        TensorRole.VALUE,
                        TensorRole.JOINED)
                : weighed;
    }

    /**
     * {@return these quantizers with those of the tensors inside a kind of layer}
     *
     * @param inner the tensors, neither input nor result; none change nothing
     * @param scheme their scheme: the layer's own weights multiply the state in each step, so it
     *     has the width of what they read
     */
    public LayerQuantizers withInner(Set<TensorRole> inner, TensorScheme scheme) {
        if (inner.isEmpty()) {
            return this;
        }
        ActivationScheme hidden = new ActivationScheme(scheme, true);
        if (inner.contains(TensorRole.HIDDEN_BACKWARD)) {
            return withHiddenBothWays(hidden);
        }
        if (inner.contains(TensorRole.DEPTHWISE)) {
            return with(hidden, TensorRole.DEPTHWISE);
        }
        if (inner.contains(TensorRole.NORMALIZED)) {
            // No layer multiplies them: narrower codes would make nothing cheaper.
            TensorScheme wide =
                    scheme.format() instanceof IntFormat
                            ? scheme.withFormat(new IntFormat(CodeRange.MAX_BITS))
                            : scheme;
            return with(new ActivationScheme(wide, true), TensorRole.NORMALIZED);
        }
        return inner.contains(TensorRole.HIDDEN)
                ? withHidden(hidden)
                : withAttention(scheme, inner.contains(TensorRole.QUERY));
    }

    private LayerQuantizers with(ActivationScheme scheme, TensorRole... roles) {
        EnumMap<TensorRole, ActivationScheme> all = new EnumMap<>(TensorRole.class);
        all.putAll(tensors);
        List.of(roles).forEach(role -> all.put(role, scheme));
        return new LayerQuantizers(weights, inputFrom, all);
    }

    private LayerQuantizers without(TensorRole... roles) {
        EnumMap<TensorRole, ActivationScheme> rest = new EnumMap<>(TensorRole.class);
        rest.putAll(tensors);
        List.of(roles).forEach(rest::remove);
        return new LayerQuantizers(weights, inputFrom, rest);
    }

    /** {@return the place where the layer's result is rounded; null if it is float} */
    public @Nullable TensorRole resultRole() {
        if (tensors.containsKey(TensorRole.OUTPUT)) {
            return TensorRole.OUTPUT;
        }
        return tensors.containsKey(TensorRole.HIDDEN)
                        && !tensors.containsKey(TensorRole.HIDDEN_BACKWARD)
                ? TensorRole.HIDDEN
                : null;
    }

    /** {@return the scheme of the layer's result; null if it is float} */
    public @Nullable ActivationScheme result() {
        TensorRole role = resultRole();
        return role == null ? null : scheme(role);
    }

    /**
     * {@return these quantizers at another precision; a quantizer that has no codes then reads no
     * other layer's codes}
     *
     * @param precision the precision
     */
    public LayerQuantizers at(Precision precision) {
        EnumMap<TensorRole, ActivationScheme> all = new EnumMap<>(TensorRole.class);
        tensors.forEach(
                (role, prepared) -> {
                    TensorScheme scheme = precision.ofActivations(prepared.scheme());
                    if (scheme != null) {
                        all.put(role, new ActivationScheme(scheme, prepared.signed()));
                    }
                });
        if (!all.containsKey(TensorRole.OUTPUT)) {
            all.remove(TensorRole.PRE_ACTIVATION);
        }
        return new LayerQuantizers(
                precision.ofWeights(weights),
                precision.activations() instanceof IntFormat ? inputFrom : null,
                all);
    }
}
