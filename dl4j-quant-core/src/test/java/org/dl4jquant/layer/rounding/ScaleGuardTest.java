// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Learned zero points are codes. */
final class ScaleGuardTest {

    @ParameterizedTest
    @CsvSource({"2.5, 2", "3.5, 4", "2.51, 3", "-9, 0", "15.4, 15", "1e20, 15"})
    void aZeroPointIsRoundedToTheNearestCodeTiesToEven(float zeroPoint, int code) {
        assertEquals(
                code,
                ScaleGuard.zeroPointCode("conv1", "output", zeroPoint, CodeRange.unsigned(4)));
    }

    @Test
    void refusesAZeroPointThatIsLost() {
        assertEquals(
                "layer \"conv1\": the zero point of its output is NaN; training has diverged. Go back to"
                        + " the last good checkpoint and lower the learning rate, or clip the"
                        + " gradients",
                assertThrows(
                                IllegalStateException.class,
                                () ->
                                        ScaleGuard.zeroPointCode(
                                                "conv1",
                                                "output",
                                                Float.NaN,
                                                CodeRange.unsigned(4)))
                        .getMessage());
    }
}
