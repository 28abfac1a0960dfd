// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.files;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * Checksums: CRC-32C for records and lines, which finds every change of up to 32 neighbouring bits
 * and others but for one in 2^32; SHA-256 where a checksum also names what it was made of.
 */
public final class Checksum {

    /** The length of a SHA-256 in bytes. */
    public static final int SHA256_BYTES = 32;

    private Checksum() {}

    /**
     * Returns a CRC-32C.
     *
     * @param bytes from its position to its limit, which stay
     * @return the checksum
     */
    public static int crc32c(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate());
        return (int) sum.getValue();
    }

    /**
     * Returns a CRC-32C.
     *
     * @param bytes all of them
     * @return the checksum
     */
    public static int crc32c(byte[] bytes) {
        return crc32c(ByteBuffer.wrap(bytes));
    }

    /**
     * Returns a SHA-256.
     *
     * @param bytes from its position to its limit, which stay
     * @return {@value #SHA256_BYTES} bytes
     */
    public static byte[] sha256(ByteBuffer bytes) {
        MessageDigest digest = sha256();
        digest.update(bytes.duplicate());
        return digest.digest();
    }

    /**
     * Returns a SHA-256.
     *
     * @param bytes all of them
     * @return {@value #SHA256_BYTES} bytes
     */
    public static byte[] sha256(byte[] bytes) {
        return sha256().digest(bytes);
    }

    /**
     * Returns a SHA-256 as lower-case hexadecimal digits.
     *
     * @param bytes from its position to its limit, which stay
     * @return 64 digits
     */
    public static String sha256Hex(ByteBuffer bytes) {
        return HexFormat.of().formatHex(sha256(bytes));
    }

    /**
     * Returns the SHA-256 of a text in UTF-8 as lower-case hexadecimal digits.
     *
     * @param text the text
     * @return 64 digits
     */
    public static String sha256Hex(String text) {
        return sha256Hex(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * Returns a digest of SHA-256 that nothing was added to.
     *
     * @return a new digest
     */
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
