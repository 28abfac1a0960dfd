// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import org.dl4jquant.numeric.CodeRange;

/**
 * The scales of groups of weights, in two levels: a float32 scale for each output channel times a
 * small integer for each of its groups.
 *
 * <p>So the products of a channel have one unit, and {@code multiplier * code} is an 8-bit code
 * again: the integer graph needs nothing that it does not have for one scale per channel. The
 * multipliers reach to {@code 127 / largest code}: 18 for 4-bit weights, 42 for 3 bits, 127 for 2
 * bits, but 1 for 8 bits, whose groups all share the channel's scale. Training rounds with the same
 * scales; gradients pass from them to the parameters unchanged.
 *
 * @see <a href="https://arxiv.org/abs/2102.04503">Dai et al., VS-Quant, 2021, section 4</a>
 */
public final class GroupScales {

    private static final CodeRange PRODUCTS = CodeRange.narrow(8);

    private final float[] channels;
    private final int[] multipliers;

    private GroupScales(float[] channels, int[] multipliers) {
        this.channels = channels;
        this.multipliers = multipliers;
    }

    /**
     * Finds the two levels: the largest scale of a channel has the largest multiplier, and the
     * others are rounded to whole multiples, at least one.
     *
     * @param trained units per code of each group, those of one channel after each other, finite
     *     and above 0
     * @param groups how many a channel has
     * @param codes the weights' codes
     * @return the levels
     */
    static GroupScales of(float[] trained, int groups, CodeRange codes) {
        int most = mostOf(codes);
        float[] channels = new float[trained.length / groups];
        int[] multipliers = new int[trained.length];
        for (int channel = 0; channel < channels.length; channel++) {
            float largest = 0;
            for (int group = 0; group < groups; group++) {
                largest = Math.max(largest, trained[channel * groups + group]);
            }
            float unit = Math.max(largest / most, ScaleGuard.LEAST);
            channels[channel] = unit;
            for (int group = 0; group < groups; group++) {
                double multiple = Math.rint((double) trained[channel * groups + group] / unit);
                multipliers[channel * groups + group] = (int) Math.min(Math.max(multiple, 1), most);
            }
        }
        return new GroupScales(channels, multipliers);
    }

    /**
     * {@return the largest multiplier}
     *
     * @param codes the weights' codes
     */
    static int mostOf(CodeRange codes) {
        return PRODUCTS.max() / codes.max();
    }

    /** {@return the codes of multiplied weights} */
    public static CodeRange products() {
        return PRODUCTS;
    }

    /** {@return the scale of each channel, in which all its products count} */
    public float[] channels() {
        return channels.clone();
    }

    /**
     * {@return the multiplier of a group}
     *
     * @param channel the output channel
     * @param group its group
     */
    public int multiplier(int channel, int group) {
        return multipliers[channel * groups() + group];
    }

    /** {@return how many groups a channel has} */
    public int groups() {
        return multipliers.length / channels.length;
    }

    /**
     * {@return the scale of a group}
     *
     * @param channel the output channel
     * @param group its group
     */
    public float scale(int channel, int group) {
        return channels[channel] * multiplier(channel, group);
    }

    /** {@return the scales of all groups, those of one channel after each other} */
    float[] scales() {
        float[] all = new float[multipliers.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = channels[i / groups()] * multipliers[i];
        }
        return all;
    }
}
