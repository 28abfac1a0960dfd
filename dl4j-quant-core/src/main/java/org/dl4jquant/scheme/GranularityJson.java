// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.IOException;
import java.util.List;
import org.dl4jquant.scheme.Granularity.PerGroup;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.deser.std.StdDeserializer;
import org.nd4j.shade.jackson.databind.ser.std.StdSerializer;

/** Granularities in JSON: a name alone where there is nothing to set, else an object. */
final class GranularityJson {

    private static final List<Granularity> PLAIN =
            List.of(Granularity.PER_TENSOR, Granularity.PER_CHANNEL, Granularity.PER_ROW);

    private static final String PER_GROUP = "per-group";
    private static final String SIZE = "size";

    private GranularityJson() {}

    /** Writes one. */
    static final class Writer extends StdSerializer<Granularity> {
        private static final long serialVersionUID = 1L;

        Writer() {
            super(Granularity.class);
        }

        @Override
        public void serialize(Granularity value, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            if (value instanceof PerGroup group) {
                json.writeStartObject();
                json.writeStringField(JsonVariants.TYPE, PER_GROUP);
                json.writeNumberField(SIZE, group.size());
                json.writeEndObject();
            } else {
                json.writeString(value.toString());
            }
        }
    }

    /** Reads one. */
    static final class Reader extends StdDeserializer<Granularity> {
        private static final long serialVersionUID = 1L;

        Reader() {
            super(Granularity.class);
        }

        @Override
        public Granularity deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            JsonVariants variants = JsonVariants.read(json, context, "granularity");
            if (variants.type().equals(PER_GROUP)) {
                return variants.make(() -> new PerGroup(variants.integer(SIZE)));
            }
            return PLAIN.stream()
                    .filter(plain -> plain.toString().equals(variants.name()))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    variants.unknown(
                                            PLAIN + " or an object of type [" + PER_GROUP + "]"));
        }
    }
}
