// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jquant.graph.node.OverflowCertificate;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folding by hand: two inputs, scale 0.5 of the weights, 0.1 of the input. */
class IntegerFoldTest {

    private static final float INPUT_SCALE = 0.1f;
    private static final QuantParams INPUT = new QuantParams(INPUT_SCALE, 3, CodeRange.unsigned(8));

    private static WeightTensor fold(double factor, double shift, float... bias) {
        return new IntegerFold(
                        Shape.of(1, 2),
                        CodeRange.narrow(4),
                        new int[] {2, -7},
                        new float[] {0.5f},
                        bias.length == 0 ? null : bias,
                        ChannelLine.of(new double[] {factor}, new double[] {shift}))
                .fold(INPUT);
    }

    @Test
    void roundsWeightsAndBias() {
        WeightTensor folded = fold(1, 0, 0.33f);
        assertArrayEquals(new byte[] {2, -7}, folded.codes());
        assertEquals(0.5f, folded.scale(0));
        // 0.33 / (0.1 * 0.5) = 6.6
        assertEquals(7, folded.bias(0));
    }

    @Test
    void aNegativeFactorFlipsTheCodesSigns() {
        WeightTensor folded = fold(-3, 1, 0.2f);
        assertArrayEquals(new byte[] {-2, 7}, folded.codes());
        assertEquals(1.5f, folded.scale(0));
        // (1 - 3 * 0.2) / (0.1 * 1.5) = 2.67
        assertEquals(3, folded.bias(0));
    }

    @Test
    void aChannelThatIsTurnedOffKeepsItsShift() {
        WeightTensor folded = fold(0, 0.75);
        assertArrayEquals(new byte[] {0, 0}, folded.codes());
        assertEquals(0.75f, folded.bias(0) * INPUT_SCALE * folded.scale(0), 1e-6f);
        assertTrue(folded.scale(0) > 0);
    }

    @Test
    void aChannelWithNothingAtAllIsZero() {
        WeightTensor folded = fold(0, 0);
        assertArrayEquals(new byte[] {0, 0}, folded.codes());
        assertEquals(0, folded.bias(0));
        assertTrue(folded.scale(0) > 0);
    }

    @Test
    void aBiasThatIsTooLargeForTheUnitGetsALargerUnit() {
        WeightTensor folded = fold(1e-9, 5);
        assertEquals(5f, folded.bias(0) * INPUT_SCALE * folded.scale(0), 1e-5f);
        OverflowCertificate sums = OverflowCertificate.of(folded, INPUT);
        assertTrue(sums.fitsInt32(), sums::toString);
        // No coarser than int32 asks for.
        assertTrue(folded.bias(0) > Integer.MAX_VALUE - 5_000, () -> folded.bias(0) + "");
    }

    /** The weights keep their codes as long as int32 holds the bias. */
    @ParameterizedTest
    @ValueSource(doubles = {1e3, 4e5, 1e8, -1e8})
    void aLargeBiasLeavesTheWeightsAsTheyWereTrained(double shift) {
        WeightTensor folded = fold(1, shift);
        assertArrayEquals(new byte[] {2, -7}, folded.codes());
        assertEquals(0.5f, folded.scale(0));
        assertEquals((int) Math.rint(shift / (INPUT_SCALE * 0.5f)), folded.bias(0));
    }
}
