// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** How the codes of a tensor stand for values, where no operator says it. */
public final class TensorAnnotation {

    /** {@code tensor_name}. */
    public static final Field<String> TENSOR_NAME = Field.text(1, "tensor_name");

    /** {@code quant_parameter_tensor_names}. */
    public static final Field<List<Message>> QUANT_PARAMETER_TENSOR_NAMES =
            Field.messages(2, "quant_parameter_tensor_names", () -> StringStringEntryProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of("TensorAnnotation", TENSOR_NAME, QUANT_PARAMETER_TENSOR_NAMES);

    private TensorAnnotation() {}
}
