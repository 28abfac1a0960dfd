// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A field of a message: its number in files, its name in {@code onnx.proto}, and the type of its
 * values in Java.
 *
 * @param <T> {@code Long}, {@code Float}, {@code String}, {@link Bytes} or {@link Message}; {@link
 *     Numbers} for repeated numbers, a {@code List} for anything else that is repeated
 */
public final class Field<T> {

    private final int number;
    private final String name;
    private final Kind kind;
    private final boolean repeated;
    private final @Nullable Supplier<Schema> schema;

    private Field(
            int number,
            String name,
            Kind kind,
            boolean repeated,
            @Nullable Supplier<Schema> schema) {
        this.number = number;
        this.name = name;
        this.kind = kind;
        this.repeated = repeated;
        this.schema = schema;
    }

    private static <V> Field<V> one(int number, String name, Kind kind) {
        return new Field<>(number, name, kind, false, null);
    }

    private static <V> Field<V> many(int number, String name, Kind kind) {
        return new Field<>(number, name, kind, true, null);
    }

    static Field<Long> int32(int number, String name) {
        return one(number, name, Kind.INT32);
    }

    static Field<Long> int64(int number, String name) {
        return one(number, name, Kind.INT64);
    }

    static Field<Float> real(int number, String name) {
        return one(number, name, Kind.FLOAT);
    }

    static Field<String> text(int number, String name) {
        return one(number, name, Kind.TEXT);
    }

    static Field<Bytes> bytes(int number, String name) {
        return one(number, name, Kind.BYTES);
    }

    static Field<Message> message(int number, String name, Supplier<Schema> schema) {
        return new Field<>(number, name, Kind.MESSAGE, false, schema);
    }

    static Field<Numbers> int32s(int number, String name) {
        return many(number, name, Kind.INT32);
    }

    static Field<Numbers> int64s(int number, String name) {
        return many(number, name, Kind.INT64);
    }

    static Field<Numbers> reals(int number, String name) {
        return many(number, name, Kind.FLOAT);
    }

    static Field<Numbers> doubles(int number, String name) {
        return many(number, name, Kind.DOUBLE);
    }

    static Field<List<String>> texts(int number, String name) {
        return many(number, name, Kind.TEXT);
    }

    static Field<List<Bytes>> byteStrings(int number, String name) {
        return many(number, name, Kind.BYTES);
    }

    static Field<List<Message>> messages(int number, String name, Supplier<Schema> schema) {
        return new Field<>(number, name, Kind.MESSAGE, true, schema);
    }

    /** {@return the number that stands for the field in files} */
    public int number() {
        return number;
    }

    /** {@return the name in {@code onnx.proto}} */
    public String name() {
        return name;
    }

    /** {@return whether there may be many values} */
    public boolean isRepeated() {
        return repeated;
    }

    Kind kind() {
        return kind;
    }

    /** {@return the kind of the messages that are the values} */
    Schema schema() {
        Supplier<Schema> given = schema;
        if (given == null) {
            throw new IllegalStateException("the values of " + this + " are no messages");
        }
        return given.get();
    }

    /** {@return the value of a field that is absent} */
    @SuppressWarnings("unchecked") // the factories above pair kind and type
    T absent() {
        Object value =
                switch (kind) {
                    case INT32, INT64, FLOAT, DOUBLE -> repeated ? Numbers.EMPTY : kind.value(0);
                    case TEXT -> repeated ? List.of() : "";
                    case BYTES -> repeated ? List.of() : Bytes.EMPTY;
                    case MESSAGE -> repeated ? List.of() : Message.builder(schema()).build();
                };
        return (T) value;
    }

    @Override
    public String toString() {
        return name + " (field " + number + ")";
    }
}
