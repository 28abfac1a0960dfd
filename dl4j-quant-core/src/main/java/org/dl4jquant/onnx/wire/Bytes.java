// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import org.dl4jquant.check.Require;

/** An immutable string of bytes: a slice of the file that it was read from, which is not copied. */
public final class Bytes {

    /** No bytes. */
    public static final Bytes EMPTY = new Bytes(new byte[0], 0, 0);

    private final byte[] array;
    private final int offset;
    private final int length;

    /** A slice of an array that nobody changes. */
    Bytes(byte[] array, int offset, int length) {
        this.array = array;
        this.offset = Objects.checkFromIndexSize(offset, length, array.length);
        this.length = length;
    }

    /**
     * {@return the bytes, copied}
     *
     * @param bytes any number of bytes
     */
    public static Bytes of(byte... bytes) {
        return new Bytes(Require.given(bytes, "bytes").clone(), 0, bytes.length);
    }

    /**
     * {@return the bytes of a text in UTF-8}
     *
     * @param text the text
     */
    public static Bytes ofText(String text) {
        byte[] bytes = Require.given(text, "text").getBytes(StandardCharsets.UTF_8);
        return new Bytes(bytes, 0, bytes.length);
    }

    /** {@return the number of bytes} */
    public int size() {
        return length;
    }

    /** {@return a read-only view, in little-endian order, as tensors are stored} */
    public ByteBuffer buffer() {
        return ByteBuffer.wrap(array, offset, length)
                .slice()
                .asReadOnlyBuffer()
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** {@return a copy} */
    public byte[] toArray() {
        return Arrays.copyOfRange(array, offset, offset + length);
    }

    /** {@return the text that the bytes are in UTF-8; malformed parts become U+FFFD} */
    public String text() {
        return new String(array, offset, length, StandardCharsets.UTF_8);
    }

    void copyTo(byte[] target, int at) {
        System.arraycopy(array, offset, target, at, length);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes that
                && Arrays.equals(
                        array,
                        offset,
                        offset + length,
                        that.array,
                        that.offset,
                        that.offset + that.length);
    }

    @Override
    public int hashCode() {
        return buffer().hashCode();
    }

    @Override
    public String toString() {
        return length + " bytes";
    }
}
