// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Bytes that are no model: each is refused at once, saying where, and nothing large is allocated.
 */
class HostileWireTest {

    private static final Duration AT_ONCE = Duration.ofSeconds(10);

    private static String refusal(byte[] bytes) {
        return assertTimeoutPreemptively(
                AT_ONCE,
                () ->
                        assertThrows(
                                        MalformedMessageException.class,
                                        () -> Message.read(ModelProto.SCHEMA, bytes))
                                .getMessage());
    }

    private static String refusal(String digits) {
        return refusal(HexFormat.of().parseHex(digits.replace(" ", "")));
    }

    @Test
    void saysWhereANumberOrALengthIsWrong() {
        assertEquals("at byte 1, ir_version: the number is cut off after 0 bytes", refusal("08"));
        assertEquals(
                "at byte 1, ir_version: the number is cut off after 2 bytes", refusal("08 ffff"));
        assertEquals(
                "at byte 1, ir_version: the number has more than 10 bytes",
                refusal("08 ffffffffffffffffffff01"));
        assertEquals(
                "at byte 2, graph: it is said to have 5 bytes, but 1 are left", refusal("3a05 0a"));
        assertEquals(
                "at byte 6, graph: it is said to have 4294967295 bytes, but 0 are left",
                refusal("3a ffffffff0f"));
        assertEquals(
                "at byte 11, graph: it is said to have -1 bytes, but 0 are left",
                refusal("3a ffffffffffffffffff01"));
    }

    @Test
    void saysWhichElementOfWhichFieldIsWrong() {
        // graph { node {} node { attribute { name: 5 bytes, of which 1 is there } } }
        assertEquals(
                "at byte 10, graph.node[1].attribute[0].name: it is said to have 5 bytes, but 1 are"
                        + " left",
                refusal("3a09 0a00 0a05 2a03 0a0561"));
        assertEquals(
                "at byte 4, graph.name: its 1 bytes are no text in UTF-8", refusal("3a03 1201ff"));
        assertEquals(
                "at byte 3, graph.name: it is of wire type 0; it must be 2", refusal("3a02 1001"));
    }

    @Test
    void refusesTagsThatNoFieldHas() {
        assertEquals("at byte 0: ModelProto has no field with the tag 0", refusal("00"));
        assertEquals(
                "at byte 0: ModelProto has no field with the tag 34359738367",
                refusal("ffffffff7f"));
        assertTrue(
                refusal("9b06").contains("the unknown field 99 is of wire type 3, which ONNX has"),
                refusal("9b06"));
        assertTrue(refusal("9f06").contains("wire type 7"), refusal("9f06"));
    }

    @Test
    void refusesFixedNumbersThatAreCutOff() {
        assertTrue(refusal("9d060102").contains("4 bytes, of which 2 are there"));
        assertTrue(refusal("9906010203").contains("8 bytes, of which 3 are there"));
        // graph.initializer.float_data, packed, with half a float
        assertTrue(refusal("3a07 2a05 2203 000080").contains("4 bytes, of which 3 are there"));
    }

    @Test
    void refusesAnyPrefixThatCutsAFieldAndReadsTheOthers() {
        byte[] model = new RandomMessage(3, true).of(ModelProto.SCHEMA).toBytes();
        int refused = 0;
        for (int length = 0; length < model.length; length++) {
            byte[] cut = Arrays.copyOf(model, length);
            try {
                assertTrue(Message.read(ModelProto.SCHEMA, cut).size() <= length);
            } catch (MalformedMessageException e) {
                assertTrue(e.getMessage().startsWith("at byte "), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > model.length / 2, refused + " of " + model.length);
    }

    @Test
    void answersRandomBytesWithAMessageOrARefusal() {
        Random random = new Random(11);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            try {
                Message read = Message.read(ModelProto.SCHEMA, bytes);
                assertEquals(read, Message.read(ModelProto.SCHEMA, read.toBytes()));
            } catch (MalformedMessageException e) {
                assertTrue(e.getMessage().startsWith("at byte "), e.getMessage());
            }
        }
    }

    @Test
    void refusesMessagesThatAreNestedWithoutEnd() {
        byte[] nested = new byte[0];
        for (int depth = 0; depth < 9_999; depth++) { // graph, attribute, node, graph ...
            nested = field(new int[] {6, 5, 1}[depth % 3], nested);
        }
        String message = refusal(field(7, nested));
        assertTrue(message.contains(", graph.node[0].attribute[0].g.node[0]"), message);
        assertTrue(message.endsWith(": messages are nested more than 100 deep"), message);
    }

    private static byte[] field(int number, byte[] content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(number << 3 | 2);
        int length = content.length;
        while (length > 0x7f) {
            bytes.write((length & 0x7f) | 0x80);
            length >>>= 7;
        }
        bytes.write(length);
        bytes.writeBytes(content);
        return bytes.toByteArray();
    }

    @Test
    void refusesMoreMessagesAndStringsThanAnyModelHas() {
        byte[] nodes = new byte[2000];
        for (int i = 0; i < nodes.length; i += 2) {
            nodes[i] = 0x0a;
        }
        byte[] model = field(7, nodes); // a graph and a thousand nodes without fields
        assertEquals(1001, countedParts(model, 1001));
        assertEquals(
                "at byte 2002, graph.node[999]: there are more than 1000 messages and strings",
                assertThrows(
                                MalformedMessageException.class,
                                () -> new MessageReader(model, 1000).read(ModelProto.SCHEMA))
                        .getMessage());
    }

    private static int countedParts(byte[] model, int most) {
        Message read = new MessageReader(model, most).read(ModelProto.SCHEMA);
        return 1 + read.get(ModelProto.GRAPH).get(GraphProto.NODE).size();
    }

    @Test
    void readsManyNumbersInTheSpaceOfNumbers() {
        byte[] ones = new byte[1 << 24];
        Arrays.fill(ones, (byte) 1);
        Message read =
                assertTimeoutPreemptively(
                        AT_ONCE, () -> Message.read(AttributeProto.SCHEMA, field(8, ones)));
        assertEquals(ones.length, read.get(AttributeProto.INTS).size());
    }

    /**
     * A message that comes again and again is merged each time; that must not copy it each time.
     */
    @Test
    void mergesManyPartsOfAMessageAtOnce() {
        ByteArrayOutputStream parts = new ByteArrayOutputStream();
        for (int i = 0; i < 200_000; i++) {
            parts.writeBytes(new byte[] {0x3a, 2, 0x0a, 0}); // graph { node {} }
        }
        Message read =
                assertTimeoutPreemptively(
                        AT_ONCE, () -> Message.read(ModelProto.SCHEMA, parts.toByteArray()));
        assertEquals(200_000, read.get(ModelProto.GRAPH).get(GraphProto.NODE).size());
    }
}
