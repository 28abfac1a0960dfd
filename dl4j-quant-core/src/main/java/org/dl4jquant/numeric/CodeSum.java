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

    private final float leftRatio;
    private final float rightRatio;
    private final float fixed;
    private final int leftOffset;
    private final int rightOffset;
    private final int resultOffset;
    private final CodeRange bounds;

    private CodeSum(QuantParams left, QuantParams right, QuantParams result, CodeRange bounds) {
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

    private static int offset(QuantParams params) {
        return params.range().signed() ? INT8_OFFSET : 0;
    }

    private static void requireRatio(QuantParams input, QuantParams result) {
        Require.argument(
                input.scale() / result.scale() <= MAX_RATIO,
                "a scale of %s is %s times the result's %s; at most %s times can be added, give the"
                        + " result a larger scale",
                input.scale(),
                input.scale() / result.scale(),
                result.scale(),
                MAX_RATIO);
    }
}
