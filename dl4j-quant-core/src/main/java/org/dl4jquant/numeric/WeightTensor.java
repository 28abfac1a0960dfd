// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import org.dl4jquant.check.Require;

/**
 * The integer weights of a convolution or dense node with their scales and bias.
 *
 * <p>Weights have zero point 0. The bias is an integer at scale {@code inputScale *
 * scale(channel)}: int32, but for wide weights or a wide input, whose sums are int64.
 */
public final class WeightTensor {

    /** The largest magnitude of a sum of products with its bias: float64 holds all up to it. */
    public static final long MAX_SUM = 1L << 52;

    private final Shape shape;
    private final CodeRange range;
    private final byte[] codes; // see CodeRange
    private final float[] scales;
    private final long[] bias;

    private WeightTensor(Shape shape, CodeRange range, byte[] codes, float[] scales, long[] bias) {
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
        return ofContainers(
                shape,
                range,
                Require.given(codes, "codes").clone(),
                scales,
                Arrays.stream(bias).asLongStream().toArray());
    }

    /**
     * Returns weights of codes of any width, and of any bias below 2^52.
     *
     * @param shape [out, in / groups, kernel height, kernel width] or [out, in]
     * @param range the codes allowed: signed, narrow
     * @param codes the codes in row-major order of {@code shape}
     * @param scales one scale per output channel, finite and above 0; copied
     * @param bias one code per output channel; copied
     * @return the weights
     * @throws IllegalArgumentException if lengths do not fit the shape, or a code or scale is out
     *     of range
     */
    public static WeightTensor ofCodes(
            Shape shape, CodeRange range, int[] codes, float[] scales, long[] bias) {
        byte[] containers = new byte[codes.length * range.bytes()];
        for (int i = 0; i < codes.length; i++) {
            requireInside(codes[i], i, range);
            range.encode(codes[i], containers, i);
        }
        return ofContainers(shape, range, containers, scales, bias.clone());
    }

    private static WeightTensor ofContainers(
            Shape shape, CodeRange range, byte[] codes, float[] scales, long[] bias) {
        int channels = shape.size(0);
        Require.argument(
                range.signed()
                        && range.min() >= (range.isWide() ? -Short.MAX_VALUE : -Byte.MAX_VALUE),
                "weight codes [%d, %d]: the range must be signed and narrow, within [-127, 127] or"
                        + " [-32767, 32767]",
                range.min(),
                range.max());
        Require.argument(
                codes.length == (long) shape.elements() * range.bytes(),
                "%d weight codes for shape %s, which has %d elements",
                codes.length / range.bytes(),
                shape,
                shape.elements());
        Require.argument(
                scales.length == channels && bias.length == channels,
                "%d scales and %d biases for %d output channels",
                scales.length,
                bias.length,
                channels);
        for (int i = 0; i < shape.elements(); i++) {
            requireInside(range.decode(codes, i), i, range);
        }
        for (int channel = 0; channel < channels; channel++) {
            Require.argument(
                    scales[channel] > 0 && Float.isFinite(scales[channel]),
                    "the weight scale of channel %d is %s; it must be finite and above 0",
                    channel,
                    scales[channel]);
            Require.argument(
                    Math.abs(bias[channel]) <= MAX_SUM,
                    "the bias of channel %d is %d codes; it must be at most 2^52",
                    channel,
                    bias[channel]);
        }
        return new WeightTensor(shape, range, codes, scales.clone(), bias);
    }

    private static void requireInside(int code, int index, CodeRange range) {
        Require.argument(
                range.contains(code),
                "weight code %d at %d is outside [%d, %d]",
                code,
                index,
                range.min(),
                range.max());
    }

    /** {@return [out, in / groups, kernel height, kernel width] or [out, in]} */
    public Shape shape() {
        return shape;
    }

    /**
     * {@return the same weights under another shape}
     *
     * @param other a shape of as many elements and output channels
     */
    public WeightTensor reshaped(Shape other) {
        Require.argument(
                other.elements() == shape.elements() && other.size(0) == shape.size(0),
                "weights of shape %s cannot be read as %s",
                shape,
                other);
        return new WeightTensor(other, range, codes, scales, bias);
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
        return shape.elements() / channels();
    }

    /**
     * {@return a copy of the codes, row-major}
     *
     * @throws IllegalStateException if they are wide
     */
    public byte[] codes() {
        Require.state(!range.isWide(), "weights %s do not fit bytes", this);
        return codes.clone();
    }

    /** {@return a copy of the codes, of any width, row-major} */
    public int[] allCodes() {
        int[] all = new int[shape.elements()];
        Arrays.setAll(all, this::code);
        return all;
    }

    /**
     * {@return the code at a row-major index}
     *
     * @param index from 0
     */
    public int code(int index) {
        return range.decode(codes, index);
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

    /**
     * {@return a copy of the int32 biases, one per output channel}
     *
     * @throws ArithmeticException if one does not fit int32, as only one of 16-bit codes may
     */
    public int[] bias() {
        return Arrays.stream(bias).mapToInt(Math::toIntExact).toArray();
    }

    /**
     * {@return the int32 bias of one output channel}
     *
     * @param channel from 0
     * @throws ArithmeticException if it does not fit int32, as only one of 16-bit codes may
     */
    public int bias(int channel) {
        return Math.toIntExact(bias[channel]);
    }

    /** {@return a copy of the biases, of any size, one per output channel} */
    public long[] longBias() {
        return bias.clone();
    }

    /**
     * {@return the bias of one output channel, of any size}
     *
     * @param channel from 0
     */
    public long longBias(int channel) {
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
