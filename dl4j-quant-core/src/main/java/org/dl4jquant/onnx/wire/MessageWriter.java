// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dl4jquant.check.Require;

/*
 * A nested message stands after its own length, so that sizes are computed before bytes are written;
 * each message remembers its own.
 */
/** Writes a message: known fields by number, repeated numbers packed, then the unknown fields. */
final class MessageWriter {

    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    private final byte[] target;
    private int at;

    private MessageWriter(int size) {
        this.target = new byte[size];
    }

    static byte[] toBytes(Message message) {
        Require.argument(
                message.size() <= MAX_BYTES,
                "a %s of %d bytes cannot be written; at most %d can",
                message.schema(),
                message.size(),
                MAX_BYTES);
        MessageWriter writer = new MessageWriter((int) message.size());
        writer.write(message);
        return writer.target;
    }

    static long size(Message message) {
        long size = 0;
        for (Field<?> field : message.schema().fields()) {
            Object value = message.value(field);
            if (value instanceof Numbers numbers) {
                size += delimited(field, packed(field.kind(), numbers));
            } else if (value instanceof List<?> list) {
                for (Object element : list) {
                    size += size(field, element);
                }
            } else if (value != null) {
                size += size(field, value);
            }
        }
        for (Message.UnknownField field : message.unknown()) {
            size += field.encoded().size();
        }
        return size;
    }

    private static long size(Field<?> field, Object value) {
        return switch (field.kind()) {
            case INT32, INT64, FLOAT, DOUBLE ->
                    tag(field) + number(field.kind(), field.kind().bits(value));
            case TEXT -> delimited(field, utf8((String) value));
            case BYTES -> delimited(field, ((Bytes) value).size());
            case MESSAGE -> delimited(field, ((Message) value).size());
        };
    }

    private static long delimited(Field<?> field, long length) {
        return tag(field) + varint(length) + length;
    }

    private static int tag(Field<?> field) {
        return varint((long) field.number() << 3);
    }

    private static long packed(Kind kind, Numbers numbers) {
        long size = 0;
        for (int i = 0; i < numbers.size(); i++) {
            size += number(kind, numbers.at(i));
        }
        return size;
    }

    private static int number(Kind kind, long bits) {
        return switch (kind.wireType()) {
            case Kind.FIXED32 -> Float.BYTES;
            case Kind.FIXED64 -> Double.BYTES;
            default -> varint(bits);
        };
    }

    private static int varint(long value) {
        return Math.max(1, (70 - Long.numberOfLeadingZeros(value)) / 7);
    }

    /** {@return how many bytes a text takes; half a surrogate pair becomes a question mark} */
    private static long utf8(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isSurrogate(unit)) {
                boolean pair =
                        i + 1 < text.length()
                                && Character.isSurrogatePair(unit, text.charAt(i + 1));
                bytes += pair ? 4 : 1;
                i += pair ? 1 : 0;
            } else {
                bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
            }
        }
        return bytes;
    }

    private void write(Message message) {
        for (Field<?> field : message.schema().fields()) {
            Object value = message.value(field);
            if (value instanceof Numbers numbers) {
                begin(field, Kind.DELIMITED);
                put(packed(field.kind(), numbers));
                for (int i = 0; i < numbers.size(); i++) {
                    put(field.kind(), numbers.at(i));
                }
            } else if (value instanceof List<?> list) {
                list.forEach(element -> write(field, element));
            } else if (value != null) {
                write(field, value);
            }
        }
        message.unknown().forEach(field -> put(field.encoded()));
    }

    private void write(Field<?> field, Object value) {
        begin(field, field.kind().wireType());
        switch (field.kind()) {
            case INT32, INT64, FLOAT, DOUBLE -> put(field.kind(), field.kind().bits(value));
            case TEXT -> {
                byte[] text = ((String) value).getBytes(StandardCharsets.UTF_8);
                put(text.length);
                System.arraycopy(text, 0, target, at, text.length);
                at += text.length;
            }
            case BYTES -> {
                put(((Bytes) value).size());
                put((Bytes) value);
            }
            case MESSAGE -> {
                put(((Message) value).size());
                write((Message) value);
            }
        }
    }

    private void begin(Field<?> field, int wireType) {
        put((long) field.number() << 3 | wireType);
    }

    private void put(Bytes bytes) {
        bytes.copyTo(target, at);
        at += bytes.size();
    }

    private void put(Kind kind, long bits) {
        switch (kind.wireType()) {
            case Kind.FIXED32 -> fixed(bits, Float.BYTES);
            case Kind.FIXED64 -> fixed(bits, Double.BYTES);
            default -> put(bits);
        }
    }

    private void fixed(long bits, int bytes) {
        for (int i = 0; i < bytes; i++) {
            target[at++] = (byte) (bits >>> (8 * i));
        }
    }

    private void put(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            target[at++] = (byte) ((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        target[at++] = (byte) rest;
    }
}
