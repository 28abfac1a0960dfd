// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.layer.rounding.CodeRounder;
import org.dl4jquant.layer.rounding.GroupScales;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/** The codes of a weight whose products of one output channel have one unit. */
final class WeightCodes {

    private final CodeRange range;
    private final float[] scales;
    private final @Nullable GroupScales groups;

    /**
     * Takes the scales of now.
     *
     * @param rounder rounds the weight
     */
    WeightCodes(CodeRounder rounder) {
        this.range = rounder.range();
        this.groups = rounder.groupScales();
        this.scales = rounder.usableScales();
    }

    /** {@return the codes that may occur: of 8 bits if groups multiply them} */
    CodeRange range() {
        return groups == null ? range : GroupScales.products();
    }

    /** {@return units per code, one per output channel or one for all} */
    float[] scales() {
        return scales.clone();
    }

    /**
     * {@return the codes; those of a group times its multiplier}
     *
     * @param values the float weights, row-major
     * @param shape [out, in / groups, ...]
     */
    int[] of(float[] values, Shape shape) {
        return of(values, shape, 0);
    }

    /**
     * {@return the codes of some of the output channels}
     *
     * @param values the float weights, row-major
     * @param shape [out, in / groups, ...]
     * @param first the number of their first channel among all
     */
    int[] of(float[] values, Shape shape, int first) {
        int[] codes = new int[values.length];
        int length = values.length / shape.size(0);
        int inner = length / shape.size(1);
        for (int i = 0; i < codes.length; i++) {
            int channel = first + i / length;
            codes[i] =
                    groups == null
                            ? Rounding.quantize(
                                    values[i], scales[scales.length == 1 ? 0 : channel], 0, range)
                            : multiplied(
                                    groups, values[i], channel, i % length / inner, shape.size(1));
        }
        return codes;
    }

    private int multiplied(GroupScales known, float value, int channel, int input, int inputs) {
        int group = input / (inputs / known.groups());
        int code = Rounding.quantize(value, known.scale(channel, group), 0, range);
        return code * known.multiplier(channel, group);
    }
}
