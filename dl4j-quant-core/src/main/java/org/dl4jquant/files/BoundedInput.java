// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dl4jquant.check.Require;

/**
 * Reads numbers and text from bytes of unknown origin. Nothing is allocated before it is known that
 * the bytes are there. What is wrong is an IllegalArgumentException that names the place.
 */
public final class BoundedInput {

    /* The longest array of usual JVMs. */
    private static final long MOST_BYTES = Integer.MAX_VALUE - 8;

    private final ByteBuffer bytes;

    /**
     * Reads a buffer.
     *
     * @param bytes from its position to its limit, which stay
     * @param order the order of bytes in numbers
     */
    public BoundedInput(ByteBuffer bytes, ByteOrder order) {
        this.bytes = bytes.slice().order(order);
    }

    /**
     * Reads a file, of at most 2^31 - 9 bytes.
     *
     * @param file the file
     * @param order the order of bytes in numbers
     * @return its bytes
     * @throws IOException if it cannot be read, is a folder, or is larger
     */
    public static BoundedInput of(Path file, ByteOrder order) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder, not a file");
        }
        long size = Files.size(file);
        if (size > MOST_BYTES) {
            throw new IOException(
                    "%s has %d bytes, and at most %d are supported"
                            .formatted(file, size, MOST_BYTES));
        }
        return new BoundedInput(ByteBuffer.wrap(Files.readAllBytes(file)), order);
    }

    /**
     * Requires that the bytes that are left have a checksum; they stay unread.
     *
     * @param crc32c the checksum that they must have
     */
    public void check(int crc32c) {
        int found = Checksum.crc32c(bytes);
        Require.argument(
                found == crc32c,
                "the checksum of the %d bytes from byte %d on is %08x, not %08x: the file was"
                        + " changed or cut off",
                bytes.remaining(),
                bytes.position(),
                found,
                crc32c);
    }

    /**
     * Returns how many bytes were not read yet.
     *
     * @return the bytes that are left
     */
    public int left() {
        return bytes.remaining();
    }

    private ByteBuffer need(String what, int length) {
        Require.argument(
                length <= bytes.remaining(),
                "the file ends inside %s: %d bytes from byte %d on, of %d",
                what,
                length,
                bytes.position(),
                bytes.limit());
        return bytes;
    }

    /**
     * Reads an int32.
     *
     * @param what the number, for the message
     * @return the number
     */
    public int int32(String what) {
        return need(what, Integer.BYTES).getInt();
    }

    /**
     * Reads an int64.
     *
     * @param what the number, for the message
     * @return the number
     */
    public long int64(String what) {
        return need(what, Long.BYTES).getLong();
    }

    /**
     * Reads the int32 that says how many things follow.
     *
     * @param what the things, for the message
     * @param bytesEach the fewest bytes that one takes, above 0
     * @return their number, at most what the rest of the bytes can hold
     */
    public int count(String what, int bytesEach) {
        return Bounds.count(what, int32("the number of " + what), bytesEach, left());
    }

    /**
     * Reads float32 values.
     *
     * @param what the values, for the message
     * @param count how many, not trusted
     * @return the values
     */
    public float[] floats(String what, long count) {
        float[] values = new float[Bounds.count(what, count, Float.BYTES, left())];
        bytes.asFloatBuffer().get(values);
        bytes.position(bytes.position() + values.length * Float.BYTES);
        return values;
    }

    /**
     * Reads bytes.
     *
     * @param what the bytes, for the message
     * @param count how many, not trusted
     * @return the bytes
     */
    public byte[] bytes(String what, long count) {
        byte[] read = new byte[Bounds.count(what, count, 1, left())];
        bytes.get(read);
        return read;
    }

    /**
     * Reads a text: its length in bytes as an int32, and so many bytes of UTF-8.
     *
     * @param what the text, for the message
     * @return the text
     */
    public String text(String what) {
        byte[] read = bytes(what, int32("the length of " + what));
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(read));
            return text.toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(what + " is no text in UTF-8", e);
        }
    }

    /** Requires that nothing is left. */
    public void end() {
        Require.argument(
                !bytes.hasRemaining(), "%d bytes follow the end of the file", bytes.remaining());
    }
}
