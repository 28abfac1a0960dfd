// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Reads an ONNX file by wire format as a proto2 reader does: a value that is not written is
 * missing, whatever its default. Numbers of fields are those of onnx.proto.
 */
final class Proto2Model {

    private static final int VARINT = 0;
    private static final int EIGHT_BYTES = 1;
    private static final int BYTES = 2;
    private static final int FOUR_BYTES = 5;

    private static final Map<Integer, Integer> VALUE_OF_TYPE =
            Map.of(1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9);

    /* UINT4 and INT4, two in a byte. */
    private static final Set<Integer> FOUR_BITS = Set.of(21, 22);

    private static final Map<Integer, Integer> BYTES_OF_TYPE = Map.of(1, 4, 2, 1, 3, 1, 6, 4, 7, 8);

    /**
     * A field.
     *
     * @param number its number
     * @param number64 the value of a varint
     * @param bytes the value of any other
     */
    private record Field(int number, long number64, ByteString bytes) {}

    private final List<String> faults = new ArrayList<>();
    private int attributes;
    private int tensors;

    private Proto2Model() {}

    /** The fields that a proto2 reader misses in a file. */
    static Proto2Model of(byte[] model) {
        Proto2Model read = new Proto2Model();
        List<Field> fields = fields(model);
        read.require(fields, "model", 1, 7, 8);
        all(fields, 8).forEach(opset -> read.require(fields(opset), "opset", 2));
        all(fields, 14).forEach(entry -> read.require(fields(entry), "metadata", 1, 2));
        read.graph(fields(all(fields, 7).get(0)));
        return read;
    }

    List<String> faults() {
        return faults;
    }

    int attributes() {
        return attributes;
    }

    int tensors() {
        return tensors;
    }

    private void graph(List<Field> graph) {
        require(graph, "graph", 1, 2, 11, 12);
        all(graph, 1).forEach(node -> node(fields(node)));
        all(graph, 5).forEach(tensor -> tensor(fields(tensor)));
        for (int place : new int[] {11, 12, 13}) {
            all(graph, place).forEach(value -> value(fields(value)));
        }
    }

    private void node(List<Field> node) {
        String name = text(node, 3);
        require(node, "node " + name, 1, 2, 3, 4);
        for (byte[] bytes : all(node, 5)) {
            List<Field> attribute = fields(bytes);
            String what = "attribute " + text(attribute, 1) + " of " + name;
            require(attribute, what, 1, 20);
            for (Field field : attribute) {
                if (field.number() == 20) {
                    require(attribute, what, VALUE_OF_TYPE.get((int) field.number64()));
                }
            }
            attributes++;
        }
    }

    private void tensor(List<Field> tensor) {
        String name = "tensor " + text(tensor, 8);
        require(tensor, name, 2, 8, 9);
        long elements = 1;
        int type = 0;
        for (Field field : tensor) {
            if (field.number() == 1) {
                ByteBuffer packed = ByteBuffer.wrap(field.bytes().toByteArray());
                if (packed.limit() == 0) {
                    elements *= field.number64();
                }
                while (packed.hasRemaining()) {
                    elements *= varint(packed);
                }
            } else if (field.number() == 2) {
                type = (int) field.number64();
            }
        }
        int found = all(tensor, 9).stream().mapToInt(raw -> raw.length).sum();
        long expected =
                FOUR_BITS.contains(type)
                        ? (elements + 1) / 2
                        : elements * BYTES_OF_TYPE.getOrDefault(type, -1);
        if (elements <= 0 || found != expected) {
            faults.add(name + ": " + elements + " elements of type " + type + " in " + found);
        }
        tensors++;
    }

    private void value(List<Field> value) {
        String name = "value " + text(value, 1);
        require(value, name, 1, 2);
        List<Field> type = fields(all(value, 2).get(0));
        require(type, name, 1);
        List<Field> tensor = fields(all(type, 1).get(0));
        require(tensor, name, 1, 2);
        for (byte[] dimension : all(fields(all(tensor, 2).get(0)), 1)) {
            List<Field> fields = fields(dimension);
            if (fields.stream().noneMatch(field -> field.number() == 1 || field.number() == 2)) {
                faults.add(name + " has a dimension without size and name");
            }
        }
    }

    private void require(List<Field> fields, String what, int... numbers) {
        for (int number : numbers) {
            if (fields.stream().noneMatch(field -> field.number() == number)) {
                faults.add(what + " has no field " + number);
            }
        }
    }

    private static List<byte[]> all(List<Field> fields, int number) {
        return fields.stream()
                .filter(f -> f.number() == number)
                .map(field -> field.bytes().toByteArray())
                .toList();
    }

    private static String text(List<Field> fields, int number) {
        return all(fields, number).stream()
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .findFirst()
                .orElse("");
    }

    private static List<Field> fields(byte[] message) {
        List<Field> fields = new ArrayList<>();
        ByteBuffer from = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        while (from.hasRemaining()) {
            long tag = varint(from);
            int number = (int) (tag >>> 3);
            int wire = (int) (tag & 7);
            if (wire == VARINT) {
                fields.add(new Field(number, varint(from), ByteString.EMPTY));
                continue;
            }
            int length =
                    switch (wire) {
                        case EIGHT_BYTES -> 8;
                        case FOUR_BYTES -> 4;
                        case BYTES -> (int) varint(from);
                        default -> throw new IllegalArgumentException("wire type " + wire);
                    };
            byte[] bytes = new byte[length];
            from.get(bytes);
            fields.add(new Field(number, 0, ByteString.copyFrom(bytes)));
        }
        return fields;
    }

    private static long varint(ByteBuffer from) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = from.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
