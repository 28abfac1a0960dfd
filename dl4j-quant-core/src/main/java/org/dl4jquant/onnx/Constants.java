// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.check.Require;

/** The initializers of an ONNX graph, read with checks. */
final class Constants {

    private final Map<String, TensorProto> tensors = new HashMap<>();

    Constants(List<TensorProto> initializers) {
        for (TensorProto tensor : initializers) {
            Require.argument(
                    tensors.put(tensor.getName(), tensor) == null,
                    "two initializers are named '%s'",
                    tensor.getName());
        }
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    boolean isOf(String name, DataType type) {
        TensorProto tensor = tensors.get(name);
        return tensor != null && tensor.getDataType() == type.getNumber();
    }

    /** {@return the sizes of an initializer, without those at the end that are 1 beyond a rank} */
    List<Integer> dimensions(String name) {
        TensorProto tensor = get(name);
        count(tensor);
        return tensor.getDimsList().stream().map(Long::intValue).toList();
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
        TensorProto tensor = get(name, DataType.FLOAT);
        float[] values = new float[count(tensor)];
        if (isRaw(tensor, values.length, Float.BYTES, tensor.getFloatDataCount())) {
            raw(tensor).asFloatBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = tensor.getFloatData(i);
            }
        }
        return values;
    }

    int[] ints(String name) {
        TensorProto tensor = get(name, DataType.INT32);
        int[] values = new int[count(tensor)];
        if (isRaw(tensor, values.length, Integer.BYTES, tensor.getInt32DataCount())) {
            raw(tensor).asIntBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = tensor.getInt32Data(i);
            }
        }
        return values;
    }

    long[] longs(String name) {
        TensorProto tensor = get(name, DataType.INT64);
        long[] values = new long[count(tensor)];
        if (isRaw(tensor, values.length, Long.BYTES, tensor.getInt64DataCount())) {
            raw(tensor).asLongBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = tensor.getInt64Data(i);
            }
        }
        return values;
    }

    /** {@return the values of an initializer of one-byte codes} */
    byte[] bytes(String name, DataType type) {
        TensorProto tensor = get(name, type);
        byte[] values = new byte[count(tensor)];
        if (isRaw(tensor, values.length, 1, tensor.getInt32DataCount())) {
            raw(tensor).get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = (byte) tensor.getInt32Data(i);
            }
        }
        return values;
    }

    private TensorProto get(String name) {
        TensorProto tensor = tensors.get(name);
        Require.argument(
                tensor != null,
                "'%s' is computed or missing; it must be an initializer, a constant of the file",
                name);
        Objects.requireNonNull(tensor);
        Require.argument(
                tensor.getDataLocation() != TensorProto.DataLocation.EXTERNAL,
                "initializer '%s' lies in another file; save the model with its data inside",
                name);
        return tensor;
    }

    private TensorProto get(String name, DataType type) {
        TensorProto tensor = get(name);
        Require.argument(
                tensor.getDataType() == type.getNumber(),
                "initializer '%s' is of type %s; it must be %s",
                name,
                DataType.forNumber(tensor.getDataType()),
                type);
        return tensor;
    }

    /* No element takes less than a byte: a damaged file that claims more allocates nothing. */
    private static int count(TensorProto tensor) {
        long count = 1;
        for (long dimension : tensor.getDimsList()) {
            count = dimension < 0 || dimension > Integer.MAX_VALUE ? -1 : count * dimension;
            Require.argument(
                    count >= 0 && count <= tensor.getSerializedSize(),
                    "initializer '%s' is said to have the dimensions %s, but has %d bytes: the file"
                            + " is damaged",
                    tensor.getName(),
                    tensor.getDimsList(),
                    tensor.getSerializedSize());
        }
        return (int) count;
    }

    private static boolean isRaw(TensorProto tensor, int count, int width, int typedCount) {
        int bytes = tensor.getRawData().size();
        Require.argument(
                bytes == (long) count * width || (bytes == 0 && typedCount == count),
                "initializer '%s' of the dimensions %s has %d bytes and %d values: the file is"
                        + " damaged",
                tensor.getName(),
                tensor.getDimsList(),
                bytes,
                typedCount);
        return bytes > 0 || count == 0;
    }

    private static ByteBuffer raw(TensorProto tensor) {
        return tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
