// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** A tensor of which only the elements that are not 0 are stored. */
public final class SparseTensorProto {

    /** {@code values}. */
    public static final Field<Message> VALUES =
            Field.message(1, "values", () -> TensorProto.SCHEMA);

    /** {@code indices}. */
    public static final Field<Message> INDICES =
            Field.message(2, "indices", () -> TensorProto.SCHEMA);

    /** {@code dims}. */
    public static final Field<Numbers> DIMS = Field.int64s(3, "dims");

    /** All fields. */
    public static final Schema SCHEMA = Schema.of("SparseTensorProto", VALUES, INDICES, DIMS);

    private SparseTensorProto() {}
}
