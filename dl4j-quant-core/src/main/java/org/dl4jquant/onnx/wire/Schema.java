// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/** A kind of message: its fields, in the order of their numbers. */
public final class Schema {

    private final String name;
    private final List<Field<?>> fields;
    private final Set<Field<?>> alternatives;
    private final int[] slotOfNumber;

    private Schema(String name, List<Field<?>> fields, Set<Field<?>> alternatives) {
        this.name = name;
        this.fields = fields;
        this.alternatives = alternatives;
        this.slotOfNumber = new int[fields.get(fields.size() - 1).number() + 1];
        int last = 0;
        for (int slot = 0; slot < fields.size(); slot++) {
            Field<?> field = fields.get(slot);
            Require.argument(field.number() > last, "%s: %s is out of order", name, field);
            last = field.number();
            slotOfNumber[last] = slot + 1; // 0 says that there is none
        }
    }

    static Schema of(String name, Field<?>... fields) {
        return new Schema(name, List.of(fields), Set.of());
    }

    /**
     * {@return the same messages with some fields of which only one is present}
     *
     * @param fields fields of the message
     */
    Schema oneOf(Field<?>... fields) {
        return new Schema(name, this.fields, Set.of(fields));
    }

    /** {@return the message's name in {@code onnx.proto}} */
    public String name() {
        return name;
    }

    /** {@return the fields, in the order of their numbers} */
    public List<Field<?>> fields() {
        return fields;
    }

    Set<Field<?>> alternatives() {
        return alternatives;
    }

    @Nullable Field<?> field(int number) {
        int slot = number < slotOfNumber.length ? slotOfNumber[number] : 0;
        return slot == 0 ? null : fields.get(slot - 1);
    }

    int slot(Field<?> field) {
        int slot = field.number() < slotOfNumber.length ? slotOfNumber[field.number()] - 1 : -1;
        Require.argument(
                slot >= 0 && fields.get(slot) == field, "%s has no %s of that kind", name, field);
        return slot;
    }

    @Override
    public String toString() {
        return name;
    }
}
