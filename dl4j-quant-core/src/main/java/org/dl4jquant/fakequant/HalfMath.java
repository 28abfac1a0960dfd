// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

/** Rounds float32 to the numbers that IEEE 754 binary16 has, ties to even. */
final class HalfMath {

    /** From here on, rounding gives infinity: halfway between 65504 and the next step, 65536. */
    private static final float OVERFLOW = 65520f;

    /** The smallest normal half; below it, halves are 2^-24 apart. */
    private static final float MIN_NORMAL = 0x1p-14f;

    /** Float32 numbers around it are 2^-24 apart, so that adding it rounds to a subnormal half. */
    private static final float SUBNORMAL_ROUNDER = 0.75f;

    /** A half has 13 mantissa bits less than a float32. */
    private static final int DROPPED_BITS = 13;

    private static final int DROPPED_UNIT = 1 << DROPPED_BITS;

    private static final int HALF_LESS_ONE = DROPPED_UNIT / 2 - 1;

    private HalfMath() {}

    /**
     * Rounds numbers.
     *
     * @param numbers the numbers; rounded
     * @param count how many
     */
    static void round(float[] numbers, int count) {
        for (int i = 0; i < count; i++) {
            numbers[i] = round(numbers[i]);
        }
    }

    private static float round(float number) {
        float magnitude = Math.abs(number);
        if (magnitude < MIN_NORMAL) {
            return Math.copySign((magnitude + SUBNORMAL_ROUNDER) - SUBNORMAL_ROUNDER, number);
        }
        if (magnitude < OVERFLOW) {
            int bits = Float.floatToRawIntBits(number);
            int lastKept = (bits >>> DROPPED_BITS) & 1;
            return Float.intBitsToFloat((bits + HALF_LESS_ONE + lastKept) & -DROPPED_UNIT);
        }
        return number * Float.POSITIVE_INFINITY;
    }
}
