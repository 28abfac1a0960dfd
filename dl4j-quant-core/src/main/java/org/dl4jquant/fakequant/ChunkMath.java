// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

/**
 * The arithmetic of one chunk: loops over Java arrays without branches or calls that the JIT
 * compiler cannot turn into vector instructions.
 */
final class ChunkMath {

    /*
     * Rounding. Adding and subtracting 1.5 * 2^23 rounds a float32 of magnitude up to 2^22 to the
     * nearest integer, ties to even, because around 1.5 * 2^23 neighbouring float32 numbers are 1
     * apart. Codes less their zero point lie within [-255, 255], so we clamp before we round. That
     * is the same as rounding first: rint never changes the order of two numbers and leaves the
     * bounds, which are integers, as they are. A result of 0 is always +0, as it is when an
     * integer code is converted.
     *
     * Masks. The gradient passes where lowest < v < highest, and a comparison would keep the loop
     * from being vectorized. The smaller of v - lowest and highest - v is above 0 exactly there
     * (float32 subtraction underflows gradually: different numbers never have the difference 0).
     * Multiplied by 2^200, even the smallest float32 number, 2^-149, is above 1; so clamping the
     * product to [0, 1] gives the mask.
     */

    private static final float HALF_EVEN = 0x1.8p23f;

    /** Any float32 of this magnitude or above is an integer. */
    private static final float ALL_INTEGERS = 0x1p23f;

    private static final float LARGE = 0x1p100f;

    private ChunkMath() {}

    /**
     * Rounds values to codes less the zero point.
     *
     * @param values the values; become codes
     * @param scales units per code, one for each value
     * @param count how many values
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void quantize(float[] values, float[] scales, int count, float lowest, float highest) {
        for (int i = 0; i < count; i++) {
            float clamped = Math.min(Math.max(values[i] / scales[i], lowest), highest);
            values[i] = (clamped + HALF_EVEN) - HALF_EVEN;
        }
    }

    /**
     * Rounds values to the nearest values that have a code.
     *
     * @param values the values; rounded
     * @param scales units per code, one for each value
     * @param count how many values
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void round(float[] values, float[] scales, int count, float lowest, float highest) {
        for (int i = 0; i < count; i++) {
            float scale = scales[i];
            float clamped = Math.min(Math.max(values[i] / scale, lowest), highest);
            values[i] = ((clamped + HALF_EVEN) - HALF_EVEN) * scale;
        }
    }

    /**
     * Passes gradients where the value is inside the range, and finds each value's part of the
     * scale's gradient.
     *
     * @param values the values; become upstream gradient times derivative with respect to the scale
     * @param upstream the upstream gradients; become 0 where the value is clipped
     * @param scales units per code, one for each value
     * @param count how many values
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void gradients(
            float[] values,
            float[] upstream,
            float[] scales,
            int count,
            float lowest,
            float highest) {
        for (int i = 0; i < count; i++) {
            float value = values[i] / scales[i];
            float clamped = Math.min(Math.max(value, lowest), highest);
            float code = (clamped + HALF_EVEN) - HALF_EVEN;
            float inside = Math.min(value - lowest, highest - value) * LARGE * LARGE;
            float mask = Math.min(Math.max(inside, 0f), 1f);
            float gradient = upstream[i];
            upstream[i] = gradient * mask;
            values[i] = gradient * (code - clamped * mask);
        }
    }

    /**
     * Passes gradients where the value is inside the range.
     *
     * @param values the values
     * @param upstream the upstream gradients; become 0 where the value is clipped
     * @param scales units per code, one for each value
     * @param count how many values
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void mask(
            float[] values,
            float[] upstream,
            float[] scales,
            int count,
            float lowest,
            float highest) {
        for (int i = 0; i < count; i++) {
            float value = values[i] / scales[i];
            float inside = Math.min(value - lowest, highest - value) * LARGE * LARGE;
            upstream[i] *= Math.min(Math.max(inside, 0f), 1f);
        }
    }

    /**
     * Rounds accumulators to integers and multiplies them.
     *
     * @param accumulators float32 numbers near integers; become products
     * @param multipliers one for each accumulator
     * @param count how many accumulators
     */
    static void multiply(float[] accumulators, float[] multipliers, int count) {
        for (int i = 0; i < count; i++) {
            accumulators[i] = rint(accumulators[i]) * multipliers[i];
        }
    }

    /**
     * Divides values by their scales.
     *
     * @param values the values; become quotients
     * @param scales one for each value
     * @param count how many values
     */
    static void divide(float[] values, float[] scales, int count) {
        for (int i = 0; i < count; i++) {
            values[i] /= scales[i];
        }
    }

    /**
     * Rounds numbers to codes less the zero point.
     *
     * @param numbers real numbers in units of one code, the zero point's being 0; become codes
     * @param count how many numbers
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void clampedRint(float[] numbers, int count, float lowest, float highest) {
        for (int i = 0; i < count; i++) {
            float clamped = Math.min(Math.max(numbers[i], lowest), highest);
            numbers[i] = (clamped + HALF_EVEN) - HALF_EVEN;
        }
    }

    /**
     * Multiplies numbers by a factor.
     *
     * @param numbers the numbers; become products
     * @param count how many numbers
     * @param factor the factor
     */
    static void scale(float[] numbers, int count, float factor) {
        for (int i = 0; i < count; i++) {
            numbers[i] *= factor;
        }
    }

    /**
     * Replaces codes by the values that a table holds for them.
     *
     * @param codes codes less the zero point, integers within the table; become values
     * @param count how many codes
     * @param lowest the code of the table's first value
     * @param table one value for each code
     */
    static void lookUp(float[] codes, int count, int lowest, float[] table) {
        for (int i = 0; i < count; i++) {
            codes[i] = table[(int) codes[i] - lowest];
        }
    }

    /**
     * {@return the nearest integer, ties to even, of any float32 number}
     *
     * <p>Positive and negative parts are rounded apart, each by adding and subtracting 2^23; what
     * lies beyond is an integer already and is added again, which is exact.
     */
    private static float rint(float number) {
        float near = Math.min(Math.max(number, -ALL_INTEGERS), ALL_INTEGERS);
        float positive = (Math.max(near, 0f) + ALL_INTEGERS) - ALL_INTEGERS;
        float negative = (Math.min(near, 0f) - ALL_INTEGERS) + ALL_INTEGERS;
        return (positive + negative) + (number - near);
    }
}
