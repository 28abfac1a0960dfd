// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/**
 * The codes that a tensor may hold, both ends included.
 *
 * <p>A range with a negative end is signed and lives in int8 containers, any other is unsigned and
 * lives in uint8 containers. A <em>wide</em> range fits no byte; its codes have 16 bits, in two
 * bytes each, the lower one first.
 *
 * @param min the smallest code, in [-32768, 65535]
 * @param max the largest code, above {@code min}; at most 32767 if {@code min} is negative, else
 *     65535
 */
public record CodeRange(int min, int max) {

    /** The widest range of codes of one byte. */
    public static final int MAX_BITS = 8;

    /** The width of codes of two bytes, the only one above {@link #MAX_BITS}. */
    public static final int WIDE_BITS = 16;

    /** Checks that the range fits two bytes. */
    public CodeRange {
        Require.argument(
                min < max, "code range [%d, %d] is empty: min must be below max", min, max);
        Require.argument(
                min < 0 ? min >= Short.MIN_VALUE && max <= Short.MAX_VALUE : max <= 0xffff,
                "code range [%d, %d] does not fit two bytes: use [-32768, 32767] or [0, 65535] at"
                        + " most",
                min,
                max);
    }

    /**
     * {@return all unsigned codes of a width, {@code [0, 2^bits - 1]}}
     *
     * @param bits the width, 1 to 8, or 16
     */
    public static CodeRange unsigned(int bits) {
        requireBits(bits, 1);
        return new CodeRange(0, (1 << bits) - 1);
    }

    /**
     * {@return all signed codes of a width, {@code [-2^(bits-1), 2^(bits-1) - 1]}}
     *
     * @param bits the width, 2 to 8, or 16
     */
    public static CodeRange signed(int bits) {
        requireBits(bits, 2);
        return new CodeRange(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
    }

    /**
     * {@return the signed codes of a width without the lowest, {@code [-(2^(bits-1) - 1),
     * 2^(bits-1) - 1]}: the range of weights, which must be able to change sign}
     *
     * @param bits the width, 2 to 8, or 16
     */
    public static CodeRange narrow(int bits) {
        CodeRange full = signed(bits);
        return new CodeRange(-full.max, full.max);
    }

    private static void requireBits(int bits, int least) {
        Require.argument(
                (bits >= least && bits <= MAX_BITS) || bits == WIDE_BITS,
                "%d bits are outside [%d, %d], and not %d",
                bits,
                least,
                MAX_BITS,
                WIDE_BITS);
    }

    /** {@return whether codes may be negative; then the container is int8, else uint8} */
    public boolean signed() {
        return min < 0;
    }

    /** {@return the smallest width in bits that holds every code of the range} */
    public int bits() {
        int largest = signed() ? Math.max(-min - 1, max) : max;
        int magnitudeBits = Integer.SIZE - Integer.numberOfLeadingZeros(largest);
        return signed() ? magnitudeBits + 1 : magnitudeBits;
    }

    /**
     * {@return whether a code lies in the range}
     *
     * @param code any integer
     */
    public boolean contains(int code) {
        return code >= min && code <= max;
    }

    /**
     * {@return the nearest code of the range}
     *
     * @param code any integer
     */
    public int clamp(int code) {
        return Math.min(Math.max(code, min), max);
    }

    /** {@return whether the codes need two bytes each} */
    public boolean isWide() {
        return signed() ? min < Byte.MIN_VALUE || max > Byte.MAX_VALUE : max > 0xff;
    }

    /** {@return how many bytes hold one code} */
    public int bytes() {
        return isWide() ? Short.BYTES : 1;
    }

    /**
     * {@return the code at a place among containers}
     *
     * @param containers the bytes, {@link #bytes} for each code
     * @param index the code's number
     */
    public int decode(byte[] containers, int index) {
        if (!isWide()) {
            return decode(containers[index]);
        }
        int code = (containers[2 * index] & 0xff) | (containers[2 * index + 1] & 0xff) << Byte.SIZE;
        return signed() ? (short) code : code;
    }

    /**
     * Writes a code to its place among containers.
     *
     * @param code a code of the range
     * @param containers the bytes, {@link #bytes} for each code; changed
     * @param index the code's number
     */
    public void encode(int code, byte[] containers, int index) {
        if (isWide()) {
            containers[2 * index] = (byte) code;
            containers[2 * index + 1] = (byte) (code >> Byte.SIZE);
        } else {
            containers[index] = (byte) code;
        }
    }

    /**
     * {@return the code that a container byte holds}
     *
     * @param container the byte, read as int8 if the range is signed and as uint8 otherwise; of a
     *     range that is not wide
     */
    public int decode(byte container) {
        return signed() ? container : container & 0xff;
    }
}
