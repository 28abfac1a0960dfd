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
     * Accumulators may be larger than 2^22 and must not be clamped. Adding and subtracting 1.5 *
     * 2^35 rounds them to a multiple of 4096; what is left is exact and at most 2^11, so it can be
     * rounded as above, and the sum of both is exact again. Math.rint would be simpler, but works in
     * float64, and the conversions made the loop several times slower.
     *
     * Masks. The gradient passes where lowest < v < highest, and a comparison would keep the loop
     * from being vectorized. With c, the clamped v, the product (c - lowest) * (highest - c) is 0
     * outside and above 0 inside: different float32 numbers never have the difference 0, and the
     * product does not underflow, because a factor below 2^-24 occurs only beside a bound that is
     * 0, where the other factor is at least 1. Multiplied by 2^200, even the smallest product,
     * 2^-149, is above 1; so the smaller of that and 1 is the mask.
     *
     * Loops. Each writes to one array only: the compiler does not vectorize a loop that writes to
     * two, because they could overlap. Nor does it vectorize a long one, which is why there are
     * several short ones.
     */

    private static final float HALF_EVEN = 0x1.8p23f;

    private static final float TO_4096 = 0x1.8p35f;

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
     * Clamps values to the range of codes, in units of one code, and finds where they are inside.
     *
     * @param values the values; become clamped numbers of codes
     * @param scales units per code, one for each value
     * @param masks take 1 where the value is strictly inside the range, else 0
     * @param count how many values
     * @param lowest the smallest code less the zero point
     * @param highest the largest code less the zero point
     */
    static void clamp(
            float[] values, float[] scales, float[] masks, int count, float lowest, float highest) {
        for (int i = 0; i < count; i++) {
            values[i] = Math.min(Math.max(values[i] / scales[i], lowest), highest);
        }
        for (int i = 0; i < count; i++) {
            float clamped = values[i];
            masks[i] = Math.min((clamped - lowest) * (highest - clamped) * LARGE * LARGE, 1f);
        }
    }

    /**
     * Makes gradients longer that move a value across its rounded value, and others shorter.
     *
     * @param masks from {@link #clamp}; multiplied by {@code 1 + delta * sign(upstream) * (clamped
     *     - rint(clamped))}
     * @param clamped from {@link #clamp}
     * @param upstream the upstream gradients
     * @param count how many values
     * @param delta how strongly, per code
     */
    static void scaleElements(
            float[] masks, float[] clamped, float[] upstream, int count, float delta) {
        for (int i = 0; i < count; i++) {
            float code = (clamped[i] + HALF_EVEN) - HALF_EVEN;
            masks[i] *= 1 + Math.copySign(delta, upstream[i]) * (clamped[i] - code);
        }
    }

    /**
     * Finds each value's part of the scale's gradient.
     *
     * @param clamped from {@link #clamp}; become upstream gradient times derivative by the scale
     * @param masks from {@link #clamp}, perhaps scaled: the value's own derivative
     * @param upstream the upstream gradients
     * @param count how many values
     */
    static void scaleGradients(float[] clamped, float[] masks, float[] upstream, int count) {
        for (int i = 0; i < count; i++) {
            float code = (clamped[i] + HALF_EVEN) - HALF_EVEN;
            clamped[i] = (code - clamped[i] * masks[i]) * upstream[i];
        }
    }

    /**
     * Keeps the gradients of clipped values.
     *
     * @param gradients the gradients; 0 where the mask is 1
     * @param masks from {@link #clamp}
     * @param count how many values
     */
    static void keepMasked(float[] gradients, float[] masks, int count) {
        for (int i = 0; i < count; i++) {
            gradients[i] *= 1 - masks[i];
        }
    }

    /**
     * Multiplies two chunks.
     *
     * @param numbers the numbers; become products
     * @param factors one for each number
     * @param count how many numbers
     */
    static void multiply(float[] numbers, float[] factors, int count) {
        for (int i = 0; i < count; i++) {
            numbers[i] *= factors[i];
        }
    }

    /**
     * Rounds accumulators to integers, ties to even, and multiplies them.
     *
     * @param accumulators float32 numbers of magnitude up to 2^34, so of any int32; become products
     * @param multipliers one for each accumulator
     * @param count how many accumulators
     */
    static void multiplyRounded(float[] accumulators, float[] multipliers, int count) {
        for (int i = 0; i < count; i++) {
            float number = accumulators[i];
            float coarse = (number + TO_4096) - TO_4096;
            float rounded = coarse + (((number - coarse) + HALF_EVEN) - HALF_EVEN);
            accumulators[i] = rounded * multipliers[i];
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
     * @param codes codes less the zero point, integers within the table, or NaN, which stays;
     *     become values
     * @param count how many codes
     * @param lowest the code of the table's first value
     * @param table one value for each code
     */
    static void lookUp(float[] codes, int count, int lowest, float[] table) {
        for (int i = 0; i < count; i++) {
            float code = codes[i];
            codes[i] = Float.isNaN(code) ? code : table[(int) code - lowest];
        }
    }
}
