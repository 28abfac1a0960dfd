// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Test;

/** Scales of groups in two levels. */
class GroupScalesTest {

    /** A product and a quotient of float32, each rounded once. */
    private static final double FLOAT_ROUNDING = 1e-6;

    @Test
    void scalesBecomeWholeMultiplesOfOnePerChannel() {
        GroupScales scales =
                GroupScales.of(new float[] {1.8f, 0.93f, 0.01f, 36, 36, 3}, 3, CodeRange.narrow(4));
        assertArrayEquals(new float[] {0.1f, 2}, scales.channels(), 1e-6f);
        assertArrayEquals(new float[] {1.8f, 0.9f, 0.1f, 36, 36, 4}, scales.scales(), 1e-6f);
        assertEquals(9, scales.multiplier(0, 1));
        assertEquals(2, scales.multiplier(1, 2));
    }

    @Test
    void groupsOfEightBitsShareOneScale() {
        GroupScales scales = GroupScales.of(new float[] {0.5f, 0.25f}, 2, CodeRange.narrow(8));
        assertArrayEquals(new float[] {0.5f, 0.5f}, scales.scales());
    }

    @Property
    void multipliedCodesHaveEightBitsAndScalesAreNear(
            @ForAll("scales") float[] trained, @ForAll @IntRange(min = 2, max = 8) int bits) {
        CodeRange codes = CodeRange.narrow(bits);
        GroupScales scales = GroupScales.of(trained, trained.length / 2, codes);
        for (int channel = 0; channel < 2; channel++) {
            float unit = scales.channels()[channel];
            for (int group = 0; group < scales.groups(); group++) {
                int multiplier = scales.multiplier(channel, group);
                assertTrue(multiplier >= 1 && multiplier * codes.max() <= 127, "" + multiplier);
                float wanted = trained[channel * scales.groups() + group];
                double error = Math.abs(scales.scale(channel, group) - wanted);
                double most = multiplier == 1 ? unit : unit / 2;
                assertTrue(error <= most * (1 + FLOAT_ROUNDING), wanted + " by " + error);
            }
        }
    }

    @Provide
    Arbitrary<float[]> scales() {
        return Arbitraries.integers()
                .between(1, 9)
                .flatMap(
                        groups ->
                                Arbitraries.floats()
                                        .between(0.01f, 100)
                                        .array(float[].class)
                                        .ofSize(2 * groups));
    }
}
