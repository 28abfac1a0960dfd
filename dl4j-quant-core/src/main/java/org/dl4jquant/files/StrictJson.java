// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationFeature;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.MapperFeature;
import org.nd4j.shade.jackson.databind.json.JsonMapper;

/**
 * Reads JSON as it stands: 7.9 is not 7, "4" is not 4, null is no value, and no member comes twice.
 * What is wrong is an IllegalArgumentException that names the member.
 */
public final class StrictJson {

    private static final int SHOWN = 80;

    private StrictJson() {}

    /**
     * Returns a mapper that converts nothing. Lines end by {@code \\n} on every platform.
     *
     * @return a new mapper, for further settings
     */
    public static JsonMapper mapper() {
        return JsonMapper.builder()
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .defaultPrettyPrinter(new UnixPrinter())
                .build();
    }

    /**
     * Returns a member, which may be null.
     *
     * @param node an object
     * @param key the member's name
     * @return its value
     * @throws IllegalArgumentException if it is not there
     */
    public static JsonNode child(JsonNode node, String key) {
        JsonNode child = node.get(key);
        if (child == null) {
            throw wrong(null, key, "there");
        }
        return child;
    }

    /**
     * Returns a text.
     *
     * @param node an object
     * @param key the member's name
     * @return its value
     * @throws IllegalArgumentException if it is not there, or is none
     */
    public static String text(JsonNode node, String key) {
        JsonNode child = child(node, key);
        if (!child.isTextual()) {
            throw wrong(child, key, "a text");
        }
        return child.textValue();
    }

    /**
     * Returns a whole number.
     *
     * @param node an object
     * @param key the member's name
     * @return its value
     * @throws IllegalArgumentException if it is not there, or is none of 64 bits
     */
    public static long whole(JsonNode node, String key) {
        return whole(key, child(node, key));
    }

    /**
     * Returns a whole number.
     *
     * @param what it, for the message
     * @param value the number
     * @return its value
     * @throws IllegalArgumentException if it is none of 64 bits
     */
    public static long whole(String what, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrong(value, what, "a whole number");
        }
        return value.longValue();
    }

    /**
     * Returns a whole number of 32 bits.
     *
     * @param node an object
     * @param key the member's name
     * @return its value
     * @throws IllegalArgumentException if it is not there, or is none
     */
    public static int integer(JsonNode node, String key) {
        return integer(key, child(node, key));
    }

    /**
     * Returns a whole number of 32 bits.
     *
     * @param what it, for the message
     * @param value the number
     * @return its value
     * @throws IllegalArgumentException if it is none
     */
    public static int integer(String what, JsonNode value) {
        return Bounds.number(what, whole(what, value), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /**
     * Returns a number.
     *
     * @param node an object
     * @param key the member's name
     * @return its value
     * @throws IllegalArgumentException if it is not there, or is none
     */
    public static double number(JsonNode node, String key) {
        JsonNode child = child(node, key);
        if (!child.isNumber()) {
            throw wrong(child, key, "a number");
        }
        return child.doubleValue();
    }

    private static IllegalArgumentException wrong(
            @Nullable JsonNode found, String key, String allowed) {
        String text = found == null ? "missing" : found.toString();
        return new IllegalArgumentException(
                String.format(
                        Locale.ROOT,
                        "'%s' is %s, but must be %s",
                        key,
                        text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text,
                        allowed));
    }
}
