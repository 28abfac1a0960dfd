// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/**
 * The codes that a tensor may hold, both ends included.
 *
 * <p>A range with a negative end is signed and lives in int8 containers, any other is unsigned and
 * lives in uint8 containers.
 *
 * @param min the smallest code, in [-128, 255]
 * @param max the largest code, above {@code min}; at most 127 if {@code min} is negative, else 255
 */
public record CodeRange(int min, int max) {

    /** The widest range in the integer contract: 8 bits. */
    public static final int MAX_BITS = 8;

    /** Checks that the range fits one byte. */
    public CodeRange {
        Require.argument(
                min < max, "code range [%d, %d] is empty: min must be below max", min, max);
        Require.argument(
                min < 0 ? min >= -128 && max <= 127 : max <= 255,
                "code range [%d, %d] does not fit one byte: use [-128, 127] or [0, 255] at most",
                min,
                max);
    }

    /**
     * {@return all unsigned codes of a width, {@code [0, 2^bits - 1]}}
     *
     * @param bits the width, 1 to 8
     */
    public static CodeRange unsigned(int bits) {
        requireBits(bits, 1);
        return new CodeRange(0, (1 << bits) - 1);
    }

    /**
     * {@return all signed codes of a width, {@code [-2^(bits-1), 2^(bits-1) - 1]}}
     *
     * @param bits the width, 2 to 8
     */
    public static CodeRange signed(int bits) {
        requireBits(bits, 2);
        return new CodeRange(-(1 << (bits - 1)), (1 << (bits - 1)) - 1);
    }

    /**
     * {@return the signed codes of a width without the lowest, {@code [-(2^(bits-1) - 1),
     * 2^(bits-1) - 1]}: the range of weights, which must be able to change sign}
     *
     * @param bits the width, 2 to 8
     */
    public static CodeRange narrow(int bits) {
        CodeRange full = signed(bits);
        return new CodeRange(-full.max, full.max);
    }

    private static void requireBits(int bits, int least) {
        Require.argument(
                bits >= least && bits <= MAX_BITS,
                "%d bits are outside [%d, %d]",
                bits,
                least,
                MAX_BITS);
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

    /**
     * {@return the code that a container byte holds}
     *
     * @param container the byte, read as int8 if the range is signed and as uint8 otherwise
     */
    public int decode(byte container) {
        return signed() ? container : container & 0xff;
    }
}
