// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import org.dl4jquant.check.Require;

/** A key and a value. */
public final class StringStringEntryProto {

    /** {@code key}. */
    public static final Field<String> KEY = Field.text(1, "key");

    /** {@code value}. */
    public static final Field<String> VALUE = Field.text(2, "value");

    /** All fields. */
    public static final Schema SCHEMA = Schema.of("StringStringEntryProto", KEY, VALUE);

    private StringStringEntryProto() {}

    /**
     * {@return an entry}
     *
     * @param key its key
     * @param value its value
     */
    public static Message of(String key, String value) {
        return Message.builder(SCHEMA)
                .set(KEY, Require.given(key, "key"))
                .set(VALUE, Require.given(value, "value"))
                .build();
    }
}
