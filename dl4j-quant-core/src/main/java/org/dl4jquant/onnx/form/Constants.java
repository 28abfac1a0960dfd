// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.PackedInt4;
import org.dl4jquant.onnx.wire.DataType;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.Numbers;
import org.dl4jquant.onnx.wire.TensorProto;

/** The initializers of an ONNX graph, read with checks. */
final class Constants {

    private static final int BYTE = 0xff;
    private static final int NIBBLE = 0xf;

    private final Map<String, Message> tensors = new HashMap<>();

    Constants(List<Message> initializers) {
        for (Message tensor : initializers) {
            Require.argument(
                    tensors.put(tensor.get(TensorProto.NAME), tensor) == null,
                    "two initializers are named '%s'",
                    tensor.get(TensorProto.NAME));
        }
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    boolean isOf(String name, DataType type) {
        Message tensor = tensors.get(name);
        return tensor != null && tensor.get(TensorProto.DATA_TYPE) == type.number();
    }

    /** {@return the sizes of an initializer, without those at the end that are 1 beyond a rank} */
    List<Integer> dimensions(String name) {
        Message tensor = get(name);
        count(tensor);
        return tensor.get(TensorProto.DIMS).stream().mapToObj(size -> (int) size).toList();
    }

    /** {@return whether both hold signed codes, or both unsigned ones} */
    boolean haveOneSign(String one, String other) {
        return isSigned(get(one)) == isSigned(get(other));
    }

    private static boolean isSigned(Message tensor) {
        long type = tensor.get(TensorProto.DATA_TYPE);
        return type == DataType.INT8.number() || type == DataType.INT4.number();
    }

    /** {@return whether a constant has the type, the dimensions and the bytes of another} */
    boolean holdsSame(String name, Constants others, String other) {
        return unnamed(get(name)).equals(unnamed(others.get(other)));
    }

    private static Message unnamed(Message tensor) {
        return tensor.toBuilder().clear(TensorProto.NAME).build().withoutDefaults();
    }

    float scalar(String name) {
        float[] values = floats(name);
        Require.argument(
                values.length == 1,
                "initializer '%s' has %d values where one is needed",
                name,
                values.length);
        requireVector(name);
        return values[0];
    }

    /** Refuses constants of two dimensions and more, which ONNX allows for few operators. */
    void requireVector(String name) {
        List<Integer> dimensions = dimensions(name);
        Require.argument(
                dimensions.size() <= 1,
                "initializer '%s' has the dimensions %s; it must have one or none",
                name,
                dimensions);
    }

    float[] floats(String name) {
        Message tensor = get(name, DataType.FLOAT);
        Numbers data = tensor.get(TensorProto.FLOAT_DATA);
        float[] values = new float[count(tensor)];
        if (isRaw(tensor, values.length, Float.BYTES, data.size())) {
            raw(tensor).asFloatBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = data.floatAt(i);
            }
        }
        return values;
    }

