// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** A function of a model: an operator that is defined by others. */
public final class FunctionProto {

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(1, "name");

    /** {@code input}. */
    public static final Field<List<String>> INPUT = Field.texts(4, "input");

    /** {@code output}. */
    public static final Field<List<String>> OUTPUT = Field.texts(5, "output");

    /** {@code attribute}. */
    public static final Field<List<String>> ATTRIBUTE = Field.texts(6, "attribute");

    /** {@code node}. */
    public static final Field<List<Message>> NODE =
            Field.messages(7, "node", () -> NodeProto.SCHEMA);

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(8, "doc_string");

    /** {@code opset_import}. */
    public static final Field<List<Message>> OPSET_IMPORT =
            Field.messages(9, "opset_import", () -> OperatorSetIdProto.SCHEMA);

    /** {@code domain}. */
    public static final Field<String> DOMAIN = Field.text(10, "domain");

    /** {@code attribute_proto}. */
    public static final Field<List<Message>> ATTRIBUTE_PROTO =
            Field.messages(11, "attribute_proto", () -> AttributeProto.SCHEMA);

    /** {@code value_info}. */
    public static final Field<List<Message>> VALUE_INFO =
            Field.messages(12, "value_info", () -> ValueInfoProto.SCHEMA);

    /** {@code overload}. */
    public static final Field<String> OVERLOAD = Field.text(13, "overload");

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(14, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "FunctionProto",
                    NAME,
                    INPUT,
                    OUTPUT,
                    ATTRIBUTE,
                    NODE,
                    DOC_STRING,
                    OPSET_IMPORT,
                    DOMAIN,
                    ATTRIBUTE_PROTO,
                    VALUE_INFO,
                    OVERLOAD,
                    METADATA_PROPS);

    private FunctionProto() {}
}
