// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.Supplier;
import org.dl4jquant.files.Bounds;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.JsonMappingException;
import org.nd4j.shade.jackson.databind.JsonNode;

/**
 * A JSON value that is either a name, or an object whose field "type" says which fields it has.
 *
 * @param json where it stands, for errors
 * @param what the described thing, for errors
 * @param node the value
 */
record JsonVariants(JsonParser json, String what, JsonNode node) {

    /** The field that tells objects apart. */
    static final String TYPE = "type";

    static JsonVariants read(JsonParser json, DeserializationContext context, String what)
            throws IOException {
        return new JsonVariants(json, what, context.readValue(json, JsonNode.class));
    }

    /** {@return the type of an object; empty for a name} */
    String type() {
        return node.path(TYPE).isTextual() ? node.path(TYPE).textValue() : "";
    }

    /** {@return a number among the fields} */
    double number(String field) {
        JsonNode value = node.path(field);
        if (!value.isNumber()) {
            throw new IllegalArgumentException(
                    what + " of type " + type() + " has no number '" + field + "'");
        }
        return value.asDouble();
    }

    /** {@return one of several constants, by its name among the fields} */
    <E extends Enum<E>> E constant(String field, E[] known) {
        JsonNode value = node.path(field);
        return Arrays.stream(known)
                .filter(constant -> constant.name().equals(value.textValue()))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        what
                                                + " of type "
                                                + type()
                                                + " has no '"
                                                + field
                                                + "' of "
                                                + Arrays.toString(known)));
    }

    /** {@return the name, where the value is one; empty for an object} */
    String name() {
        return node.isTextual() ? node.textValue() : "";
    }

    /** {@return a whole number of 32 bits among the fields} */
    int integer(String field) {
        return Bounds.number(
                what + "'s " + field, whole(field), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** {@return a whole number among the fields} */
    long whole(String field) {
        JsonNode value = node.path(field);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw new IllegalArgumentException(
                    what + " of type " + type() + " has no whole number '" + field + "'");
        }
        return value.asLong();
    }

    /** {@return a true or false among the fields} */
    boolean flag(String field) {
        JsonNode value = node.path(field);
        if (!value.isBoolean()) {
            throw new IllegalArgumentException(
                    what + " of type " + type() + " has no true or false '" + field + "'");
        }
        return value.asBoolean();
    }

    /** {@return a constructor's result; its refusal gets the place in the JSON} */
    <T> T make(Supplier<T> constructor) throws JsonMappingException {
        try {
            return constructor.get();
        } catch (IllegalArgumentException e) {
            throw JsonMappingException.from(json, e.getMessage(), e);
        }
    }

    /** {@return the refusal of a value that is none of the known ones} */
    JsonMappingException unknown(String known) {
        return JsonMappingException.from(
                json, "no " + what + " is " + node + "; there are " + known);
    }
}
