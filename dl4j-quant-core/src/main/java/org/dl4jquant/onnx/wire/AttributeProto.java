// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** A named value of an operator; {@link #TYPE} says which field holds it. */
public final class AttributeProto {

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(1, "name");

    /** {@code f}. */
    public static final Field<Float> F = Field.real(2, "f");

    /** {@code i}. */
    public static final Field<Long> I = Field.int64(3, "i");

    /** {@code s}. */
    public static final Field<Bytes> S = Field.bytes(4, "s");

    /** {@code t}. */
    public static final Field<Message> T = Field.message(5, "t", () -> TensorProto.SCHEMA);

    /** {@code g}. */
    public static final Field<Message> G = Field.message(6, "g", () -> GraphProto.SCHEMA);

    /** {@code floats}. */
    public static final Field<Numbers> FLOATS = Field.reals(7, "floats");

    /** {@code ints}. */
    public static final Field<Numbers> INTS = Field.int64s(8, "ints");

    /** {@code strings}. */
    public static final Field<List<Bytes>> STRINGS = Field.byteStrings(9, "strings");

    /** {@code tensors}. */
    public static final Field<List<Message>> TENSORS =
            Field.messages(10, "tensors", () -> TensorProto.SCHEMA);

    /** {@code graphs}. */
    public static final Field<List<Message>> GRAPHS =
            Field.messages(11, "graphs", () -> GraphProto.SCHEMA);

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(13, "doc_string");

    /** {@code tp}. */
    public static final Field<Message> TP = Field.message(14, "tp", () -> TypeProto.SCHEMA);

    /** {@code type_protos}. */
    public static final Field<List<Message>> TYPE_PROTOS =
            Field.messages(15, "type_protos", () -> TypeProto.SCHEMA);

    /** {@code type}. */
    public static final Field<Long> TYPE = Field.int32(20, "type");

    /** {@code ref_attr_name}. */
    public static final Field<String> REF_ATTR_NAME = Field.text(21, "ref_attr_name");

    /** {@code sparse_tensor}. */
    public static final Field<Message> SPARSE_TENSOR =
            Field.message(22, "sparse_tensor", () -> SparseTensorProto.SCHEMA);

    /** {@code sparse_tensors}. */
    public static final Field<List<Message>> SPARSE_TENSORS =
            Field.messages(23, "sparse_tensors", () -> SparseTensorProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "AttributeProto",
                    NAME,
                    F,
                    I,
                    S,
                    T,
                    G,
                    FLOATS,
                    INTS,
                    STRINGS,
                    TENSORS,
                    GRAPHS,
                    DOC_STRING,
                    TP,
                    TYPE_PROTOS,
                    TYPE,
                    REF_ATTR_NAME,
                    SPARSE_TENSOR,
                    SPARSE_TENSORS);

    private AttributeProto() {}
}
