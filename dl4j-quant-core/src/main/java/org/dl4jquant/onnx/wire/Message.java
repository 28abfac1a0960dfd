// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * An immutable message: a value for each field that is present, and the fields that its {@link
 * Schema} does not know.
 */
public final class Message {

    /** How deep messages may be nested, as protobuf's own readers have it. */
    public static final int MAX_DEPTH = 100;

    /** The greatest number of messages and strings in one file. */
    public static final int MAX_PARTS = 1 << 23;

    private final Schema schema;
    private final @Nullable Object[] values;
    private final List<UnknownField> unknown;
    private volatile long size = -1;

    /**
     * A field that the schema does not have.
     *
     * @param number its number
     * @param encoded number, wire type and value as they stand in the file
     */
    record UnknownField(int number, Bytes encoded) {}

    Message(Schema schema, @Nullable Object[] values, List<UnknownField> unknown) {
        this.schema = schema;
        this.values = values;
        this.unknown = unknown;
    }

    /**
     * {@return the message that bytes stand for}
     *
     * @param schema the kind of message
     * @param bytes all of its bytes; they become the message's and must not be changed
     * @throws MalformedMessageException if the bytes are no such message
     */
    public static Message read(Schema schema, byte[] bytes) {
        Require.given(schema, "schema");
        Require.given(bytes, "bytes");
        return new MessageReader(bytes, MAX_PARTS).read(schema);
    }

    /**
     * {@return a builder of a message without fields}
     *
     * @param schema the kind of message
     */
    public static MessageBuilder builder(Schema schema) {
        return new MessageBuilder(Require.given(schema, "schema"));
    }

    /** {@return a builder that begins with this message's fields} */
    public MessageBuilder toBuilder() {
        return new MessageBuilder(this);
    }

    /** {@return the kind of message} */
    public Schema schema() {
        return schema;
    }

    /**
     * {@return whether a field is there; a repeated one is if it has a value}
     *
     * @param field a field of this kind of message
     */
    public boolean has(Field<?> field) {
        return value(field) != null;
    }

    /**
     * {@return the value of a field; if it is absent, 0, nothing, or a message without fields}
     *
     * @param field a field of this kind of message
     * @param <T> the type of its value
     */
    @SuppressWarnings("unchecked") // builders put only values of the field's type there
    public <T> T get(Field<T> field) {
        Object value = value(field);
        return value == null ? field.absent() : (T) value;
    }

    @Nullable Object value(Field<?> field) {
        return values[schema.slot(field)];
    }

    List<UnknownField> unknown() {
        return unknown;
    }

    /** {@return the numbers of the fields that the schema does not know, in the file's order} */
    public List<Integer> unknownFields() {
        return unknown.stream().map(UnknownField::number).toList();
    }

    /** {@return the number of bytes that the message takes in a file} */
    public long size() {
        if (size < 0) {
            size = MessageWriter.size(this);
        }
        return size;
    }

    /**
     * {@return the message's bytes}
     *
     * @throws IllegalArgumentException if there are more than an array can hold
     */
    public byte[] toBytes() {
        return MessageWriter.toBytes(this);
    }

    /**
     * {@return the message without the single numbers and strings that hold their default}
     *
     * <p>Readers of proto3 do not tell these from absent ones; both have the same bytes in this
     * form, which is a base for checksums.
     */
    public Message withoutDefaults() {
        @Nullable Object[] rest = values.clone();
        List<Field<?>> fields = schema.fields();
        for (int slot = 0; slot < rest.length; slot++) {
            Object value = rest[slot];
            if (value == null) {
                continue;
            }
            Field<?> field = fields.get(slot);
            if (field.kind() == Kind.MESSAGE) {
                rest[slot] = withoutDefaults(value);
            } else if (!field.isRepeated()
                    && !schema.alternatives().contains(field)
                    && value.equals(field.absent())) {
                rest[slot] = null;
            }
        }
        return new Message(schema, rest, unknown);
    }

    private static Object withoutDefaults(Object value) {
        if (value instanceof Message message) {
            return message.withoutDefaults();
        }
        List<Message> rest = new ArrayList<>();
        for (Object message : (List<?>) value) {
            rest.add(((Message) message).withoutDefaults());
        }
        return List.copyOf(rest);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Message that
                && schema == that.schema
                && Arrays.equals(values, that.values)
                && unknown.equals(that.unknown);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(values) + unknown.hashCode();
    }

    /** {@return name and present fields, for messages} */
    @Override
    public String toString() {
        List<String> present = new ArrayList<>();
        for (Field<?> field : schema.fields()) {
            if (has(field)) {
                present.add(field.name());
            }
        }
        return schema + " " + present;
    }
}
