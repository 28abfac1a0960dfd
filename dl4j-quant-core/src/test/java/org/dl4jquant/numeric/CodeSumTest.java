// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CodeSumTest {

    /** The real sum is rounded to a code; the float32 way to it errs by far less than this. */
    private static final double HALF_A_CODE_AND_ROUNDING = 0.5 + 1e-3;

    private static final int PAIRS = 256 * 256;
    private static final CodeRange UINT8 = CodeRange.unsigned(8);
    private static final CodeRange INT8 = CodeRange.signed(8);

    /**
     * Pairs whose sum lies next to a tie, so that another order of the float32 operations, or one
     * without fused multiply-add, gives the neighbouring code. The results were read off ONNX
     * Runtime 1.28.0 (QLinearAdd, x86-64).
     */
    @ParameterizedTest
    @CsvSource({
        "0.796875, 178, 0.75, 121, 0.59375, 151, 83, 216, 143",
        "2.1203876, 48, 0.9902052, 87, 0.45495412, 238, 33, 10, 1",
        "0.484375, 232, 0.84375, 71, 0.8125, 187, 2, 113, 93",
        "0.5917648, 226, 0.39589414, 244, 0.5712342, 103, 239, 81, 3",
        "0.65625, 92, 0.6875, 79, 0.5625, 164, 3, 58, 34",
        "3.3532534, 158, 0.6448195, 152, 1.8440269, 98, 115, 174, 27"
    })
    void addsAsOnnxRuntimeDoesNextToTies(
            float leftScale,
            int leftZero,
            float rightScale,
            int rightZero,
            float scale,
            int zero,
            int left,
            int right,
            int expected) {
        QuantParams result = new QuantParams(scale, zero, UINT8);
        CodeSum sum =
                CodeSum.of(
                        new QuantParams(leftScale, leftZero, UINT8),
                        new QuantParams(rightScale, rightZero, UINT8),
                        result,
                        UINT8);
        assertEquals(expected, sum.code(left, right));
    }

    @Test
    void addsSignedCodesAsThoseThatStand128Higher() {
        CodeSum unsigned =
                CodeSum.of(
                        new QuantParams(0.796875f, 178, UINT8),
                        new QuantParams(0.75f, 121, UINT8),
                        new QuantParams(0.59375f, 151, UINT8),
                        UINT8);
        CodeSum signed =
                CodeSum.of(
                        new QuantParams(0.796875f, 50, INT8),
                        new QuantParams(0.75f, -7, INT8),
                        new QuantParams(0.59375f, 23, INT8),
                        INT8);
        for (int left = 0; left < 256; left++) {
            for (int right = 0; right < 256; right++) {
                assertEquals(
                        unsigned.code(left, right) - 128, signed.code(left - 128, right - 128));
            }
        }
    }

    @Property
    void isTheRealSumRoundedAndClamped(
            @ForAll @DoubleRange(min = 0.01, max = 10) double leftScale,
            @ForAll @DoubleRange(min = 0.01, max = 10) double rightScale,
            @ForAll @DoubleRange(min = 0.01, max = 10) double scale,
            @ForAll @IntRange(max = 255) int leftZero,
            @ForAll @IntRange(min = -128, max = 127) int zero,
            @ForAll @IntRange(max = 255) int left,
            @ForAll @IntRange(max = 255) int right) {
        QuantParams leftParams = new QuantParams((float) leftScale, leftZero, UINT8);
        QuantParams rightParams = new QuantParams((float) rightScale, 255 - leftZero, UINT8);
        QuantParams result = new QuantParams((float) scale, zero, INT8);
        CodeRange bounds = new CodeRange(-100, 90);
        int code = CodeSum.of(leftParams, rightParams, result, bounds).code(left, right);
        double real =
                ((double) leftParams.scale() * (left - leftZero)
                                        + (double) rightParams.scale()
                                                * (right - rightParams.zeroPoint()))
                                / result.scale()
                        + zero;
        double clamped = Math.min(Math.max(real, bounds.min()), bounds.max());
        assertTrue(
                Math.abs(code - clamped) <= HALF_A_CODE_AND_ROUNDING, code + " is not " + clamped);
    }

    /** Scales from the cases above, where pairs lie next to ties, and any others. */
    @Test
    void addsTheValuesOfAllPairsAsItAddsTheirCodes() {
        Random random = new Random(4);
        float[] nearTies = {0.796875f, 0.75f, 0.59375f, 0.484375f, 0.84375f, 0.8125f, 0.5625f};
        for (int trial = 0; trial < 300; trial++) {
            QuantParams[] params = new QuantParams[3];
            for (int i = 0; i < params.length; i++) {
                CodeRange range = random.nextBoolean() ? UINT8 : INT8;
                float scale =
                        trial % 2 == 0
                                ? nearTies[random.nextInt(nearTies.length)]
                                : (float) Math.exp(random.nextGaussian() * 2);
                params[i] = new QuantParams(scale, range.min() + random.nextInt(256), range);
            }
            CodeRange range = params[2].range();
            CodeRange bounds =
                    new CodeRange(
                            range.min() + random.nextInt(20), range.max() - random.nextInt(20));
            requireSameSums(params[0], params[1], params[2], bounds);
        }
    }

    private static void requireSameSums(
            QuantParams left, QuantParams right, QuantParams result, CodeRange bounds) {
        CodeSum sum = CodeSum.of(left, right, result, bounds);
        float[] leftValues = new float[PAIRS];
        float[] rightValues = new float[PAIRS];
        float[] expected = new float[PAIRS];
        for (int pair = 0; pair < PAIRS; pair++) {
            int leftCode = left.range().min() + pair / 256;
            int rightCode = right.range().min() + pair % 256;
            leftValues[pair] = left.dequantize(leftCode);
            rightValues[pair] = right.dequantize(rightCode);
            expected[pair] = result.dequantize(sum.code(leftCode, rightCode));
        }
        sum.addValues(leftValues, rightValues, leftValues);
        assertArrayEquals(expected, leftValues, () -> left + " + " + right + " as " + result);
    }

    @Test
    void refusesToAddDifferentNumbersOfValues() {
        QuantParams params = new QuantParams(1, 0, UINT8);
        CodeSum sum = CodeSum.of(params, params, params, UINT8);
        assertEquals(
                "2 and 1 values for 2 sums; the numbers must be equal",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> sum.addValues(new float[2], new float[1], new float[2]))
                        .getMessage());
    }

    @Test
    void refusesScalesWhoseSumCouldWrapAround() {
        QuantParams large = new QuantParams(1e10f, 0, UINT8);
        QuantParams small = new QuantParams(1f, 0, UINT8);
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> CodeSum.of(small, large, small, UINT8))
                        .getMessage();
        assertEquals(
                "a scale of 1.0E10 is 1.0E10 times the result's 1.0; at most 1048576.0 times can be"
                        + " added, give the result a larger scale",
                message);
        assertThrows(IllegalArgumentException.class, () -> CodeSum.of(large, small, small, UINT8));
    }

    @Test
    void tellsTheNumbersOfItsFormula() {
        CodeSum sum =
                CodeSum.of(
                        new QuantParams(0.5f, 10, UINT8),
                        new QuantParams(3f, -128, INT8),
                        new QuantParams(2f, 7, UINT8),
                        UINT8);
        assertEquals(0.25f, sum.leftRatio());
        assertEquals(1.5f, sum.rightRatio());
        assertEquals(7 - 0.25f * 10, sum.fixedPart());
    }
}
