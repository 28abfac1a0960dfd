// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

/**
 * The three roundings of the integer contract. Each rounds to nearest, ties to even, and only then
 * clamps.
 *
 * <p>Arguments are trusted: scales are finite and above 0, values finite. A NaN would become the
 * code 0 without notice, so whoever accepts values from outside checks them first.
 */
public final class Rounding {

    private Rounding() {}

    /**
     * Rounds a value to its code: {@code clamp(rint(value / scale) + zeroPoint)}, with a float32
     * division, as ONNX QuantizeLinear has it.
     *
     * @param value the real number, in any unit
     * @param scale units per code, above 0
     * @param zeroPoint the code of the value 0
     * @param range the codes allowed
     * @return the code
     */
    public static int quantize(float value, float scale, int zeroPoint, CodeRange range) {
        return clampedSum(value / scale, zeroPoint, range);
    }

    /**
     * Rounds an accumulator to the codes of the result: {@code clamp(rint((float) accumulator *
     * multiplier) + zeroPoint)}, one float32 multiplication.
     *
     * @param accumulator the int32 sum of products with its bias
     * @param multiplier codes of the result per unit of the accumulator, from {@link #multiplier}
     * @param zeroPoint the result's code of the value 0
     * @param bounds the codes allowed; an activation like ReLU is only a narrower range
     * @return the code
     */
    public static int requantize(
            int accumulator, float multiplier, int zeroPoint, CodeRange bounds) {
        return clampedSum(accumulator * multiplier, zeroPoint, bounds);
    }

    /**
     * {@return {@code (inputScale * weightScale) / outputScale} in float32, in this order}
     *
     * @param inputScale units per code of the input
     * @param weightScale units per code of the weights of one output channel
     * @param outputScale units per code of the result
     */
    public static float multiplier(float inputScale, float weightScale, float outputScale) {
        return (inputScale * weightScale) / outputScale;
    }

    /**
     * {@return the value of a code, {@code (code - zeroPoint) * scale} in float32}
     *
     * @param code the code
     * @param scale units per code
     * @param zeroPoint the code of the value 0
     */
    public static float dequantize(int code, float scale, int zeroPoint) {
        return (code - zeroPoint) * scale;
    }

    private static int clampedSum(float codes, int zeroPoint, CodeRange range) {
        double rounded = Math.rint(codes) + zeroPoint;
        return (int) Math.min(Math.max(rounded, range.min()), range.max());
    }
}
