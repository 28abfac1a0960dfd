// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/** A model: a graph, the versions of the operators that it uses, and where it comes from. */
public final class ModelProto {

    /** {@code ir_version}. */
    public static final Field<Long> IR_VERSION = Field.int64(1, "ir_version");

    /** {@code producer_name}. */
    public static final Field<String> PRODUCER_NAME = Field.text(2, "producer_name");

    /** {@code producer_version}. */
    public static final Field<String> PRODUCER_VERSION = Field.text(3, "producer_version");

    /** {@code domain}. */
    public static final Field<String> DOMAIN = Field.text(4, "domain");

    /** {@code model_version}. */
    public static final Field<Long> MODEL_VERSION = Field.int64(5, "model_version");

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(6, "doc_string");

    /** {@code graph}. */
    public static final Field<Message> GRAPH = Field.message(7, "graph", () -> GraphProto.SCHEMA);

    /** {@code opset_import}. */
    public static final Field<List<Message>> OPSET_IMPORT =
            Field.messages(8, "opset_import", () -> OperatorSetIdProto.SCHEMA);

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(14, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** {@code training_info}. */
    public static final Field<List<Message>> TRAINING_INFO =
            Field.messages(20, "training_info", () -> TrainingInfoProto.SCHEMA);

    /** {@code functions}. */
    public static final Field<List<Message>> FUNCTIONS =
            Field.messages(25, "functions", () -> FunctionProto.SCHEMA);

    /** {@code configuration}. */
    public static final Field<List<Message>> CONFIGURATION =
            Field.messages(26, "configuration", () -> DeviceProtos.CONFIGURATION);

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "ModelProto",
                    IR_VERSION,
                    PRODUCER_NAME,
                    PRODUCER_VERSION,
                    DOMAIN,
                    MODEL_VERSION,
                    DOC_STRING,
                    GRAPH,
                    OPSET_IMPORT,
                    METADATA_PROPS,
                    TRAINING_INFO,
                    FUNCTIONS,
                    CONFIGURATION);

    private ModelProto() {}
}
