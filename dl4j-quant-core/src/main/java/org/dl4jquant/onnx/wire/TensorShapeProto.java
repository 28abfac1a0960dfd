// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** The sizes of a tensor. */
public final class TensorShapeProto {

    /** {@code dim}. */
    public static final Field<List<Message>> DIM =
            Field.messages(1, "dim", () -> TensorShapeProto.DIMENSION);

    /** The size of a dimension. */
    public static final Field<Long> DIM_VALUE = Field.int64(1, "dim_value");

    /** The name of a dimension whose size is free. */
    public static final Field<String> DIM_PARAM = Field.text(2, "dim_param");

    /** One dimension: size or name, and its meaning. */
    public static final Schema DIMENSION =
            Schema.of("Dimension", DIM_VALUE, DIM_PARAM, Field.text(3, "denotation"))
                    .oneOf(DIM_VALUE, DIM_PARAM);

    /** All fields. */
    public static final Schema SCHEMA = Schema.of("TensorShapeProto", DIM);

    private TensorShapeProto() {}
}
