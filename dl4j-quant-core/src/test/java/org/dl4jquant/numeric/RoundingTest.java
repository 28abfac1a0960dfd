// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.RoundingMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The roundings against values by hand and against decimal arithmetic. */
final class RoundingTest {

    private static final CodeRange INT8 = CodeRange.signed(8);

    @ParameterizedTest
    @CsvSource({"0.5, 0", "1.5, 2", "2.5, 2", "-0.5, 0", "-1.5, -2", "-2.5, -2", "3.49, 3"})
    void tiesGoToTheEvenCode(float value, int code) {
        assertEquals(code, Rounding.quantize(value, 1, 0, INT8));
        assertEquals(code, Rounding.requantize((int) (value * 100), 0.01f, 0, INT8));
    }

    @ParameterizedTest
    @CsvSource({"1e30, 127", "-1e30, -128", "127.4, 127", "127.5, 127", "-128.4, -128"})
    void valuesBeyondTheRangeGetItsEnds(float value, int code) {
        assertEquals(code, Rounding.quantize(value, 1, 0, INT8));
    }

    @Test
    void theZeroPointIsAddedBehindTheRounding() {
        // 0.5 rounds to 0, then 1 is added; 1.5 would round to 2 if it were added before.
        assertEquals(1, Rounding.quantize(0.5f, 1, 1, INT8));
    }

    @Test
    void aScaleSoSmallThatTheQuotientIsInfiniteStillGivesAnEnd() {
        assertEquals(127, Rounding.quantize(Float.MAX_VALUE, Float.MIN_VALUE, 0, INT8));
    }

    @Test
    void theMultiplierIsRoundedAfterEachStepInFloat32() {
        float product = 0.1f * 0.3f;
        assertEquals(product / 0.7f, Rounding.multiplier(0.1f, 0.3f, 0.7f));
    }

    /* HAWQ-V3's dyadic example, M = .0123456: codes of +-152 clamp to int8's ends. */
    @ParameterizedTest
    @CsvSource({"1000, 12", "-1000, -12", "12345, 127", "-12345, -128"})
    void accumulatorsAreScaledAsInThePublishedExample(int accumulator, int code) {
        assertEquals(code, Rounding.requantize(accumulator, .0123456f, 0, INT8));
    }

    @Test
    void anUnsignedResultReachesBeyondInt8() {
        assertEquals(152, Rounding.requantize(12345, .0123456f, 0, CodeRange.unsigned(8)));
    }

    @Property
    void theCodeIsTheNearestOfTheExactQuotientOfFloats(
            @ForAll @FloatRange(min = -300, max = 300) float value,
            @ForAll @FloatRange(min = 0.01f, max = 4) float scale,
            @ForAll @IntRange(min = -20, max = 20) int zeroPoint) {
        BigDecimal quotient = new BigDecimal(value / scale);
        int nearest = quotient.setScale(0, RoundingMode.HALF_EVEN).intValueExact() + zeroPoint;
        int clamped = Math.max(-128, Math.min(127, nearest));
        assertEquals(clamped, Rounding.quantize(value, scale, zeroPoint, INT8));
    }

    @Property
    void quantizingACodesValueGivesTheCodeBack(
            @ForAll @IntRange(min = -128, max = 127) int code,
            @ForAll @FloatRange(min = 0.01f, max = 100) float scale,
            @ForAll @IntRange(min = -128, max = 127) int zeroPoint) {
        float value = Rounding.dequantize(code, scale, zeroPoint);
        assertEquals(code, Rounding.quantize(value, scale, zeroPoint, INT8));
    }

    @Property
    void largerAccumulatorsNeverGetSmallerCodes(
            @ForAll int left, @ForAll int right, @ForAll @IntRange(min = -30, max = 0) int e) {
        float m = Math.scalb(1.37f, e);
        int low = Rounding.requantize(Math.min(left, right), m, 3, INT8);
        int high = Rounding.requantize(Math.max(left, right), m, 3, INT8);
        assertTrue(low <= high);
    }
}
