// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.json.JsonMapper;

class StrictJsonTest {

    private static final JsonMapper JSON = StrictJson.mapper();

    private static JsonNode node(String json) throws JsonProcessingException {
        return JSON.readTree(json);
    }

    private static String refused(Executable read) {
        return assertThrows(IllegalArgumentException.class, read).getMessage();
    }

    @Test
    void readsWhatIsThere() throws JsonProcessingException {
        JsonNode node = node("{\"a\":7,\"b\":1099511627776,\"c\":7.5,\"d\":\"x\",\"e\":null}");
        assertEquals(7, StrictJson.integer(node, "a"));
        assertEquals(1L << 40, StrictJson.whole(node, "b"));
        assertEquals(7.5, StrictJson.number(node, "c"));
        assertEquals(7, StrictJson.number(node, "a"));
        assertEquals("x", StrictJson.text(node, "d"));
    }

    @Test
    void convertsNothing() throws JsonProcessingException {
        JsonNode node =
                node("{\"a\":7.9,\"b\":\"4\",\"c\":null,\"d\":4,\"e\":4294967297,\"f\":7.0}");
        assertEquals(
                "'a' is 7.9, but must be a whole number",
                refused(() -> StrictJson.integer(node, "a")));
        assertEquals(
                "'b' is \"4\", but must be a whole number",
                refused(() -> StrictJson.whole(node, "b")));
        assertEquals(
                "'c' is null, but must be a number", refused(() -> StrictJson.number(node, "c")));
        assertEquals("'d' is 4, but must be a text", refused(() -> StrictJson.text(node, "d")));
        assertEquals(
                "e is 4294967297, but must be in [-2147483648, 2147483647]",
                refused(() -> StrictJson.integer(node, "e")));
        refused(() -> StrictJson.integer(node, "f"));
        assertEquals(
                "'g' is missing, but must be there", refused(() -> StrictJson.child(node, "g")));
    }

    @Test
    void refusesAMemberThatComesTwiceAndWhatFollows() {
        assertThrows(JsonProcessingException.class, () -> node("{\"a\":1,\"a\":2}"));
        assertThrows(JsonProcessingException.class, () -> node("{\"a\":1} {}"));
    }

    @Test
    void linesEndAlikeOnEveryPlatform() throws JsonProcessingException {
        String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node("{\"a\":[1]}"));
        assertEquals("{\n  \"a\" : [ 1 ]\n}", text);
        assertFalse(text.contains("\r"));
    }
}
