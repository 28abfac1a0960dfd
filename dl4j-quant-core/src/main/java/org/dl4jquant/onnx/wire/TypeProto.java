// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** The type of a value: a tensor, or one of the kinds that are made of other types. */
public final class TypeProto {

    /** {@code elem_type} of a tensor: the number of a {@link DataType}. */
    public static final Field<Long> ELEM_TYPE = Field.int32(1, "elem_type");

    /** {@code shape} of a tensor. */
    public static final Field<Message> SHAPE =
            Field.message(2, "shape", () -> TensorShapeProto.SCHEMA);

    /** The type of a tensor, dense or sparse. */
    public static final Schema TENSOR = Schema.of("Tensor", ELEM_TYPE, SHAPE);

    /** {@code tensor_type}. */
    public static final Field<Message> TENSOR_TYPE =
            Field.message(1, "tensor_type", () -> TypeProto.TENSOR);

    /** {@code sequence_type}. */
    public static final Field<Message> SEQUENCE_TYPE =
            Field.message(4, "sequence_type", () -> TypeProto.ELEMENTS);

    /** {@code map_type}. */
    public static final Field<Message> MAP_TYPE = Field.message(5, "map_type", () -> TypeProto.MAP);

    /** {@code denotation}. */
    public static final Field<String> DENOTATION = Field.text(6, "denotation");

    /** {@code opaque_type}. */
    public static final Field<Message> OPAQUE_TYPE =
            Field.message(7, "opaque_type", () -> TypeProto.OPAQUE);

    /** {@code sparse_tensor_type}. */
    public static final Field<Message> SPARSE_TENSOR_TYPE =
            Field.message(8, "sparse_tensor_type", () -> TypeProto.TENSOR);

    /** {@code optional_type}. */
    public static final Field<Message> OPTIONAL_TYPE =
            Field.message(9, "optional_type", () -> TypeProto.ELEMENTS);

    /** All fields; beside the denotation, one is present. */
    public static final Schema SCHEMA =
            Schema.of(
                            "TypeProto",
                            TENSOR_TYPE,
                            SEQUENCE_TYPE,
                            MAP_TYPE,
                            DENOTATION,
                            OPAQUE_TYPE,
                            SPARSE_TENSOR_TYPE,
                            OPTIONAL_TYPE)
                    .oneOf(
                            TENSOR_TYPE,
                            SEQUENCE_TYPE,
                            MAP_TYPE,
                            OPAQUE_TYPE,
                            SPARSE_TENSOR_TYPE,
                            OPTIONAL_TYPE);

    /** The elements of a sequence, or of an optional value. */
    static final Schema ELEMENTS =
            Schema.of("Elements", Field.message(1, "elem_type", () -> TypeProto.SCHEMA));

    static final Schema MAP =
            Schema.of(
                    "Map",
                    Field.int32(1, "key_type"),
                    Field.message(2, "value_type", () -> TypeProto.SCHEMA));

    static final Schema OPAQUE =
            Schema.of("Opaque", Field.text(1, "domain"), Field.text(2, "name"));

    private TypeProto() {}
}
