// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonToken;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.JsonMappingException;
import org.nd4j.shade.jackson.databind.deser.std.StdDeserializer;

/**
 * Reads scalars of JSON as they stand, whatever mapper reads them: 7.9 is not 7, "4" is not 4, and
 * neither null nor nothing is a value. DL4J's own mapper, which reads the layers of a model file,
 * converts all of these.
 */
public final class StrictScalars {

    private StrictScalars() {}

    /** The part that all have in common. */
    private abstract static class Strict<T> extends StdDeserializer<T> {

        private static final long serialVersionUID = 1L;

        private final String what;

        Strict(Class<T> type, String what) {
            super(type);
            this.what = what;
        }

        @Override
        public @Nullable T getNullValue(DeserializationContext context)
                throws JsonMappingException {
            throw JsonMappingException.from(
                    context, "there is null or nothing, but must be " + what);
        }

        final JsonMappingException wrong(JsonParser json) throws IOException {
            return JsonMappingException.from(
                    json, "there is " + json.getText() + ", but must be " + what);
        }
    }

    /** Reads an int. */
    public static final class OfInt extends Strict<Integer> {

        private static final long serialVersionUID = 1L;

        /** For Jackson. */
        public OfInt() {
            super(Integer.class, "a whole number of 32 bits");
        }

        @Override
        public Integer deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            return integer(json, this);
        }
    }

    private static int integer(JsonParser json, Strict<?> reader) throws IOException {
        if (!json.hasToken(JsonToken.VALUE_NUMBER_INT)
                || json.getNumberType() != JsonParser.NumberType.INT) {
            throw reader.wrong(json);
        }
        return json.getIntValue();
    }

    /** Reads an array of ints, or null. */
    public static final class OfInts extends Strict<int[]> {

        private static final long serialVersionUID = 1L;

        /** For Jackson. */
        public OfInts() {
            super(int[].class, "a list of whole numbers of 32 bits");
        }

        @Override
        public int @Nullable [] getNullValue(DeserializationContext context) {
            return null;
        }

        @Override
        public int[] deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            if (!json.isExpectedStartArrayToken()) {
                throw wrong(json);
            }
            int[] numbers = new int[0];
            while (json.nextToken() != JsonToken.END_ARRAY) {
                numbers = Arrays.copyOf(numbers, numbers.length + 1);
                numbers[numbers.length - 1] = integer(json, this);
            }
            return numbers;
        }
    }

    /** Reads a double. */
    public static final class OfDouble extends Strict<Double> {

        private static final long serialVersionUID = 1L;

        /** For Jackson. */
        public OfDouble() {
            super(Double.class, "a number");
        }

        @Override
        public Double deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            if (!json.currentToken().isNumeric()) {
                throw wrong(json);
            }
            return json.getDoubleValue();
        }
    }

    /** Reads a boolean. */
    public static final class OfBoolean extends Strict<Boolean> {

        private static final long serialVersionUID = 1L;

        /** For Jackson. */
        public OfBoolean() {
            super(Boolean.class, "true or false");
        }

        @Override
        public Boolean deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            if (!json.currentToken().isBoolean()) {
                throw wrong(json);
            }
            return json.getBooleanValue();
        }
    }

    /** Reads a text. */
    public static final class OfText extends Strict<String> {

        private static final long serialVersionUID = 1L;

        /** For Jackson. */
        public OfText() {
            super(String.class, "a text");
        }

        @Override
        public String deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            if (!json.hasToken(JsonToken.VALUE_STRING)) {
                throw wrong(json);
            }
            return json.getText();
        }
    }

    /** Reads a {@link Symmetry} by its name. */
    static final class OfSymmetry extends Strict<Symmetry> {

        private static final long serialVersionUID = 1L;

        OfSymmetry() {
            super(Symmetry.class, "one of " + Arrays.toString(Symmetry.values()));
        }

        @Override
        public Symmetry deserialize(JsonParser json, DeserializationContext context)
                throws IOException {
            String name = json.hasToken(JsonToken.VALUE_STRING) ? json.getText() : "";
            for (Symmetry symmetry : Symmetry.values()) {
                if (symmetry.name().equals(name)) {
                    return symmetry;
                }
            }
            throw wrong(json);
        }
    }
}
