// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/*
 * A slot holds, until the message is built: null, a value, an ArrayList, a Numbers.Builder, or, for
 * a single message, its builder: the same message may come again in a file and is merged then.
 */
/** Collects the fields of a {@link Message}. */
public final class MessageBuilder {

    private final Schema schema;
    private final @Nullable Object[] slots;
    private List<Message.UnknownField> unknown = List.of();

    MessageBuilder(Schema schema) {
        this.schema = schema;
        this.slots = new Object[schema.fields().size()];
    }

    MessageBuilder(Message start) {
        this(start.schema());
        for (int slot = 0; slot < slots.length; slot++) {
            Object value = start.value(schema.fields().get(slot));
            slots[slot] = value instanceof List<?> list ? new ArrayList<Object>(list) : value;
        }
        unknown = start.unknown();
    }

    /**
     * Sets a field, in place of its former value.
     *
     * @param field a field of this kind of message
     * @param value the value
     * @param <T> the type of its value
     * @return this
     */
    public <T> MessageBuilder set(Field<T> field, T value) {
        Require.given(value, "value");
        boolean empty = value instanceof List<?> list && list.isEmpty();
        if (empty || value.equals(Numbers.EMPTY)) {
            return clear(field);
        }
        if (value instanceof Message message) {
            requireKind(field, message);
        } else if (value instanceof List<?> list) {
            list.forEach(element -> requireElement(field, element));
        }
        put(field, value instanceof List<?> list ? new ArrayList<Object>(list) : value);
        return this;
    }

    /**
     * Adds a value to a repeated field.
     *
     * @param field a field of this kind of message
     * @param value the value
     * @param <E> the type of one value
     * @return this
     */
    public <E> MessageBuilder add(Field<List<E>> field, E value) {
        requireElement(field, Require.given(value, "value"));
        list(field).add(value);
        return this;
    }

    /**
     * Removes a field.
     *
     * @param field a field of this kind of message
     * @return this
     */
    public MessageBuilder clear(Field<?> field) {
        slots[schema.slot(field)] = null;
        return this;
    }

    private static void requireElement(Field<?> field, Object value) {
        if (value instanceof Message message) {
            requireKind(field, message);
        }
    }

    private static void requireKind(Field<?> field, Message message) {
        Require.argument(
                message.schema() == field.schema(),
                "%s takes a %s, not a %s",
                field,
                field.schema(),
                message.schema());
    }

    void put(Field<?> field, Object value) {
        slots[schema.slot(field)] = value;
        if (schema.alternatives().contains(field)) {
            schema.alternatives().stream().filter(other -> other != field).forEach(this::clear);
        }
    }

    @SuppressWarnings("unchecked") // such fields hold nothing else until build
    List<Object> list(Field<?> field) {
        int slot = schema.slot(field);
        Object found = slots[slot];
        if (found == null) {
            found = new ArrayList<>(1);
            slots[slot] = found;
        }
        return (List<Object>) found;
    }

    Numbers.Builder numbers(Field<?> field) {
        int slot = schema.slot(field);
        Object found = slots[slot];
        if (found instanceof Numbers.Builder collecting) {
            return collecting;
        }
        Numbers.Builder collecting =
                new Numbers.Builder(found == null ? Numbers.EMPTY : (Numbers) found);
        slots[slot] = collecting;
        return collecting;
    }

    /** {@return the builder of a single message that is a value of this one} */
    MessageBuilder nested(Field<?> field) {
        Object found = slots[schema.slot(field)];
        if (found instanceof MessageBuilder collecting) {
            return collecting;
        }
        MessageBuilder collecting =
                found == null
                        ? new MessageBuilder(field.schema())
                        : new MessageBuilder((Message) found);
        put(field, collecting);
        return collecting;
    }

    void keep(Message.UnknownField field) {
        if (!(unknown instanceof ArrayList)) {
            unknown = new ArrayList<>(unknown);
        }
        unknown.add(field);
    }

    /** {@return the message} */
    public Message build() {
        @Nullable Object[] values = new Object[slots.length];
        for (int slot = 0; slot < slots.length; slot++) {
            values[slot] = built(slots[slot]);
        }
        return new Message(schema, values, List.copyOf(unknown));
    }

    private static @Nullable Object built(@Nullable Object slot) {
        if (slot instanceof List<?> list) {
            return List.copyOf(list);
        }
        if (slot instanceof Numbers.Builder collecting) {
            Numbers numbers = collecting.build();
            return numbers.size() == 0 ? null : numbers;
        }
        return slot instanceof MessageBuilder collecting ? collecting.build() : slot;
    }
}
