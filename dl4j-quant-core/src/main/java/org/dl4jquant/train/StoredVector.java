// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.SequenceInputStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.options.ArrayOptionsHelper;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads a vector that {@code Nd4j.write} wrote: parameters, or an updater's state.
 *
 * <p>ND4J believes a file's shape, strides and data type, and native code follows them. Here they
 * are compared with one another and with the bytes that there are, and ND4J is given a header that
 * is made anew.
 */
final class StoredVector {

    /*
     * A buffer is stored as: how it was allocated, UTF; its length, i64; its type, UTF; its elements,
     * big-endian. An array is two of them, its shape and its data. The shape of an array of rank r
     * has 2 r + 4 numbers: r, sizes, strides, options, the stride of all elements, the order.
     */
    private static final String ALLOCATION = "MIXED_DATA_TYPES";

    private static final int MOST_SHAPE_NUMBERS = 2 * 2 + 4;

    private StoredVector() {}

    /**
     * {@return the vector, of shape [1, n]}
     *
     * @param in the stored array
     * @param bytes how many bytes it has
     * @throws IOException if it is no vector of floats with so many bytes
     */
    static INDArray read(DataInputStream in, long bytes) throws IOException {
        long[] shape = shape(in);
        DataType inShape = typeOf(shape);
        requireAllocation(in);
        long length = in.readLong();
        DataType type = type(in.readUTF());
        require(type == inShape, "its shape says " + inShape + ", its data are " + type);
        require(length > 0, "it has " + length + " numbers");
        long header = headerBytes(shape.length, type);
        require(
                length == (bytes - header) / type.width()
                        && length * type.width() == bytes - header,
                "its header says %d numbers of %s, and %d bytes follow"
                        .formatted(length, type, bytes - header));
        require(
                elements(shape) == length,
                "its shape says %d numbers, its data have %d".formatted(elements(shape), length));
        return Nd4j.read(
                new DataInputStream(
                        new SequenceInputStream(
                                new ByteArrayInputStream(freshHeader(length, type)), in)));
    }

    private static long[] shape(DataInputStream in) throws IOException {
        requireAllocation(in);
        long numbers = in.readLong();
        String type = in.readUTF();
        require(
                type.equals(DataType.INT64.name())
                        && numbers % 2 == 0
                        && numbers > 4
                        && numbers <= MOST_SHAPE_NUMBERS,
                "it is no vector: its shape is %d numbers of type %s".formatted(numbers, type));
        long[] shape = new long[(int) numbers];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = in.readLong();
        }
        require(
                shape[0] == (numbers - 4) / 2,
                "its shape has %d numbers for rank %d".formatted(numbers, shape[0]));
        return shape;
    }

    private static void requireAllocation(DataInputStream in) throws IOException {
        String allocation = in.readUTF();
        require(
                allocation.equals(ALLOCATION),
                "a buffer begins with '"
                        + allocation
                        + "', not "
                        + ALLOCATION
                        + ": the file is damaged, or of a version before 1.0.0-beta4; open it with"
                        + " DL4J's ModelSerializer if you trust it, and save it again");
    }

    /* Options hold the type alone: nothing sparse, compressed, empty or padded. */
    private static DataType typeOf(long[] shape) throws IOException {
        long options = shape[shape.length - 3];
        for (DataType type : floats()) {
            if (ArrayOptionsHelper.setOptionBit(0L, type) == options) {
                return type;
            }
        }
        throw new IOException("its shape's options are " + options + ", not those of floats");
    }

    private static DataType type(String name) throws IOException {
        for (DataType type : floats()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw new IOException("its data are of type '" + name + "', not floats");
    }

    private static DataType[] floats() {
        return new DataType[] {
            DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16, DataType.BFLOAT16
        };
    }

    /* A vector has one size that is not 1, and its elements follow one another. */
    private static long elements(long[] shape) throws IOException {
        int rank = (int) shape[0];
        long elements = 1;
        for (int i = 1; i <= rank; i++) {
            long size = shape[i];
            require(size > 0, "it has a dimension of size " + size);
            require(size == 1 || elements == 1, "it is a matrix, not a vector");
            require(
                    size == 1 || shape[rank + i] == 1,
                    "its elements are " + shape[rank + i] + " apart");
            elements *= size;
        }
        return elements;
    }

    private static long headerBytes(int shapeNumbers, DataType type) {
        long utf = Short.BYTES;
        long buffer = utf + ALLOCATION.length() + Long.BYTES + utf;
        return buffer
                + DataType.INT64.name().length()
                + (long) shapeNumbers * Long.BYTES
                + buffer
                + type.name().length();
    }

    private static byte[] freshHeader(long length, DataType type) throws IOException {
        long[] shape = {2, 1, length, length, 1, ArrayOptionsHelper.setOptionBit(0L, type), 1, 'c'};
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(ALLOCATION);
        out.writeLong(shape.length);
        out.writeUTF(DataType.INT64.name());
        for (long number : shape) {
            out.writeLong(number);
        }
        out.writeUTF(ALLOCATION);
        out.writeLong(length);
        out.writeUTF(type.name());
        return bytes.toByteArray();
    }

    private static void require(boolean condition, String message) throws IOException {
        if (!condition) {
            throw new IOException(message);
        }
    }
}
