// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.Layouts;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Equal to the shared arithmetic on integers, for accumulators of every size. */
final class RequantizerTest {

    private static final int BATCH = 3;
    private static final int CHANNELS = 4;
    private static final int PIXELS = 7;
    private static final int LENGTH = BATCH * CHANNELS * PIXELS;
    private static final float[] MULTIPLIERS = {.0123456f, 1.5e-4f, .5f, 3.1e-7f};

    private static final QuantParams OUTPUT = new QuantParams(.037f, 3, CodeRange.unsigned(8));
    private static final CodeRange RELU = new CodeRange(3, 200);

    /* tanh and the like on signed 6-bit codes: the table has entries outside the codes. */
    private static final QuantParams BEFORE = new QuantParams(.11f, -2, CodeRange.signed(6));
    private static final CodeTable TANH = CodeTable.from(StrictMath::tanh, BEFORE, OUTPUT);

    @Provide
    Arbitrary<int[]> accumulators() {
        Arbitrary<Integer> ties = Arbitraries.integers().between(-300, 300).map(i -> 2 * i + 1);
        return Arbitraries.oneOf(
                        ties,
                        Arbitraries.integers().between(-(1 << 24), 1 << 24),
                        Arbitraries.integers().map(i -> (int) (float) (i / 2)))
                .array(int[].class)
                .ofSize(LENGTH);
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void codesAndValuesAreThoseOfTheSharedArithmetic(@ForAll("accumulators") int[] accumulators) {
        float[] codes = new float[LENGTH];
        float[] values = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            int code = Rounding.requantize(accumulators[i], multiplier(i), 3, RELU);
            codes[i] = code - 3;
            values[i] = OUTPUT.dequantize(code);
        }
        Requantizer requantizer = Requantizer.of(MULTIPLIERS, Channels.axis(1), OUTPUT, RELU);
        assertResults(codes, values, requantizer, floats(accumulators));
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void tablesAreLookedUpByTheCode(@ForAll("accumulators") int[] accumulators) {
        float[] codes = new float[LENGTH];
        float[] values = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            int before = Rounding.requantize(accumulators[i], multiplier(i), -2, BEFORE.range());
            lookUp(before, codes, values, i);
        }
        Requantizer requantizer =
                Requantizer.withTable(MULTIPLIERS, Channels.axis(1), BEFORE, TANH, OUTPUT, RELU);
        assertResults(codes, values, requantizer, floats(accumulators));
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void tablesOfValuesRoundThemFirst(@ForAll("accumulators") int[] seeds) {
        float[] inputs = floats(seeds);
        float[] codes = new float[LENGTH];
        float[] values = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            inputs[i] *= .003f;
            lookUp(BEFORE.quantize(inputs[i]), codes, values, i);
        }
        assertResults(codes, values, Requantizer.ofValues(BEFORE, TANH, OUTPUT, RELU), inputs);
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void realNumbersAreProductsOfTheAccumulators(@ForAll("accumulators") int[] accumulators) {
        float[] expected = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            expected[i] = accumulators[i] * multiplier(i);
        }
        INDArray array = RowMajor.array(floats(accumulators), BATCH, CHANNELS, PIXELS);
        Requantizer.toFloat(array, MULTIPLIERS, Channels.axis(1), array);
        assertArrayEquals(expected, RowMajor.floats(array));
    }

    /** A float convolution of codes may be off by noise of less than a half. */
    @Test
    void noiseIsRoundedAway() {
        float[] clean = {0, 1, -1, 2, 1000, -1001, 4096, 65537};
        float[] noisy = {.4f, 1.3f, -.7f, 1.6f, 999.51f, -1000.6f, 4096.2f, 65537.4f};
        float[] one = {.5f};
        QuantParams output = new QuantParams(1, 0, CodeRange.signed(8));
        Requantizer requantizer = Requantizer.of(one, Channels.NONE, output, CodeRange.signed(8));
        INDArray expected = RowMajor.array(clean, 8);
        INDArray found = RowMajor.array(noisy, 8);
        requantizer.codes(expected, expected);
        requantizer.codes(found, found);
        assertEquals(expected, found);
        assertArrayEquals(new float[] {0, 0, 0, 1, 127, -128, 127, 127}, RowMajor.floats(found));
    }

    @Test
    void theMultipliersAreCopied() {
        float[] multipliers = {1};
        Requantizer requantizer = Requantizer.of(multipliers, Channels.NONE, OUTPUT, RELU);
        multipliers[0] = 100;
        INDArray one = RowMajor.array(new float[] {1}, 1);
        requantizer.codes(one, one);
        assertEquals(1, one.getFloat(0));
    }

    @Test
    void refusesBoundsOutsideTheOutputsCodes() {
        assertEquals(
                "bounds [-1, 7] reach beyond the output's codes [0, 255]",
                message(
                        () ->
                                Requantizer.of(
                                        MULTIPLIERS,
                                        Channels.axis(1),
                                        OUTPUT,
                                        new CodeRange(-1, 7))));
    }

    @Test
    void refusesMultipliersThatDoNotFitTheChannels() {
        INDArray five = Nd4j.ones(DataType.FLOAT, 2, 5);
        assertEquals(
                "4 multipliers for 5 channels of accumulators of shape [2, 5]; there must be one"
                        + " for each",
                message(
                        () ->
                                Requantizer.of(MULTIPLIERS, Channels.axis(1), OUTPUT, RELU)
                                        .values(five, five)));
    }

    @Test
    void refusesAResultOfAnotherShape() {
        assertEquals(
                "accumulators of shape [2, 4] and a result of shape [4, 2]; the shapes must be"
                        + " equal and not empty",
                message(
                        () ->
                                Requantizer.toFloat(
                                        Nd4j.ones(2, 4),
                                        MULTIPLIERS,
                                        Channels.axis(1),
                                        Nd4j.ones(4, 2))));
    }

    private static String message(Executable refused) {
        return assertThrows(IllegalArgumentException.class, refused).getMessage();
    }

    private static void assertResults(
            float[] codes, float[] values, Requantizer requantizer, float[] accumulators) {
        for (Map.Entry<String, INDArray> in :
                Layouts.of(accumulators, BATCH, CHANNELS, PIXELS).entrySet()) {
            INDArray out = Nd4j.createUninitialized(DataType.FLOAT, BATCH, CHANNELS, PIXELS);
            requantizer.codes(in.getValue(), out);
            assertArrayEquals(codes, RowMajor.floats(out), in.getKey());
            requantizer.values(in.getValue(), in.getValue());
            assertArrayEquals(values, RowMajor.floats(in.getValue()), in.getKey());
        }
        INDArray wide =
                RowMajor.array(accumulators, BATCH, CHANNELS, PIXELS).castTo(DataType.DOUBLE);
        requantizer.values(wide, wide);
        assertArrayEquals(values, RowMajor.floats(wide), "the arithmetic is float32 all the same");
    }

    private static void lookUp(int before, float[] codes, float[] values, int index) {
        int code = RELU.clamp(OUTPUT.range().decode(TANH.lookUp((byte) before)));
        codes[index] = code - 3;
        values[index] = OUTPUT.dequantize(code);
    }

    private static float multiplier(int index) {
        return MULTIPLIERS[index / PIXELS % CHANNELS];
    }

    private static float[] floats(int[] integers) {
        float[] floats = new float[integers.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = integers[i];
        }
        return floats;
    }
}
