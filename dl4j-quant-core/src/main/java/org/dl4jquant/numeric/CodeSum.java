// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/**
 * The code of the sum of two codes, as ONNX Runtime's QLinearAdd computes it on x86-64.
 *
 * <p>With codes and zero points moved to uint8 containers (128 more if the range is signed), and
 * with {@code l} and {@code r} the ratios of the left and right scale to the result's, the code is
 *
 * <pre>clamp(rint(fma(left, l, fma(right, r, z - fma(l, zLeft, r * zRight)))))</pre>
 *
 * in float32. The zero point enters before the rounding, and the order matters in about one of a
 * million pairs of codes; the test suite compares all 65,536 pairs of many ratios with ONNX
 * Runtime.
 */
public final class CodeSum {

    /** Above this ratio of scales, the sum could leave int32, where it would wrap around. */
    public static final float MAX_RATIO = 0x1p20f;

    private static final int INT8_OFFSET = 128;

    /**
     * Added and subtracted, it rounds a float32 of magnitude up to 2^22 to the nearest integer,
     * ties to even, because around it neighbouring float32 numbers are 1 apart.
     */
    private static final float HALF_EVEN = 0x1.8p23f;

    private final QuantParams left;
    private final QuantParams right;
    private final QuantParams result;
    private final float leftRatio;
    private final float rightRatio;
    private final float fixed;
    private final int leftOffset;
    private final int rightOffset;
    private final int resultOffset;
    private final CodeRange bounds;

    private CodeSum(QuantParams left, QuantParams right, QuantParams result, CodeRange bounds) {
        this.left = left;
        this.right = right;
        this.result = result;
        this.leftRatio = left.scale() / result.scale();
        this.rightRatio = right.scale() / result.scale();
        this.leftOffset = offset(left);
        this.rightOffset = offset(right);
        this.resultOffset = offset(result);
        this.fixed =
                (result.zeroPoint() + resultOffset)
                        - Math.fma(
                                leftRatio,
                                left.zeroPoint() + leftOffset,
                                rightRatio * (right.zeroPoint() + rightOffset));
        this.bounds = bounds;
    }

    /**
     * Returns the addition of two tensors.
     *
     * @param left how the left codes stand for values
     * @param right how the right codes stand for values
     * @param result how the result's codes stand for values
     * @param bounds the clamp of the result's codes
     * @return the addition
     * @throws IllegalArgumentException if an input's scale is more than {@link #MAX_RATIO} times
     *     the result's
     */
    public static CodeSum of(
            QuantParams left, QuantParams right, QuantParams result, CodeRange bounds) {
        requireRatio(left, result);
        requireRatio(right, result);
        return new CodeSum(left, right, result, bounds);
    }

    /**
     * {@return whether {@link #of} accepts a tensor as an input of the addition}
     *
     * @param input how its codes stand for values
     * @param result how the result's codes stand for values
     */
    public static boolean canAdd(QuantParams input, QuantParams result) {
        return input.scale() / result.scale() <= MAX_RATIO;
    }

    /**
     * {@return the code of the sum}
     *
     * @param left a code of the left tensor
     * @param right a code of the right tensor
     */
    public int code(int left, int right) {
        float rightPart = Math.fma((float) (right + rightOffset), rightRatio, fixed);
        float sum = Math.fma((float) (left + leftOffset), leftRatio, rightPart);
        return bounds.clamp((int) Math.rint(sum) - resultOffset);
    }

    /**
     * Adds tensors that are given as the values of their codes, {@code (code - zeroPoint) * scale}
     * in float32, with exactly the arithmetic of {@link #code}.
     *
     * @param leftValues values of left codes; such a value divided by its scale lies so near to an
     *     integer that the code is found exactly
     * @param rightValues values of right codes, as many
     * @param sums takes the values of the sums' codes, as many; may be one of the others
     * @throws IllegalArgumentException if the lengths differ
     */
    public void addValues(float[] leftValues, float[] rightValues, float[] sums) {
        Require.argument(
                leftValues.length == rightValues.length && leftValues.length == sums.length,
                "%d and %d values for %d sums; the numbers must be equal",
                leftValues.length,
                rightValues.length,
                sums.length);
        float leftScale = left.scale();
        float rightScale = right.scale();
        float leftZero = left.zeroPoint() + leftOffset;
        float rightZero = right.zeroPoint() + rightOffset;
        float lowest = bounds.min() + resultOffset;
        float highest = bounds.max() + resultOffset;
        float zero = result.zeroPoint() + resultOffset;
        float scale = result.scale();
        for (int i = 0; i < sums.length; i++) {
            float leftCode = nearest(leftValues[i] / leftScale) + leftZero;
            float rightCode = nearest(rightValues[i] / rightScale) + rightZero;
            float sum = Math.fma(leftCode, leftRatio, Math.fma(rightCode, rightRatio, fixed));
            // Clamped first: rounding leaves the bounds, which are integers, as they are.
            float code = nearest(Math.min(Math.max(sum, lowest), highest));
            sums[i] = (code - zero) * scale;
        }
    }

    /** {@return the left scale divided by the result's, {@code l} in the formula above} */
    public float leftRatio() {
        return leftRatio;
    }

    /** {@return the right scale divided by the result's, {@code r} in the formula above} */
    public float rightRatio() {
        return rightRatio;
    }

    /**
     * {@return the term that is the same for all codes, {@code z - fma(l, zLeft, r * zRight)} in
     * the formula above, with zero points in uint8 containers}
     */
    public float fixedPart() {
        return fixed;
    }

    private static float nearest(float number) {
        return (number + HALF_EVEN) - HALF_EVEN;
    }

    private static int offset(QuantParams params) {
        return params.range().signed() ? INT8_OFFSET : 0;
    }

    private static void requireRatio(QuantParams input, QuantParams result) {
        Require.argument(
                canAdd(input, result),
                "a scale of %s is %s times the result's %s; at most %s times can be added, give the"
                        + " result a larger scale",
                input.scale(),
                input.scale() / result.scale(),
                result.scale(),
                MAX_RATIO);
    }
}
