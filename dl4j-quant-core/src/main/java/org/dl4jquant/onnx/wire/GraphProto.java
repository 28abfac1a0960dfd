// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** A graph: operators in order, constants, inputs and outputs. */
public final class GraphProto {

    /** {@code node}. */
    public static final Field<List<Message>> NODE =
            Field.messages(1, "node", () -> NodeProto.SCHEMA);

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(2, "name");

    /** {@code initializer}. */
    public static final Field<List<Message>> INITIALIZER =
            Field.messages(5, "initializer", () -> TensorProto.SCHEMA);

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(10, "doc_string");

    /** {@code input}. */
    public static final Field<List<Message>> INPUT =
            Field.messages(11, "input", () -> ValueInfoProto.SCHEMA);

    /** {@code output}. */
    public static final Field<List<Message>> OUTPUT =
            Field.messages(12, "output", () -> ValueInfoProto.SCHEMA);

    /** {@code value_info}. */
    public static final Field<List<Message>> VALUE_INFO =
            Field.messages(13, "value_info", () -> ValueInfoProto.SCHEMA);

    /** {@code quantization_annotation}. */
    public static final Field<List<Message>> QUANTIZATION_ANNOTATION =
            Field.messages(14, "quantization_annotation", () -> TensorAnnotation.SCHEMA);

    /** {@code sparse_initializer}. */
    public static final Field<List<Message>> SPARSE_INITIALIZER =
            Field.messages(15, "sparse_initializer", () -> SparseTensorProto.SCHEMA);

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(16, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "GraphProto",
                    NODE,
                    NAME,
                    INITIALIZER,
                    DOC_STRING,
                    INPUT,
                    OUTPUT,
                    VALUE_INFO,
                    QUANTIZATION_ANNOTATION,
                    SPARSE_INITIALIZER,
                    METADATA_PROPS);

    private GraphProto() {}
}
