// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.layer.rounding.ScaleGuard;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Makes the integers of a layer: weight codes, scales and bias, with its batch normalization folded
 * in.
 */
final class IntegerFold {

    /* A channel's value is s_x s_w sum(q_x q_w) + b, and after the normalization factor * value +
     * shift. So its scale becomes s_w |factor|, the sign of the factor goes into the codes (their
     * range is narrow, so that each has a negative), and the rest is bias, in units of s_x s_w
     * |factor|.
     *
     * A factor near 0 makes that unit so small that the bias does not fit. Such a channel gets a
     * larger unit, and its codes are rounded again in it; at 0 they all become 0, as they should. */

    /**
     * What is left of int32 for the rounding of a scale to float32, which may make a bias larger by
     * one part in 2^23.
     */
    private static final int SPARE = 1 << 10;

    /** The room of a bias whose products leave none: such a layer is refused when it is lowered. */
    private static final double LEAST_ROOM = 1 << 23;

    /** The room of a bias of int64 sums, which float64 must hold with the products. */
    private static final double WIDE_ROOM = WeightTensor.MAX_SUM / 4d;

    private final Shape shape;
    private final CodeRange range;
    private final int[] codes;
    private final float[] scales;
    private final float @Nullable [] bias;
    private final @Nullable ChannelLine line;

    /**
     * Takes what is to be folded.
     *
     * @param shape [out, in / groups, kernel height, kernel width] or [out, in]
     * @param range the weights' codes
     * @param codes the weights' codes, row-major
     * @param scales the trained scales, one per output channel or one for all
     * @param bias the float bias, one per output channel; null without one
     * @param line the normalization's affine map of each channel; null without one
     */
    IntegerFold(
            Shape shape,
            CodeRange range,
            int[] codes,
            float[] scales,
            float @Nullable [] bias,
            @Nullable ChannelLine line) {
        this.shape = shape;
        this.range = range;
        this.codes = codes;
        this.scales = scales;
        this.bias = bias;
        this.line = line;
    }

    /**
     * {@return the integers}
     *
     * @param input how the codes of the layer's input stand for values
     */
    WeightTensor fold(QuantParams input) {
        float inputScale = input.scale();
        int channels = shape.size(0);
        int[] rounded = new int[codes.length];
        float[] folded = new float[channels];
        long[] biasCodes = new long[channels];
        for (int channel = 0; channel < channels; channel++) {
            double factor = line == null ? 1 : line.factor(channel);
            double rest =
                    (bias == null ? 0 : bias[channel]) * factor
                            + (line == null ? 0 : line.shift(channel));
            float trained = scales[scales.length == 1 ? 0 : channel];
            double room = roomForBias(channel, input);
            folded[channel] = usableScale(trained, factor, rest, inputScale * room);
            biasCodes[channel] = (long) Math.rint(rest / (inputScale * folded[channel]));
            double ratio = Math.copySign(trained * Math.abs(factor) / folded[channel], factor);
            codeChannel(rounded, channel, scaleKept(ratio) ? Math.signum(ratio) : ratio);
        }
        return WeightTensor.ofCodes(shape, range, rounded, folded, biasCodes);
    }

    /* What int32 holds beside the products. A larger unit only makes them smaller. */
    private double roomForBias(int channel, QuantParams input) {
        if (range.isWide() || input.range().isWide()) {
            return WIDE_ROOM;
        }
        int length = codes.length / shape.size(0);
        long sum = 0;
        for (int i = channel * length; i < (channel + 1) * length; i++) {
            sum += Math.abs(codes[i]);
        }
        int reach =
                Math.max(
                        input.range().max() - input.zeroPoint(),
                        input.zeroPoint() - input.range().min());
        return Math.max(LEAST_ROOM, (double) Integer.MAX_VALUE - SPARE - sum * reach);
    }

    /* The least scale is that at which the bias fits its room. */
    private static float usableScale(float trained, double factor, double rest, double room) {
        float scale = (float) (trained * Math.abs(factor));
        float least = (float) (Math.abs(rest) / room);
        return Math.max(Math.max(scale, least), ScaleGuard.LEAST * ScaleGuard.LEAST);
    }

    /* The scale differs from trained * |factor| by its rounding to float32 only. */
    private static boolean scaleKept(double ratio) {
        return Math.abs(Math.abs(ratio) - 1) < 1e-6;
    }

    private void codeChannel(int[] rounded, int channel, double ratio) {
        int length = codes.length / shape.size(0);
        for (int i = channel * length; i < (channel + 1) * length; i++) {
            rounded[i] = (int) Math.rint(codes[i] * ratio);
        }
    }
}
