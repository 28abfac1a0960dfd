// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import org.dl4jquant.check.Require;

/**
 * The integer weights of a convolution or dense node with their scales and bias.
 *
 * <p>Weights have zero point 0. The bias is int32 at scale {@code inputScale * scale(channel)}.
 */
public final class WeightTensor {

    private final Shape shape;
    private final CodeRange range;
    private final byte[] codes;
    private final float[] scales;
    private final int[] bias;

    private WeightTensor(Shape shape, CodeRange range, byte[] codes, float[] scales, int[] bias) {
        this.shape = shape;
        this.range = range;
        this.codes = codes;
        this.scales = scales;
        this.bias = bias;
    }

    /**
     * Returns weights that hold exactly these codes.
     *
     * @param shape [out, in / groups, kernel height, kernel width] or [out, in]
     * @param range the codes allowed: signed, narrow
     * @param codes int8 codes in row-major order of {@code shape}; copied
     * @param scales one scale per output channel, finite and above 0; copied
     * @param bias one int32 code per output channel; copied
     * @return the weights
     * @throws IllegalArgumentException if lengths do not fit the shape, or a code or scale is out
     *     of range
     */
    public static WeightTensor of(
            Shape shape, CodeRange range, byte[] codes, float[] scales, int[] bias) {
        int channels = shape.size(0);
        Require.argument(
                range.signed() && range.min() >= -127,
                "weight codes [%d, %d]: the range must be signed and narrow, within [-127, 127]",
                range.min(),
                range.max());
        Require.argument(
                codes.length == shape.elements(),
                "%d weight codes for shape %s, which has %d elements",
                codes.length,
                shape,
                shape.elements());
        Require.argument(
                scales.length == channels && bias.length == channels,
                "%d scales and %d biases for %d output channels",
                scales.length,
                bias.length,
                channels);
        for (int i = 0; i < codes.length; i++) {
            Require.argument(
                    range.contains(codes[i]),
                    "weight code %d at %d is outside [%d, %d]",
                    codes[i],
                    i,
                    range.min(),
                    range.max());
        }
        for (int channel = 0; channel < channels; channel++) {
            Require.argument(
                    scales[channel] > 0 && Float.isFinite(scales[channel]),
                    "the weight scale of channel %d is %s; it must be finite and above 0",
                    channel,
                    scales[channel]);
        }
        return new WeightTensor(shape, range, codes.clone(), scales.clone(), bias.clone());
    }

    /** {@return [out, in / groups, kernel height, kernel width] or [out, in]} */
    public Shape shape() {
        return shape;
    }

    /** {@return the codes allowed} */
    public CodeRange range() {
        return range;
    }

    /** {@return how many output channels there are} */
    public int channels() {
        return shape.size(0);
    }

    /** {@return how many weights one output channel has} */
    public int weightsPerChannel() {
        return codes.length / channels();
    }

    /** {@return a copy of the codes, row-major} */
    public byte[] codes() {
        return codes.clone();
    }

    /**
     * {@return the code at a row-major index}
     *
     * @param index from 0
     */
    public int code(int index) {
        return codes[index];
    }

    /** {@return a copy of the scales, one per output channel} */
    public float[] scales() {
        return scales.clone();
    }

    /**
     * {@return units per code of one output channel}
     *
     * @param channel from 0
     */
    public float scale(int channel) {
        return scales[channel];
    }

    /** {@return a copy of the int32 biases, one per output channel} */
    public int[] bias() {
        return bias.clone();
    }

    /**
     * {@return the int32 bias of one output channel}
     *
     * @param channel from 0
     */
    public int bias(int channel) {
        return bias[channel];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WeightTensor that
                && shape.equals(that.shape)
                && range.equals(that.range)
                && Arrays.equals(codes, that.codes)
                && Arrays.equals(scales, that.scales)
                && Arrays.equals(bias, that.bias);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(codes) + Arrays.hashCode(bias) + shape.hashCode();
    }

    @Override
    public String toString() {
        return "WeightTensor" + shape + " of codes " + range.min() + ".." + range.max();
    }
}
