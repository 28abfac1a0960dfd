// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

/** A set of operators and its version. */
public final class OperatorSetIdProto {

    /** {@code domain}. */
    public static final Field<String> DOMAIN = Field.text(1, "domain");

    /** {@code version}. */
    public static final Field<Long> VERSION = Field.int64(2, "version");

    /** All fields. */
    public static final Schema SCHEMA = Schema.of("OperatorSetIdProto", DOMAIN, VERSION);

    private OperatorSetIdProto() {}
}
