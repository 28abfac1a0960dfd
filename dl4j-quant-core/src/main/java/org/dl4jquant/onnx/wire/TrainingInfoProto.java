// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** How a model is initialized and trained further. */
public final class TrainingInfoProto {

    /** {@code initialization}. */
    public static final Field<Message> INITIALIZATION =
            Field.message(1, "initialization", () -> GraphProto.SCHEMA);

    /** {@code algorithm}. */
    public static final Field<Message> ALGORITHM =
            Field.message(2, "algorithm", () -> GraphProto.SCHEMA);

    /** {@code initialization_binding}. */
    public static final Field<List<Message>> INITIALIZATION_BINDING =
            Field.messages(3, "initialization_binding", () -> StringStringEntryProto.SCHEMA);

    /** {@code update_binding}. */
    public static final Field<List<Message>> UPDATE_BINDING =
            Field.messages(4, "update_binding", () -> StringStringEntryProto.SCHEMA);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "TrainingInfoProto",
                    INITIALIZATION,
                    ALGORITHM,
                    INITIALIZATION_BINDING,
                    UPDATE_BINDING);

    private TrainingInfoProto() {}
}
