// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/**
 * The code of the mean of codes, as ONNX Runtime's QLinear pools compute it on x86-64.
 *
 * <p>A whole image is summed in integers; a window is summed in float32, its values dequantized one
 * by one, row by row. A window that covers its whole image without padding counts as an image.
 */
public final class CodeMean {

    /** The least multiplier of an image's sum, included. */
    public static final float MIN_MULTIPLIER = 0x1p-32f;

    /** The greatest multiplier of an image's sum, excluded. */
    public static final float MAX_MULTIPLIER = 256f;

    /** So many codes of 8 bits have a sum in int32. */
    private static final int MAX_SIZE = 1 << 23;

    private CodeMean() {}

    /**
     * {@return whether an image has a mean in integers: whether {@link #multiplier} accepts it}
     *
     * @param input how the image's codes stand for values
     * @param result how the result's codes stand for values
     * @param size how many elements the image has
     */
    public static boolean canAverageImage(QuantParams input, QuantParams result, int size) {
        return size > 0 && size < MAX_SIZE && inRange(input.scale() / (result.scale() * size));
    }

    /**
     * {@return whether windows have means in integers: whether {@link #windowRatio} accepts them}
     *
     * @param input how the image's codes stand for values
     * @param result how the result's codes stand for values
     */
    public static boolean canAverageWindows(QuantParams input, QuantParams result) {
        return input.scale() / result.scale() <= CodeSum.MAX_RATIO;
    }

    private static boolean inRange(float multiplier) {
        return multiplier >= MIN_MULTIPLIER && multiplier < MAX_MULTIPLIER;
    }

    /**
     * {@return codes of the result per unit of an image's sum, {@code scale / (resultScale * size)}
     * in float32}
     *
     * @param input how the image's codes stand for values
     * @param result how the result's codes stand for values
     * @param size how many elements the image has
     * @throws IllegalArgumentException if the multiplier is outside [2^-32, 256), or there are 2^23
     *     elements or more
     */
    public static float multiplier(QuantParams input, QuantParams result, int size) {
        Require.argument(
                size > 0 && size < MAX_SIZE,
                "a mean over %d elements; 1 to 2^23 - 1 are allowed",
                size);
        float multiplier = input.scale() / (result.scale() * size);
        Require.argument(
                inRange(multiplier),
                "a mean over %d elements of scale %s with result scale %s has the multiplier %s,"
                        + " outside [2^-32, 256); choose a result scale nearer to the input's",
                size,
                input.scale(),
                result.scale(),
                multiplier);
        return multiplier;
    }

    /**
     * {@return the code of an image's mean, {@code clamp(rint(sum * multiplier) + zeroPoint)}}
     *
     * @param sum the exact sum of {@code code - zeroPoint}
     * @param multiplier from {@link #multiplier}
     * @param result how the result's codes stand for values
     */
    public static int ofImage(int sum, float multiplier, QuantParams result) {
        return Rounding.requantize(sum, multiplier, result.zeroPoint(), result.range());
    }

    /**
     * {@return the code of a window's mean, {@code clamp(rint((sum / count) / scale + zeroPoint))}
     * in float32, where the zero point is that of the uint8 container (128 more if the range is
     * signed) and is added before the rounding}
     *
     * @param sum the float32 sum of the window's dequantized values, row by row
     * @param count how many values are averaged
     * @param result how the result's codes stand for values
     */
    public static int ofWindow(float sum, int count, QuantParams result) {
        int offset = result.range().signed() ? 128 : 0;
        float code = sum / count / result.scale() + (result.zeroPoint() + offset);
        return result.range().clamp((int) Math.rint(code) - offset);
    }

    /**
     * {@return the input's scale in units of the result's, of which a window's mean is a multiple}
     *
     * @param input how the image's codes stand for values
     * @param result how the result's codes stand for values
     * @throws IllegalArgumentException if it is above {@link CodeSum#MAX_RATIO}: the mean could
     *     leave int32, where it would wrap around
     */
    public static float windowRatio(QuantParams input, QuantParams result) {
        float ratio = input.scale() / result.scale();
        Require.argument(
                canAverageWindows(input, result),
                "a scale of %s is %s times the result's %s; at most %s times can be averaged, give"
                        + " the result a larger scale",
                input.scale(),
                ratio,
                result.scale(),
                CodeSum.MAX_RATIO);
        return ratio;
    }
}
