// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads a message from bytes of which none is trusted. */
final class MessageReader {

    private static final int VARINT_BYTES = 10;
    private static final int WIRE_TYPE_BITS = 3;
    private static final long MAX_TAG = 0xffff_ffffL;

    private final byte[] file;
    private final int maxParts;
    private int at;
    private int parts;

    /** The fields around the one that is read, outermost first, and the place in each. */
    private final @Nullable Field<?>[] path = new Field<?>[Message.MAX_DEPTH + 1];

    private final int[] indices = new int[Message.MAX_DEPTH + 1];
    private int depth;

    MessageReader(byte[] file, int maxParts) {
        this.file = file;
        this.maxParts = maxParts;
    }

    Message read(Schema schema) {
        MessageBuilder message = new MessageBuilder(schema);
        fields(schema, message, file.length);
        return message.build();
    }

    private void fields(Schema schema, MessageBuilder target, int end) {
        while (at < end) {
            int start = at;
            long tag = varint(end);
            int number = (int) (tag >>> WIRE_TYPE_BITS);
            int wireType = (int) tag & ((1 << WIRE_TYPE_BITS) - 1);
            if (tag > MAX_TAG || tag < 0 || number == 0) {
                at = start;
                throw malformed("%s has no field with the tag %d", schema, tag);
            }
            Field<?> field = schema.field(number);
            if (field == null) {
                skip(number, wireType, end);
                Bytes encoded = new Bytes(file, start, at - start);
                part();
                target.keep(new Message.UnknownField(number, encoded));
            } else {
                enter(field, target);
                read(field, wireType, target, end);
                depth--;
            }
        }
    }

    private void enter(Field<?> field, MessageBuilder target) {
        if (depth == Message.MAX_DEPTH) {
            throw malformed("messages are nested more than %d deep", Message.MAX_DEPTH);
        }
        path[depth] = field;
        boolean counted = field.isRepeated() && !field.kind().isNumber();
        indices[depth] = counted ? target.list(field).size() : -1;
        depth++;
    }

    private void read(Field<?> field, int wireType, MessageBuilder target, int end) {
        Kind kind = field.kind();
        if (kind.isNumber() && field.isRepeated() && wireType == Kind.DELIMITED) {
            packed(kind, target.numbers(field), length(end));
        } else if (wireType != kind.wireType()) {
            throw malformed("it is of wire type %d; it must be %d", wireType, kind.wireType());
        } else if (kind.isNumber() && field.isRepeated()) {
            target.numbers(field).add(number(kind, end));
        } else if (kind.isNumber()) {
            target.put(field, kind.value(number(kind, end)));
        } else {
            part();
            delimited(field, target, length(end));
        }
    }

    private void delimited(Field<?> field, MessageBuilder target, int length) {
        if (field.kind() == Kind.MESSAGE) {
            MessageBuilder nested =
                    field.isRepeated() ? new MessageBuilder(field.schema()) : target.nested(field);
            fields(field.schema(), nested, at + length);
            if (field.isRepeated()) {
                target.list(field).add(nested.build());
            }
            return;
        }
        Object value = field.kind() == Kind.TEXT ? text(length) : new Bytes(file, at, length);
        at += length;
        if (field.isRepeated()) {
            target.list(field).add(value);
        } else {
            target.put(field, value);
        }
    }

    private String text(int length) {
        if (isAscii(length)) { // nearly always, and much faster
            return new String(file, at, length, StandardCharsets.US_ASCII);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(file, at, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed("its %d bytes are no text in UTF-8", length);
        }
    }

    private boolean isAscii(int length) {
        for (int i = at; i < at + length; i++) {
            if (file[i] < 0) {
                return false;
            }
        }
        return true;
    }

    private void packed(Kind kind, Numbers.Builder target, int length) {
        int end = at + length;
        target.reserve(count(kind, length));
        while (at < end) {
            target.add(number(kind, end));
        }
    }

    private int count(Kind kind, int length) {
        return switch (kind.wireType()) {
            case Kind.FIXED32 -> length / Float.BYTES;
            case Kind.FIXED64 -> length / Double.BYTES;
            default -> {
                int count = 0;
                for (int i = at; i < at + length; i++) {
                    count += file[i] >= 0 ? 1 : 0; // the last byte of a varint
                }
                yield count;
            }
        };
    }

    private long number(Kind kind, int end) {
        return switch (kind.wireType()) {
            case Kind.FIXED32 -> fixed(Float.BYTES, end);
            case Kind.FIXED64 -> fixed(Double.BYTES, end);
            default -> kind.narrowed(varint(end));
        };
    }

    private long varint(int end) {
        long value = 0;
        int start = at;
        for (int i = 0; i < VARINT_BYTES; i++) {
            if (at == end) {
                at = start;
                throw malformed("the number is cut off after %d bytes", i);
            }
            byte digit = file[at++];
            value |= (long) (digit & 0x7f) << (7 * i);
            if (digit >= 0) {
                return value;
            }
        }
        at = start;
        throw malformed("the number has more than %d bytes", VARINT_BYTES);
    }

    private long fixed(int bytes, int end) {
        if (end - at < bytes) {
            throw malformed("the number has %d bytes, of which %d are there", bytes, end - at);
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (file[at++] & 0xffL) << (8 * i);
        }
        return value;
    }

    private int length(int end) {
        long length = varint(end);
        if (length < 0 || length > end - at) {
            throw malformed("it is said to have %d bytes, but %d are left", length, end - at);
        }
        return (int) length;
    }

    private void skip(int number, int wireType, int end) {
        switch (wireType) {
            case Kind.VARINT -> varint(end);
            case Kind.FIXED64 -> fixed(Double.BYTES, end);
            case Kind.DELIMITED -> {
                int length = length(end);
                at += length;
            }
            case Kind.FIXED32 -> fixed(Float.BYTES, end);
            default ->
                    throw malformed(
                            "the unknown field %d is of wire type %d, which ONNX has none of",
                            number, wireType);
        }
    }

    private void part() {
        if (++parts > maxParts) {
            throw malformed("there are more than %d messages and strings", maxParts);
        }
    }

    @FormatMethod
    private MalformedMessageException malformed(@FormatString String format, Object... args) {
        StringBuilder where = new StringBuilder("at byte ").append(at);
        for (int i = 0; i < depth; i++) {
            Field<?> field = path[i];
            where.append(i == 0 ? ", " : ".").append(field == null ? "?" : field.name());
            if (indices[i] >= 0) {
                where.append('[').append(indices[i]).append(']');
            }
        }
        return new MalformedMessageException(
                where + ": " + String.format(Locale.ROOT, format, args));
    }
}