    int[] ints(String name) {
        Message tensor = get(name, DataType.INT32);
        Numbers data = tensor.get(TensorProto.INT32_DATA);
        int[] values = new int[count(tensor)];
        if (isRaw(tensor, values.length, Integer.BYTES, data.size())) {
            raw(tensor).asIntBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = (int) data.at(i);
            }
        }
        return values;
    }

    long[] longs(String name) {
        Message tensor = get(name, DataType.INT64);
        Numbers data = tensor.get(TensorProto.INT64_DATA);
        long[] values = new long[count(tensor)];
        if (isRaw(tensor, values.length, Long.BYTES, data.size())) {
            raw(tensor).asLongBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = data.at(i);
            }
        }
        return values;
    }

    /** {@return the values of an initializer of one-byte codes} */
    byte[] bytes(String name, DataType type) {
        Message tensor = get(name, type);
        Numbers data = tensor.get(TensorProto.INT32_DATA);
        byte[] values = new byte[count(tensor)];
        if (isRaw(tensor, values.length, 1, data.size())) {
            raw(tensor).get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = (byte) data.at(i);
            }
        }
        return values;
    }

    /**
     * {@return the codes of an initializer of 8 or 4 bits, signed or not}
     *
     * @param name the initializer
     * @param what its purpose, for the message
     */
    int[] codes(String name, String what) {
        Message tensor = get(name);
        DataType type = DataType.of(tensor.get(TensorProto.DATA_TYPE)).orElse(DataType.UNDEFINED);
        switch (type) {
            case INT8 -> {
                return widened(bytes(name, type), ~0);
            }
            case UINT8 -> {
                return widened(bytes(name, type), BYTE);
            }
            case INT4, UINT4 -> {
                return nibbles(tensor, type == DataType.INT4);
            }
            default ->
                    throw new IllegalArgumentException(
                            "initializer '%s' is of type %s; %s must be INT8, UINT8, INT4 or UINT4"
                                    .formatted(
                                            name,
                                            DataType.name(tensor.get(TensorProto.DATA_TYPE)),
                                            what));
        }
    }

    private static int[] widened(byte[] values, int mask) {
        int[] widened = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            widened[i] = values[i] & mask;
        }
        return widened;
    }

    private static int[] nibbles(Message tensor, boolean signed) {
        int count = count(tensor);
        Numbers data = tensor.get(TensorProto.INT32_DATA);
        byte[] packed = new byte[(count + 1) / 2];
        if (isRaw(tensor, packed.length, 1, data.size())) {
            raw(tensor).get(packed);
        } else {
            for (int i = 0; i < packed.length; i++) {
                packed[i] = (byte) data.at(i);
            }
        }
        return widened(PackedInt4.unpack(packed, count), signed ? ~0 : NIBBLE);
    }

    /** {@return the value that all elements of a float32 initializer have, if they have one} */
    Optional<Float> uniform(String name) {
        if (!isOf(name, DataType.FLOAT)) {
            return Optional.empty();
        }
        float[] values = floats(name);
        boolean same = values.length > 0;
        for (float value : values) {
            same &= value == values[0];
        }
        return same ? Optional.of(values[0]) : Optional.empty();
    }

    private Message get(String name) {
        Message tensor = tensors.get(name);
        Require.argument(
                tensor != null,
                "'%s' is computed or missing; it must be an initializer, a constant of the file",
                name);
        Objects.requireNonNull(tensor);
        Require.argument(
                tensor.get(TensorProto.DATA_LOCATION) != TensorProto.EXTERNAL,
                "initializer '%s' lies in another file; save the model with its data inside",
                name);
        return tensor;
    }

    private Message get(String name, DataType type) {
        Message tensor = get(name);
        Require.argument(
                tensor.get(TensorProto.DATA_TYPE) == type.number(),
                "initializer '%s' is of type %s; it must be %s",
                name,
                DataType.name(tensor.get(TensorProto.DATA_TYPE)),
                type);
        return tensor;
    }

    /* No element takes less than a byte: a damaged file that claims more allocates nothing. */
    private static int count(Message tensor) {
        long type = tensor.get(TensorProto.DATA_TYPE);
        boolean halves = type == DataType.INT4.number() || type == DataType.UINT4.number();
        long most = halves ? 2 * tensor.size() : tensor.size();
        long count = 1;
        Numbers dimensions = tensor.get(TensorProto.DIMS);
        for (int axis = 0; axis < dimensions.size(); axis++) {
            long dimension = dimensions.at(axis);
            count = dimension < 0 || dimension > Integer.MAX_VALUE ? -1 : count * dimension;
            Require.argument(
                    count >= 0 && count <= most,
                    "initializer '%s' is said to have the dimensions %s, but has %d bytes: the file"
                            + " is damaged",
                    tensor.get(TensorProto.NAME),
                    tensor.get(TensorProto.DIMS),
                    tensor.size());
        }
        return (int) count;
    }

    private static boolean isRaw(Message tensor, int count, int width, int typedCount) {
        int bytes = tensor.get(TensorProto.RAW_DATA).size();
        Require.argument(
                bytes == (long) count * width || (bytes == 0 && typedCount == count),
                "initializer '%s' of the dimensions %s has %d bytes and %d values: the file is"
                        + " damaged",
                tensor.get(TensorProto.NAME),
                tensor.get(TensorProto.DIMS),
                bytes,
                typedCount);
        return bytes > 0 || count == 0;
    }

    private static ByteBuffer raw(Message tensor) {
        return tensor.get(TensorProto.RAW_DATA).buffer();
    }
}
