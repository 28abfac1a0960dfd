// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.dl4jquant.nd.Layouts;
import org.dl4jquant.nd.RowMajor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class ScalesTest {

    private static final float[] AFTER_A_WILD_STEP = {.1f, 0, -.3f, 1e-20f, -1e30f, Scales.MIN};
    private static final float[] PROJECTED = {
        .1f, Scales.MIN, Scales.MIN, Scales.MIN, Scales.MIN, Scales.MIN
    };

    @Test
    void scalesBelowTheSmallestAreRaisedToIt() {
        for (Map.Entry<String, INDArray> layout : Layouts.of(AFTER_A_WILD_STEP, 1, 6).entrySet()) {
            Scales.projectInPlace(layout.getValue());
            assertArrayEquals(PROJECTED, RowMajor.floats(layout.getValue()), layout.getKey());
            assertTrue(Layouts.gapsAreUntouched(layout.getValue()), layout.getKey());
        }
    }

    @Test
    void doubleScalesKeepTheirPrecision() {
        INDArray scales = Nd4j.createFromArray(1.0 / 3, -1);
        Scales.projectInPlace(scales);
        assertArrayEquals(new double[] {1.0 / 3, Scales.MIN}, scales.data().asDouble());
    }

    @Test
    void theProductOfTheSmallestScalesIsANormalNumber() {
        assertTrue(Scales.MIN * Scales.MIN >= Float.MIN_NORMAL);
    }

    @Test
    void usableScalesAreAccepted() {
        assertDoesNotThrow(
                () -> Scales.requireUsable(RowMajor.array(PROJECTED, 6), "layer \"conv1\""));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, 0, -1, 1e-12f})
    void refusesScalesThatAreLost(float lost) {
        INDArray scales = RowMajor.array(new float[] {.1f, .2f, lost}, 1, 3);
        assertEquals(
                "layer \"conv1\", weights: scale 2 of 3 is "
                        + lost
                        + "; it must be a finite number of at least 2.3283064E-10. Training has"
                        + " diverged: lower the learning rate (above all that of the scales) or"
                        + " clip gradients, and go on from the last good model",
                assertThrows(
                                IllegalStateException.class,
                                () -> Scales.requireUsable(scales, "layer \"conv1\", weights"))
                        .getMessage());
    }

    @Test
    void projectionLeavesNotANumberForTheCheck() {
        INDArray scales = RowMajor.array(new float[] {Float.NaN, Float.POSITIVE_INFINITY}, 2);
        Scales.projectInPlace(scales);
        assertTrue(Float.isNaN(scales.getFloat(0)));
        assertEquals(Float.POSITIVE_INFINITY, scales.getFloat(1));
    }
}
