// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.files.FormatVersion;
import org.dl4jquant.files.StrictJson;
import org.nd4j.shade.jackson.annotation.JsonIgnoreProperties;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.SerializationFeature;

/**
 * Which layer gets which scheme: a scheme for all, and rules in order. <strong>The last rule that
 * selects a layer decides</strong>, so a spec is refined by adding rules.
 *
 * <pre>{@code
 * QuantSpec spec = QuantSpec.of(LayerScheme.INT4)
 *         .withFirstAndLast(LayerScheme.INT8)
 *         .with(LayerSelector.named("conv2"), LayerScheme.FLOAT);
 * }</pre>
 *
 * <p>It is serialized as its JSON. That may have a member {@code version}; without it, as today, it
 * has version 1.
 *
 * @param otherwise the scheme of layers that no rule selects
 * @param rules the rules, in order
 */
@JsonIgnoreProperties(QuantSpec.VERSION)
@SuppressWarnings("serial") // its JSON is written in its place
public record QuantSpec(LayerScheme otherwise, List<Rule> rules) implements Serializable {

    static final String VERSION = "version";

    private static final ObjectMapper JSON =
            CodeRoundingJson.withDefault(
                    StrictJson.mapper().enable(SerializationFeature.INDENT_OUTPUT));

    /**
     * One rule.
     *
     * @param layers which layers
     * @param scheme their scheme
     */
    public record Rule(LayerSelector layers, LayerScheme scheme) {
        /** Checks that both parts are there. */
        public Rule {
            Objects.requireNonNull(layers, "layers");
            Objects.requireNonNull(scheme, "scheme");
        }
    }

    /** Copies the rules. */
    public QuantSpec {
        Objects.requireNonNull(otherwise, "otherwise");
        rules = List.copyOf(rules);
    }

    /**
     * {@return a spec that gives every layer one scheme}
     *
     * @param scheme the scheme
     */
    public static QuantSpec of(LayerScheme scheme) {
        Require.given(scheme, "scheme");
        return new QuantSpec(scheme, List.of());
    }

    /**
     * {@return this spec with one more rule, which decides over the earlier ones}
     *
     * @param layers which layers
     * @param scheme their scheme
     */
    public QuantSpec with(LayerSelector layers, LayerScheme scheme) {
        List<Rule> longer = new ArrayList<>(rules);
        longer.add(new Rule(layers, scheme));
        return new QuantSpec(otherwise, longer);
    }

    /**
     * {@return this spec with another scheme for the first and the last layer, which quantize
     * worst; LSQ's convention is 8 bits}
     *
     * @param scheme their scheme
     */
    public QuantSpec withFirstAndLast(LayerScheme scheme) {
        return with(LayerSelector.first(), scheme).with(LayerSelector.last(), scheme);
    }

    /**
     * {@return the scheme of a layer}
     *
     * @param layer the layer
     */
    public LayerScheme schemeFor(LayerPosition layer) {
        LayerScheme decided = otherwise;
        for (Rule rule : rules) {
            if (rule.layers().selects(layer)) {
                decided = rule.scheme();
            }
        }
        return decided;
    }

    /** {@return this spec as JSON, which {@link #fromJson} reads back to an equal spec} */
    public String toJson() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the spec cannot be written as JSON: " + this, e);
        }
    }

    /**
     * {@return the spec that the JSON describes}
     *
     * @param json a text of {@link #toJson}, perhaps edited
     * @throws IllegalArgumentException if it is not JSON, is of another version, has an unknown or
     *     a missing field, or a value out of its range; the message names line, column and cause
     */
    public static QuantSpec fromJson(String json) {
        Require.given(json, "json");
        try {
            requireVersion(json);
            QuantSpec spec = JSON.readValue(json, QuantSpec.class);
            Require.argument(spec != null, "the quantization spec is not valid: it is null");
            return spec;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "the quantization spec is not valid: "
                            + e.getMessage()
                            + "; compare it with what QuantSpec.toJson() writes",
                    e);
        }
    }

    private static void requireVersion(String json) throws JsonProcessingException {
        JsonNode tree = JSON.readTree(json);
        if (tree.has(VERSION)) {
            FormatVersion.require(
                    "the quantization spec", StrictJson.whole(tree, VERSION), FormatVersion.FIRST);
        }
    }

    private Object writeReplace() {
        return new Serialized(toJson());
    }

    /* What is written in the place of a spec. */
    private record Serialized(String json) implements Serializable {

        private Object readResolve() {
            return fromJson(json);
        }
    }
}
