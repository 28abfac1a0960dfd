// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** Name and type of an input, an output or a value between operators. */
public final class ValueInfoProto {

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(1, "name");

    /** {@code type}. */
    public static final Field<Message> TYPE = Field.message(2, "type", () -> TypeProto.SCHEMA);

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(3, "doc_string");

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(4, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of("ValueInfoProto", NAME, TYPE, DOC_STRING, METADATA_PROPS);

    private ValueInfoProto() {}
}
