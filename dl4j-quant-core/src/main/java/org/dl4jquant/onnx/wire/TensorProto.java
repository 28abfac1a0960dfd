// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.util.List;

/**
 * A tensor: its sizes, its {@link DataType}, and its elements as raw bytes, as numbers, or in
 * another file.
 */
public final class TensorProto {

    /** {@code dims}. */
    public static final Field<Numbers> DIMS = Field.int64s(1, "dims");

    /** {@code data_type}. */
    public static final Field<Long> DATA_TYPE = Field.int32(2, "data_type");

    /** {@code segment}. */
    public static final Field<Message> SEGMENT =
            Field.message(3, "segment", () -> TensorProto.SEGMENT_SCHEMA);

    /** {@code float_data}. */
    public static final Field<Numbers> FLOAT_DATA = Field.reals(4, "float_data");

    /** {@code int32_data}. */
    public static final Field<Numbers> INT32_DATA = Field.int32s(5, "int32_data");

    /** {@code string_data}. */
    public static final Field<List<Bytes>> STRING_DATA = Field.byteStrings(6, "string_data");

    /** {@code int64_data}. */
    public static final Field<Numbers> INT64_DATA = Field.int64s(7, "int64_data");

    /** {@code name}. */
    public static final Field<String> NAME = Field.text(8, "name");

    /** {@code raw_data}. */
    public static final Field<Bytes> RAW_DATA = Field.bytes(9, "raw_data");

    /** {@code double_data}. */
    public static final Field<Numbers> DOUBLE_DATA = Field.doubles(10, "double_data");

    /** {@code uint64_data}. */
    public static final Field<Numbers> UINT64_DATA = Field.int64s(11, "uint64_data");

    /** {@code doc_string}. */
    public static final Field<String> DOC_STRING = Field.text(12, "doc_string");

    /** {@code external_data}. */
    public static final Field<List<Message>> EXTERNAL_DATA =
            Field.messages(13, "external_data", () -> StringStringEntryProto.SCHEMA);

    /** {@code data_location}. */
    public static final Field<Long> DATA_LOCATION = Field.int32(14, "data_location");

    /** {@code metadata_props}. */
    public static final Field<List<Message>> METADATA_PROPS =
            Field.messages(16, "metadata_props", () -> StringStringEntryProto.SCHEMA);

    /** The value of {@link #DATA_LOCATION} for elements that are in another file. */
    public static final long EXTERNAL = 1;

    /** The part of a large tensor that is stored: begin (1) and end (2). */
    static final Schema SEGMENT_SCHEMA =
            Schema.of("Segment", Field.int64(1, "begin"), Field.int64(2, "end"));

    /** All fields. */
    public static final Schema SCHEMA =
            Schema.of(
                    "TensorProto",
                    DIMS,
                    DATA_TYPE,
                    SEGMENT,
                    FLOAT_DATA,
                    INT32_DATA,
                    STRING_DATA,
                    INT64_DATA,
                    NAME,
                    RAW_DATA,
                    DOUBLE_DATA,
                    UINT64_DATA,
                    DOC_STRING,
                    EXTERNAL_DATA,
                    DATA_LOCATION,
                    METADATA_PROPS);

    private TensorProto() {}
}
