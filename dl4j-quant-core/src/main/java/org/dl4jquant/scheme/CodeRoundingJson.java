// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.IOException;
import org.dl4jquant.scheme.CodeRounding.Stochastic;
import org.nd4j.shade.jackson.annotation.JacksonInject;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.InjectableValues;
import org.nd4j.shade.jackson.databind.JsonMappingException;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.deser.std.StdDeserializer;
import org.nd4j.shade.jackson.databind.introspect.AnnotatedMember;
import org.nd4j.shade.jackson.databind.introspect.AnnotatedParameter;
import org.nd4j.shade.jackson.databind.introspect.JacksonAnnotationIntrospector;
import org.nd4j.shade.jackson.databind.ser.std.StdSerializer;

/** Roundings in JSON: nothing for the nearest code, which the first version knew alone. */
final class CodeRoundingJson {

    private static final String STOCHASTIC = "stochastic";
    private static final String SEED = "seed";

    private CodeRoundingJson() {}

    /**
     * Makes a strict mapper take a missing rounding for the nearest code.
     *
     * @param strict a mapper that refuses JSON in which a field is missing
     */
    static ObjectMapper withDefault(ObjectMapper strict) {
        return strict.setAnnotationIntrospector(new Default())
                .setInjectableValues(
                        new InjectableValues.Std()
                                .addValue(CodeRounding.class, CodeRounding.NEAREST));
    }

    /** Says that there is a value for a rounding that is not in the JSON. */
    private static final class Default extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public JacksonInject.Value findInjectableValue(AnnotatedMember member) {
            return member instanceof AnnotatedParameter && member.getRawType() == CodeRounding.class
                    ? JacksonInject.Value.forId(CodeRounding.class.getName())
                    : super.findInjectableValue(member);
        }
    }

    /** Writes one. */
    static final class Writer extends StdSerializer<CodeRounding> {
        private static final long serialVersionUID = 1L;

        Writer() {
            super(CodeRounding.class);
        }

        @Override
        public boolean isEmpty(SerializerProvider provider, CodeRounding value) {
            return value == CodeRounding.NEAREST;
        }

        @Override
        public void serialize(CodeRounding value, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            if (value instanceof Stochastic stochastic) {
                json.writeStartObject();
                json.writeStringField(JsonVariants.TYPE, STOCHASTIC);
                json.writeNumberField(SEED, stochastic.seed());
                json.writeEndObject();
            } else {
                json.writeString(value.toString());
            }
        }
    }

    /** Reads one. */
    static final class Reader extends StdDeserializer<CodeRounding> {
        private static final long serialVersionUID = 1L;

        Reader() {
            super(CodeRounding.class);
        }

        @Override
        public CodeRounding getAbsentValue(DeserializationContext context) {
            return CodeRounding.NEAREST;
        }

        @Override
        public CodeRounding getNullValue(DeserializationContext context)
                throws JsonMappingException {
            throw JsonMappingException.from(context, "the rounding is null; leave it out");
        }

        @Override
        public CodeRounding deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            JsonVariants variants = JsonVariants.read(json, context, "rounding");
            if (variants.type().equals(STOCHASTIC)) {
                return variants.make(() -> new Stochastic(variants.whole(SEED)));
            }
            if (variants.name().equals(CodeRounding.NEAREST.toString())) {
                return CodeRounding.NEAREST;
            }
            throw variants.unknown("[NEAREST] or an object of type [" + STOCHASTIC + "]");
        }
    }
}
