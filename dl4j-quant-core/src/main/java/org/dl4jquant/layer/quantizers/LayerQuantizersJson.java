// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.io.IOException;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonToken;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.JsonDeserializer;
import org.nd4j.shade.jackson.databind.JsonMappingException;
import org.nd4j.shade.jackson.databind.JsonSerializer;
import org.nd4j.shade.jackson.databind.SerializerProvider;

/**
 * The JSON of {@link LayerQuantizers}: one member for the scheme of each tensor, null or nothing if
 * it is not rounded; an attention's factors share one.
 */
final class LayerQuantizersJson {

    private static final String WEIGHTS = "weights";
    private static final String INPUT_FROM = "inputFrom";

    /* The first version wrote these even where they are null. */
    private static final Set<TensorRole> ALWAYS =
            Set.of(TensorRole.INPUT, TensorRole.PRE_ACTIVATION, TensorRole.OUTPUT);

    private LayerQuantizersJson() {}

    /** Writes. */
    static final class Writer extends JsonSerializer<LayerQuantizers> {

        @Override
        public void serialize(
                LayerQuantizers quantizers, JsonGenerator out, SerializerProvider provider)
                throws IOException {
            // Sorted, as DL4J sorts the members of all its objects.
            Map<String, @Nullable Object> members = new TreeMap<>();
            members.put(WEIGHTS, quantizers.weights());
            members.put(INPUT_FROM, quantizers.inputFrom());
            for (TensorRole role : TensorRole.values()) {
                ActivationScheme scheme = quantizers.scheme(role);
                if (scheme != null || ALWAYS.contains(role)) {
                    members.put(role.jsonName(), scheme);
                }
            }
            out.writeStartObject();
            for (Map.Entry<String, @Nullable Object> member : members.entrySet()) {
                provider.defaultSerializeField(member.getKey(), member.getValue(), out);
            }
            out.writeEndObject();
        }
    }

    /** Reads. */
    static final class Reader extends JsonDeserializer<LayerQuantizers> {

        /* Token by token: YAML's type names are no members, so a tree would lose them. */
        @Override
        public LayerQuantizers deserialize(JsonParser parser, DeserializationContext context)
                throws IOException {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw JsonMappingException.from(
                        parser, "a layer's quantizers are no object, but " + parser.getText());
            }
            @Nullable TensorScheme weights = null;
            @Nullable String inputFrom = null;
            EnumMap<TensorRole, ActivationScheme> tensors = new EnumMap<>(TensorRole.class);
            Set<String> seen = new HashSet<>();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.getCurrentName();
                requireKnown(name, parser);
                if (!seen.add(name)) {
                    throw JsonMappingException.from(parser, "'" + name + "' is there twice");
                }
                if (parser.nextToken() == JsonToken.VALUE_NULL) {
                    continue;
                }
                if (name.equals(WEIGHTS)) {
                    weights = context.readValue(parser, TensorScheme.class);
                } else if (name.equals(INPUT_FROM)) {
                    inputFrom = text(parser);
                } else {
                    ActivationScheme scheme = context.readValue(parser, ActivationScheme.class);
                    Stream.of(TensorRole.values())
                            .filter(role -> role.jsonName().equals(name))
                            .forEach(role -> tensors.put(role, scheme));
                }
            }
            try {
                return new LayerQuantizers(weights, inputFrom, tensors);
            } catch (IllegalArgumentException e) {
                throw JsonMappingException.from(parser, e.getMessage(), e);
            }
        }

        private static String text(JsonParser parser) throws IOException {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw JsonMappingException.from(
                        parser,
                        "'" + INPUT_FROM + "' is " + parser.getText() + ", but must be a text");
            }
            return parser.getText();
        }

        private static void requireKnown(String name, JsonParser parser) throws IOException {
            Set<String> known = new TreeSet<>(Set.of(WEIGHTS, INPUT_FROM));
            for (TensorRole role : TensorRole.values()) {
                known.add(role.jsonName());
            }
            if (!known.contains(name)) {
                throw JsonMappingException.from(
                        parser,
                        "a layer's quantizers have a tensor '"
                                + name
                                + "'; known are "
                                + known
                                + ": use a newer version of dl4j-quant");
            }
        }
    }
}
