// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** An application of an operator, or of a function of the model. */
public final class NodeProto {

    /** {@code input}. */
    public static final Field<List<String>> INPUT = Field.texts(1, "input");

    /** {@code output}. */
    public static final Field<List<String>> OUTPUT = Field.texts(2, "output");

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(3, "name");

    /** {@code op_type}. */
    public static final Field<String> OP_TYPE = Field.text(4, "op_type");

    /** {@code attribute}. */
    public static final Field<List<Message>> ATTRIBUTE =
            Field.messages(5, "attribute", () -> AttributeProto.SCHEMA);

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(6, "doc_string");

    /** {@code domain}. */
    public static final Field<String> DOMAIN = Field.text(7, "domain");

    /** {@code overload}. */
    public static final Field<String> OVERLOAD = Field.text(8, "overload");

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(9, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** {@code device_configurations}. */
    public static final Field<List<Message>> DEVICE_CONFIGURATIONS =
            Field.messages(10, "device_configurations", () -> DeviceProtos.NODE_CONFIGURATION);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "NodeProto",
                    INPUT,
                    OUTPUT,
                    NAME,
                    OP_TYPE,
                    ATTRIBUTE,
                    DOC_STRING,
                    DOMAIN,
                    OVERLOAD,
                    METADATA_PROPS,
                    DEVICE_CONFIGURATIONS);

    private NodeProto() {}
}
