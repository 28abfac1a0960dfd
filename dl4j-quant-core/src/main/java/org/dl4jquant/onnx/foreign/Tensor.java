// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.dl4jquant.onnx.wire.Bytes;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.Numbers;
import org.dl4jquant.onnx.wire.TensorProto;

/** Reads and makes constants. What is damaged has no values here; who reads it later says so. */
final class Tensor {

    private static final int MAX_COUNT = 1 << 28;

    private Tensor() {}

    static boolean isOf(Message tensor, DataType type) {
        return tensor.get(TensorProto.DATA_TYPE) == type.number();
    }

    static long[] dimensions(Message tensor) {
        return tensor.get(TensorProto.DIMS).stream().toArray();
    }

    /** {@return the values of a constant of an integer type, if it is whole} */
    static Optional<long[]> integers(Message tensor) {
        DataType type = DataType.of(tensor.get(TensorProto.DATA_TYPE)).orElse(DataType.UNDEFINED);
        int count = count(tensor, type);
        if (count < 0) {
            return Optional.empty();
        }
        Bytes raw = tensor.get(TensorProto.RAW_DATA);
        Numbers typed =
                type == DataType.INT64
                        ? tensor.get(TensorProto.INT64_DATA)
                        : tensor.get(TensorProto.INT32_DATA);
        if (raw.size() == 0 && type.bits() >= Byte.SIZE) {
            return typed.size() == count ? Optional.of(typed.stream().toArray()) : Optional.empty();
        }
        ByteBuffer bytes = raw.buffer().order(ByteOrder.LITTLE_ENDIAN);
        if (raw.size() == 0) { // two 4-bit codes are one number
            bytes = ByteBuffer.allocate(typed.size());
            for (int i = 0; i < typed.size(); i++) {
                bytes.put(i, (byte) typed.at(i));
            }
        }
        return bytes.remaining() == type.rawBytes(count)
                ? values(bytes, type, count)
                : Optional.empty();
    }

    private static Optional<long[]> values(ByteBuffer bytes, DataType type, int count) {
        return switch (type) {
            case INT64 -> Optional.of(each(count, i -> bytes.getLong(Long.BYTES * i)));
            case INT32 -> Optional.of(each(count, i -> bytes.getInt(Integer.BYTES * i)));
            case INT8, BOOL -> Optional.of(each(count, bytes::get));
            case UINT8 -> Optional.of(each(count, i -> bytes.get(i) & 0xff));
            case UINT4 -> Optional.of(each(count, i -> bytes.get(i / 2) >> (4 * (i % 2)) & 0xf));
            case INT4 ->
                    Optional.of(each(count, i -> bytes.get(i / 2) << (28 - 4 * (i % 2)) >> 28));
            default -> Optional.empty();
        };
    }

    private interface Element {
        long at(int index);
    }

    private static long[] each(int count, Element element) {
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = element.at(i);
        }
        return values;
    }

    /** {@return the values of a float32 constant, if it is whole} */
    static Optional<float[]> floats(Message tensor) {
        int count = isOf(tensor, DataType.FLOAT) ? count(tensor, DataType.FLOAT) : -1;
        Bytes raw = tensor.get(TensorProto.RAW_DATA);
        Numbers typed = tensor.get(TensorProto.FLOAT_DATA);
        boolean isRaw = raw.size() == (long) count * Float.BYTES;
        if (count < 0 || (!isRaw && (raw.size() > 0 || typed.size() != count))) {
            return Optional.empty();
        }
        float[] values = new float[count];
        if (isRaw) {
            raw.buffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        } else {
            for (int i = 0; i < count; i++) {
                values[i] = typed.floatAt(i);
            }
        }
        return Optional.of(values);
    }

    /* Below 0 if the sizes are no sizes, or the data lie elsewhere. */
    private static int count(Message tensor, DataType type) {
        long count = type.bits() == 0 ? -1 : 1;
        for (long size : dimensions(tensor)) {
            count = size < 0 || size > MAX_COUNT || count < 0 ? -1 : count * size;
            count = count > MAX_COUNT ? -1 : count;
        }
        boolean external = tensor.get(TensorProto.DATA_LOCATION) == TensorProto.EXTERNAL;
        return external || count > 2 * tensor.size() ? -1 : (int) count;
    }

    static Message ofFloats(String name, float[] values, long... dimensions) {
        byte[] raw = new byte[Float.BYTES * values.length];
        buffer(raw).asFloatBuffer().put(values);
        return of(name, DataType.FLOAT, raw, dimensions);
    }

    static Message ofInts(String name, int[] values, long... dimensions) {
        byte[] raw = new byte[Integer.BYTES * values.length];
        buffer(raw).asIntBuffer().put(values);
        return of(name, DataType.INT32, raw, dimensions);
    }

    static Message ofLongs(String name, long... values) {
        byte[] raw = new byte[Long.BYTES * values.length];
        buffer(raw).asLongBuffer().put(values);
        return of(name, DataType.INT64, raw, values.length);
    }

    private static ByteBuffer buffer(byte[] raw) {
        return ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
    }

    static Message of(String name, DataType type, byte[] raw, long... dimensions) {
        return Message.builder(TensorProto.SCHEMA)
                .set(TensorProto.NAME, name)
                .set(TensorProto.DATA_TYPE, (long) type.number())
                .set(TensorProto.DIMS, Numbers.of(dimensions))
                .set(TensorProto.RAW_DATA, Bytes.of(raw))
                .build();
    }

    static Message named(Message tensor, String name) {
        return tensor.toBuilder().set(TensorProto.NAME, name).build();
    }

    /** {@return integers as a constant of a type of 8, 32 or 64 bits} */
    static Message ofIntegers(String name, DataType type, long[] values, long... dimensions) {
        if (type == DataType.INT64) {
            byte[] raw = new byte[Long.BYTES * values.length];
            buffer(raw).asLongBuffer().put(values);
            return of(name, type, raw, dimensions);
        }
        if (type == DataType.INT32) {
            return ofInts(name, LongStream.of(values).mapToInt(v -> (int) v).toArray(), dimensions);
        }
        byte[] raw = new byte[values.length];
        for (int i = 0; i < raw.length; i++) {
            raw[i] = (byte) values[i];
        }
        return of(name, type, raw, dimensions);
    }

    static List<DataType> codeTypes() {
        return List.of(DataType.INT8, DataType.UINT8, DataType.INT4, DataType.UINT4);
    }
}
