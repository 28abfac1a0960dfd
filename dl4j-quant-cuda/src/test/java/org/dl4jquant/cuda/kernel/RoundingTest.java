// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What {@code rounding.cuh} does instead of conversions, for each value that it may be given. */
class RoundingTest {

    private static final float MIDDLE = 12582912.0f;
    private static final int MIDDLE_BITS = 0x4b400000;
    private static final int LARGEST = 256;
    private static final int SHORT = 1 << 22;
    private static final int BLOCK = 1 << 20;

    /* Every float from 0 to 256, in blocks of consecutive bit patterns, and their negatives. */
    @Test
    void addingTheMiddleRoundsEveryFloatAsRintDoes() {
        int end = Float.floatToIntBits(LARGEST) + 1;
        long wrong =
                IntStream.range(0, (end + BLOCK - 1) / BLOCK)
                        .parallel()
                        .mapToLong(
                                block -> wrongIn(block * BLOCK, Math.min(end, (block + 1) * BLOCK)))
                        .sum();
        assertEquals(0, wrong);
    }

    private static long wrongIn(int from, int to) {
        long wrong = 0;
        for (int bits = from; bits < to; bits++) {
            float value = Float.intBitsToFloat(bits);
            int rounded = (int) Math.rint(value);
            wrong += (rounded ^ shifted(value)) & 0xff;
            wrong += (-rounded ^ shifted(-value)) & 0xff;
        }
        return wrong;
    }

    private static int shifted(float value) {
        return Float.floatToRawIntBits(value + MIDDLE);
    }

    @Test
    void everyShortSumIsConvertedExactly() {
        long wrong =
                LongStream.range(-SHORT + 1, SHORT)
                        .filter(
                                sum ->
                                        Float.intBitsToFloat((int) sum + MIDDLE_BITS) - MIDDLE
                                                != (float) sum)
                        .count();
        assertEquals(0, wrong);
    }

    /* So the limit is not only sufficient. */
    @Test
    void aLongerSumIsNot() {
        int sum = SHORT + 1;
        assertEquals(
                sum + 1, Math.round(Float.intBitsToFloat(sum + MIDDLE_BITS) - MIDDLE), "rounded");
    }
}
