// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Fields of messages: presence, merging, alternatives, and what a reader does not know. */
class MessageTest {

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    private static String hex(Message message) {
        return HexFormat.of().formatHex(message.toBytes());
    }

    @Test
    void tellsAbsentFromZero() {
        Message zero = Message.builder(AttributeProto.SCHEMA).set(AttributeProto.I, 0L).build();
        Message absent = Message.builder(AttributeProto.SCHEMA).build();
        assertTrue(zero.has(AttributeProto.I));
        assertFalse(absent.has(AttributeProto.I));
        assertEquals(0, absent.get(AttributeProto.I));
        assertEquals("1800", hex(zero));
        assertEquals("", hex(absent));
        assertNotEquals(zero, absent);
        assertEquals(absent, zero.withoutDefaults());
    }

    @Test
    void writesFieldsInTheOrderOfTheirNumbersHoweverTheyWereSet() {
        Message axis =
                Message.builder(AttributeProto.SCHEMA)
                        .set(AttributeProto.TYPE, AttributeType.INT.number())
                        .set(AttributeProto.I, 300L)
                        .set(AttributeProto.NAME, "axis")
                        .build();
        assertEquals("0a0461786973" + "18ac02" + "a00102", hex(axis));
    }

    @Test
    void writesNegativeNumbersInTenBytesAndRepeatedOnesPacked() {
        Message negative =
                Message.builder(AttributeProto.SCHEMA)
                        .set(AttributeProto.INTS, Numbers.of(-1, 1))
                        .build();
        assertEquals("420b" + "ffffffffffffffffff01" + "01", hex(negative));
        Message type = Message.builder(AttributeProto.SCHEMA).set(AttributeProto.TYPE, -2L).build();
        assertEquals("a001" + "feffffffffffffffff01", hex(type));
        assertEquals(
                -2, Message.read(AttributeProto.SCHEMA, type.toBytes()).get(AttributeProto.TYPE));
    }

    @Test
    void readsRepeatedNumbersPackedAndSingle() {
        Message mixed = Message.read(AttributeProto.SCHEMA, hex("4001 42020203 4004"));
        assertEquals(Numbers.of(1, 2, 3, 4), mixed.get(AttributeProto.INTS));
        assertEquals("[1, 2, 3, 4]", mixed.get(AttributeProto.INTS).toString());
        Message floats = Message.read(AttributeProto.SCHEMA, hex("3d0000803f 3a0400000040"));
        assertEquals(Numbers.ofFloats(1, 2), floats.get(AttributeProto.FLOATS));
        assertEquals(2f, floats.get(AttributeProto.FLOATS).floatAt(1));
        Message doubles = Message.read(TensorProto.SCHEMA, hex("51000000000000f03f"));
        assertEquals(Numbers.ofDoubles(1), doubles.get(TensorProto.DOUBLE_DATA));
        assertEquals(1.0, doubles.get(TensorProto.DOUBLE_DATA).doubleAt(0));
    }

    @Test
    void takesAnEmptyPackedFieldForNone() {
        Message empty = Message.read(AttributeProto.SCHEMA, hex("4200"));
        assertFalse(empty.has(AttributeProto.INTS));
        assertEquals("", hex(empty));
    }

    @Test
    void letsTheLastValueWinAndMergesMessages() {
        Message twice = Message.read(OperatorSetIdProto.SCHEMA, hex("1005 1007"));
        assertEquals(7, twice.get(OperatorSetIdProto.VERSION));
        // Two graphs of one model: the first with a name, the second with a node.
        Message merged = Message.read(ModelProto.SCHEMA, hex("3a03 120161" + "3a02 0a00"));
        assertEquals("a", merged.get(ModelProto.GRAPH).get(GraphProto.NAME));
        assertEquals(1, merged.get(ModelProto.GRAPH).get(GraphProto.NODE).size());
    }

    @Test
    void keepsTheLastOfAlternatives() {
        Message dimension = Message.read(TensorShapeProto.DIMENSION, hex("0805 12014e"));
        assertFalse(dimension.has(TensorShapeProto.DIM_VALUE));
        assertEquals("N", dimension.get(TensorShapeProto.DIM_PARAM));
        Message zero =
                Message.builder(TensorShapeProto.DIMENSION)
                        .set(TensorShapeProto.DIM_PARAM, "N")
                        .set(TensorShapeProto.DIM_VALUE, 0L)
                        .build();
        assertEquals("0800", hex(zero.withoutDefaults()));
    }

    @Test
    void keepsUnknownFieldsAndWritesThemLast() {
        // number 99: varint, eight bytes, a string, four bytes; in between, the known version
        String first = "980601" + "9906" + "0102030405060708";
        String second = "9a0602aabb" + "9d0601020304";
        Message read = Message.read(OperatorSetIdProto.SCHEMA, hex(first + "1005" + second));
        assertEquals(List.of(99, 99, 99, 99), read.unknownFields());
        assertEquals("1005" + first + second, hex(read));
        assertEquals(read, Message.read(OperatorSetIdProto.SCHEMA, read.toBytes()));
        assertEquals(read, read.toBuilder().build());
    }

    @Test
    void changesOnlyWhatABuilderSets() {
        Message node =
                Message.builder(NodeProto.SCHEMA)
                        .set(NodeProto.OP_TYPE, "Add")
                        .set(NodeProto.INPUT, List.of("a", "b"))
                        .build();
        Message more = node.toBuilder().add(NodeProto.INPUT, "c").clear(NodeProto.OP_TYPE).build();
        assertEquals(List.of("a", "b", "c"), more.get(NodeProto.INPUT));
        assertEquals("", more.get(NodeProto.OP_TYPE));
        assertEquals(List.of("a", "b"), node.get(NodeProto.INPUT));
        assertEquals("NodeProto [input, op_type]", node.toString());
    }

    @Test
    void refusesAMessageOfAnotherKind() {
        Message node = Message.builder(NodeProto.SCHEMA).build();
        assertEquals(
                "graph (field 7) takes a GraphProto, not a NodeProto",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        Message.builder(ModelProto.SCHEMA)
                                                .set(ModelProto.GRAPH, node))
                        .getMessage());
        assertEquals(
                "NodeProto has no graph (field 7) of that kind",
                assertThrows(IllegalArgumentException.class, () -> node.has(ModelProto.GRAPH))
                        .getMessage());
    }

    @Test
    void writesHalfASurrogatePairAsAQuestionMark() {
        Message entry =
                Message.builder(StringStringEntryProto.SCHEMA)
                        .set(StringStringEntryProto.KEY, "\ud83d?\ude00\ud83d\ude00")
                        .build();
        assertEquals("0a07" + "3f3f3f" + "f09f9880", hex(entry));
    }

    @Test
    void slicesBytesOfTheFileWithoutACopy() {
        byte[] file = hex("4a03 010203");
        Bytes raw = Message.read(TensorProto.SCHEMA, file).get(TensorProto.RAW_DATA);
        assertEquals(Bytes.of((byte) 1, (byte) 2, (byte) 3), raw);
        assertEquals(3, raw.size());
        assertArrayEquals(new byte[] {1, 2, 3}, raw.toArray());
        assertEquals(0x0201, raw.buffer().getShort());
        assertTrue(raw.buffer().isReadOnly());
        assertEquals(Bytes.ofText("é").hashCode(), Bytes.of((byte) 0xc3, (byte) 0xa9).hashCode());
        assertEquals("é", Bytes.ofText("é").text());
    }
}
