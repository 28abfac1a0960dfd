// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CodeMeanTest {

    /** The real mean is rounded to a code; the float32 way to it errs by far less than this. */
    private static final double HALF_A_CODE_AND_ROUNDING = 0.5 + 1e-3;

    private static final CodeRange UINT8 = CodeRange.unsigned(8);
    private static final CodeRange INT8 = CodeRange.signed(8);

    /**
     * A mean of -69.375 at scale 0.75 and zero point 229 is the code 136.5. As a window the zero
     * point is added before the rounding to even (136), as an image after it (-92 + 229). Both
     * results were read off ONNX Runtime 1.28.0.
     */
    @Test
    void roundsATieOfAWindowAndOfAnImageToDifferentCodes() {
        QuantParams input = new QuantParams(0.625f, 176, UINT8);
        QuantParams result = new QuantParams(0.75f, 229, UINT8);
        assertEquals(136, CodeMean.ofWindow(-69.375f, 1, result));
        float multiplier = CodeMean.multiplier(input, result, 1);
        assertEquals(137, CodeMean.ofImage(-111, multiplier, result));
    }

    @Test
    void addsTheZeroPointOfTheUint8ContainerToAWindowsMean() {
        QuantParams unsigned = new QuantParams(0.75f, 229, UINT8);
        QuantParams signed = new QuantParams(0.75f, 229 - 128, INT8);
        for (int sum = -200; sum < 200; sum++) {
            float value = sum * 0.375f;
            assertEquals(
                    CodeMean.ofWindow(value, 3, unsigned) - 128,
                    CodeMean.ofWindow(value, 3, signed));
        }
    }

    @Property
    void isTheRealMeanRoundedAndClamped(
            @ForAll @DoubleRange(min = 0.01, max = 1) double inputScale,
            @ForAll @DoubleRange(min = 0.01, max = 1) double scale,
            @ForAll @IntRange(min = -1000, max = 1000) int sum,
            @ForAll @IntRange(min = 1, max = 100) int count,
            @ForAll @IntRange(max = 15) int zero) {
        QuantParams input = new QuantParams((float) inputScale, 0, UINT8);
        QuantParams result = new QuantParams((float) scale, zero, CodeRange.unsigned(4));
        double real = (double) input.scale() * sum / count / result.scale() + zero;
        double clamped = Math.min(Math.max(real, 0), 15);
        int image = CodeMean.ofImage(sum, CodeMean.multiplier(input, result, count), result);
        assertTrue(Math.abs(image - clamped) <= HALF_A_CODE_AND_ROUNDING);
        int window = CodeMean.ofWindow(input.scale() * sum, count, result);
        assertTrue(Math.abs(window - clamped) <= HALF_A_CODE_AND_ROUNDING);
    }

    @Test
    void refusesAMultiplierThatOnnxRuntimeRefuses() {
        QuantParams one = new QuantParams(1f, 0, UINT8);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CodeMean.multiplier(one, new QuantParams(1e-4f, 0, UINT8), 4))
                        .getMessage();
        assertEquals(
                "a mean over 4 elements of scale 1.0 with result scale 1.0E-4 has the multiplier"
                        + " 2500.0, outside [2^-32, 256); choose a result scale nearer to the"
                        + " input's",
                message);
        assertThrows(
                IllegalArgumentException.class,
                () -> CodeMean.multiplier(one, new QuantParams(1e12f, 0, UINT8), 4));
    }

    @Test
    void refusesTooManyElements() {
        QuantParams one = new QuantParams(1f, 0, UINT8);
        assertEquals(
                "a mean over 8388608 elements; 1 to 2^23 - 1 are allowed",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CodeMean.multiplier(one, one, 1 << 23))
                        .getMessage());
    }

    @Test
    void refusesAWindowWhoseMeanCouldWrapAround() {
        assertEquals(
                "a scale of 1.0E10 is 1.0E10 times the result's 1.0; at most 1048576.0 times can be"
                        + " averaged, give the result a larger scale",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        CodeMean.windowRatio(
                                                new QuantParams(1e10f, 0, UINT8),
                                                new QuantParams(1f, 0, UINT8)))
                        .getMessage());
    }
}
