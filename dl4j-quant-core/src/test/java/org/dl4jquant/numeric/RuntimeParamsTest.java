// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** The golden values were computed with exact fractions, each rounded to float32. */
class RuntimeParamsTest {

    private static final float[] ROW = {0.3f, -1.7f, 0.85f, 0};
    private static final float[] OTHER = {2.5f, 0.1f, -0.2f, 1};
    private static final int[][] WEIGHTS = {{3, -5, 7, 2}, {127, 1, -127, 9}};
    private static final float[] SCALES = {0.01f, 0.003f};
    private static final float[] BIAS = {0.1f, -0.25f};

    private static int[] codes(RuntimeParams params, float... values) {
        return IntStream.range(0, values.length).map(i -> params.distance(values[i])).toArray();
    }

    private static float[] products(RuntimeParams params, float... values) {
        float[] results = new float[2];
        for (int channel = 0; channel < 2; channel++) {
            int sum = 0;
            for (int i = 0; i < values.length; i++) {
                sum += params.distance(values[i]) * WEIGHTS[channel][i];
            }
            results[channel] = params.value(sum, SCALES[channel], BIAS[channel]);
        }
        return results;
    }

    @Test
    void aRowHasTheScaleOfItsLargestMagnitude() {
        RuntimeParams params = RuntimeParams.ofRow(ROW, 0, 4, 1);
        assertEquals(0x1.b6a0740000000p-7f, params.scale());
        assertArrayEquals(new int[] {22, -127, 64, 0}, codes(params, ROW));
        assertArrayEquals(new float[] {0.25380313f, -0.4693f}, products(params, ROW));
    }

    @Test
    void aBatchHasOneScaleAndAZeroPoint() {
        float[] both = {0.3f, -1.7f, 0.85f, 0, 2.5f, 0.1f, -0.2f, 1};
        RuntimeParams params = RuntimeParams.ofBatch(both);
        assertEquals(0.016470587f, params.scale());
        assertEquals(103, params.zeroPoint());
        assertArrayEquals(new int[] {18, -103, 52, 0}, codes(params, ROW));
        assertArrayEquals(new int[] {152, 6, -12, 61}, codes(params, OTHER));
        assertArrayEquals(new float[] {0.25367057f, -0.46844938f}, products(params, ROW));
        assertArrayEquals(new float[] {0.17642352f, 0.8065716f}, products(params, OTHER));
    }

    @Test
    void zerosGiveZeros() {
        RuntimeParams row = RuntimeParams.ofRow(new float[3], 0, 3, 1);
        assertEquals(1e-30f, row.scale());
        assertEquals(0, row.distance(0));
        assertEquals(0.5f, row.value(0, 1, 0.5f));
        RuntimeParams batch = RuntimeParams.ofBatch(new float[3]);
        assertEquals(new RuntimeParams(1, 0, 0), batch);
    }

    @Test
    void theLargestNumbersSaturate() {
        float[] huge = {Float.MAX_VALUE, 1, -Float.MAX_VALUE};
        RuntimeParams row = RuntimeParams.ofRow(huge, 0, 3, 1);
        assertArrayEquals(new int[] {127, 0, -128}, codes(row, huge));
        assertTrue(Float.isFinite(row.value(Integer.MAX_VALUE, 1, 0)));
    }

    @Property(tries = 200)
    void noValueOfARowIsFartherThanHalfACode(
            @ForAll @Size(min = 1, max = 9) List<@FloatRange(min = -1000, max = 1000) Float> list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i);
        }
        RuntimeParams params = RuntimeParams.ofRow(values, 0, values.length, 1);
        for (float value : values) {
            double error = Math.abs(params.distance(value) * (double) params.scale() - value);
            assertTrue(error <= 0.5001 * params.scale(), () -> params + ", " + value);
        }
    }

    @Test
    void refusesABiasThatIsNotFinite() {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> FloatBias.of(new float[] {0, Float.NaN}))
                        .getMessage();
        assertEquals("the bias of channel 1 is NaN; it must be finite", message);
    }
}
