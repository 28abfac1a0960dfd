// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.nd.RowMajor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class HalfRounderTest {

    private static final int HALVES = 1 << 15;
    private static final int INFINITY = 0x7c00;

    @Test
    void everyHalfStaysAsItIs() {
        for (int bits = 0; bits <= INFINITY; bits++) {
            assertEquals(value(bits), rounded(value(bits)));
            assertEquals(-value(bits), rounded(-value(bits)));
        }
    }

    @Test
    void betweenTwoHalvesTheNearerIsTakenAndOfEquallyNearTheEvenOne() {
        for (int bits = 0; bits < INFINITY; bits++) {
            float lower = value(bits);
            float upper = bits + 1 == INFINITY ? 65536 : value(bits + 1);
            float middle = (lower + upper) / 2;
            float atInfinity = upper == 65536 ? Float.POSITIVE_INFINITY : upper;
            assertEquals(lower, rounded(Math.nextDown(middle)));
            assertEquals(atInfinity, rounded(Math.nextUp(middle)));
            assertEquals(bits % 2 == 0 ? lower : atInfinity, rounded(middle));
            assertEquals(-lower, rounded(-Math.nextDown(middle)));
        }
    }

    @Test
    void nd4jCastsToTheSameNumbers() {
        List<Float> numbers = new ArrayList<>();
        for (int exponent = 0; exponent < 255; exponent++) {
            for (int mantissa = 0; mantissa < 1 << 23; mantissa += 32771) {
                numbers.add(Float.intBitsToFloat(exponent << 23 | mantissa));
                numbers.add(-Float.intBitsToFloat(exponent << 23 | mantissa));
            }
        }
        INDArray values = RowMajor.array(Floats.floats(numbers), numbers.size());
        float[] expected = RowMajor.floats(values.castTo(DataType.FLOAT16));
        HalfRounder.forward(values, values);
        assertArrayEquals(expected, RowMajor.floats(values));
    }

    @Test
    void whatIsNoNumberOrInfiniteStaysSo() {
        assertTrue(Float.isNaN(rounded(Float.NaN)));
        assertEquals(Float.POSITIVE_INFINITY, rounded(1e30f));
        assertEquals(Float.NEGATIVE_INFINITY, rounded(Float.NEGATIVE_INFINITY));
    }

    @Test
    void roundsDoubleArrays() {
        INDArray values = Nd4j.createFromArray(1 + 1e-9, 1 + 0x1p-10, 1e-9);
        HalfRounder.forward(values, values);
        assertArrayEquals(new double[] {1, 1 + 0x1p-10, 0}, values.data().asDouble());
    }

    @Test
    void refusesAResultOfAnotherShape() {
        assertEquals(
                "values of shape [2, 3] and a result of shape [3, 2]; the shapes must be equal and"
                        + " not empty",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> HalfRounder.forward(Nd4j.ones(2, 3), Nd4j.ones(3, 2)))
                        .getMessage());
    }

    private static float rounded(float number) {
        float[] one = {number};
        HalfMath.round(one, 1);
        return one[0];
    }

    /** The value of a positive half by its definition: sign, 5 bits of exponent, 10 of mantissa. */
    private static float value(int bits) {
        assertTrue(bits < HALVES);
        int exponent = bits >> 10;
        int mantissa = bits & 0x3ff;
        if (exponent == 31) {
            return mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        }
        double significand = exponent == 0 ? mantissa : 1024 + mantissa;
        return (float) Math.scalb(significand, Math.max(exponent, 1) - 25);
    }
}
