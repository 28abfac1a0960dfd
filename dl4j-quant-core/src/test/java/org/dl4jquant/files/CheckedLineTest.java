// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

class CheckedLineTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String OBJECT = "{\"a\":1,\"b\":\"x\"}";

    @Property
    void whatIsSealedIsJsonWithOneMoreMemberAndOpensAgain(@ForAll String text)
            throws JsonProcessingException {
        String object = JSON.writeValueAsString(JSON.createObjectNode().put("text", text));
        String line = CheckedLine.seal(object);
        assertEquals(object, CheckedLine.open(line));
        JsonNode read = JSON.readTree(line);
        assertEquals(List.of("text", "crc32c"), List.copyOf(toList(read)));
    }

    private static List<String> toList(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void noDamageGoesUnseen() {
        survives(Mutations.FEW);
    }

    @Test
    @Tag("thorough")
    void noDamageOfManyGoesUnseen() {
        survives(Mutations.MANY);
    }

    private static void survives(int count) {
        Mutations.survive(
                CheckedLine.seal(OBJECT).getBytes(UTF_8),
                count,
                bytes -> {
                    String found = CheckedLine.open(new String(bytes, UTF_8));
                    return found.equals(OBJECT) ? "" : found;
                });
    }

    @Test
    void saysWhatIsWrong() {
        assertEquals(
                "the line has no checksum at its end: it was changed or cut off",
                assertThrows(IllegalArgumentException.class, () -> CheckedLine.open(OBJECT))
                        .getMessage());
        String sealed = CheckedLine.seal(OBJECT);
        String sum = sealed.substring(sealed.length() - 10, sealed.length() - 2);
        String refused =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CheckedLine.open(sealed.replace(":1,", ":2,")))
                        .getMessage();
        assertEquals("not " + sum + ": it was changed", refused.substring(refused.indexOf("not")));
        assertThrows(IllegalArgumentException.class, () -> CheckedLine.seal("{}"));
        assertThrows(IllegalArgumentException.class, () -> CheckedLine.seal("[1]"));
    }
}
