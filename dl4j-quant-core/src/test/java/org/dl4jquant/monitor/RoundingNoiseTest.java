// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class RoundingNoiseTest {

    /* The figures are sums of a few float64 numbers, of float32 values. */
    private static final double FLOAT_ERROR = 1e-5;

    private static QuantizedTensor tensor(
            float[] values, QuantizedTensor.@Nullable Grid grid, boolean zeroBelow) {
        return new QuantizedTensor(
                "t", false, RowMajor.array(values, values.length), grid, zeroBelow);
    }

    private static QuantizedTensor.Grid grid(float scale, CodeRange range, int zeroPoint) {
        return new QuantizedTensor.Grid(
                "scaleT", RowMajor.array(new float[] {scale}, 1), Channels.NONE, range, zeroPoint);
    }

    @Test
    void countsWhatIsClippedAndAddsUpTheErrors() {
        // Codes -3 to 3 of 0.5: 1.0 and -1.5 are exact, 0.6 becomes 0.5, 4 becomes 1.5, 1.7 keeps
        // code 3 without being clipped.
        RoundingNoise noise =
                RoundingNoise.of(
                        tensor(
                                new float[] {1, -1.5f, 0.6f, 4, 1.7f},
                                grid(0.5f, CodeRange.narrow(3), 0),
                                false));
        double signal = 1 + 2.25 + 0.36 + 16 + 2.89;
        double errors = 0.01 + 6.25 + 0.04;
        assertEquals(0.2, noise.saturation());
        assertEquals(10 * Math.log10(signal / errors), noise.sqnr(), FLOAT_ERROR);
    }

    @Test
    void movesCodesByTheZeroPoint() {
        // Codes 0 to 7, 2 stands for 0: values from -1 to 2.5.
        RoundingNoise noise =
                RoundingNoise.of(
                        tensor(
                                new float[] {-1, -2, 2.5f, 3},
                                grid(0.5f, CodeRange.unsigned(3), 2),
                                false));
        assertEquals(0.5, noise.saturation());
        assertEquals(10 * Math.log10((1 + 4 + 6.25 + 9) / (1 + 0.25)), noise.sqnr(), FLOAT_ERROR);
    }

    @Test
    void doesNotCallClippedWhatReluMakesZero() {
        RoundingNoise noise =
                RoundingNoise.of(
                        tensor(
                                new float[] {-3, 1.2f, 9, -0.1f},
                                grid(1, CodeRange.unsigned(3), 0),
                                true));
        assertEquals(0.25, noise.saturation());
        assertEquals(10 * Math.log10((1.44 + 81) / (0.04 + 4)), noise.sqnr(), FLOAT_ERROR);
    }

    @Test
    void usesTheScaleOfEachChannel() {
        INDArray values = RowMajor.array(new float[] {1, 10, 2, 20, 9, 30}, 3, 2);
        QuantizedTensor.Grid grid =
                new QuantizedTensor.Grid(
                        "scaleW",
                        RowMajor.array(new float[] {1, 10}, 2),
                        Channels.axis(1),
                        CodeRange.narrow(4),
                        0);
        RoundingNoise noise = RoundingNoise.of(new QuantizedTensor("W", true, values, grid, false));
        assertEquals(1.0 / 6, noise.saturation());
        assertEquals(
                10 * Math.log10((1 + 100 + 4 + 400 + 81 + 900) / 4.0), noise.sqnr(), FLOAT_ERROR);
    }

    @Test
    void measuresHalfPrecisionToo() {
        // 2049 lies between the halves 2048 and 2050, ties to even; 70000 is above the largest.
        RoundingNoise noise = RoundingNoise.of(tensor(new float[] {2049, 1}, null, false));
        assertEquals(0, noise.saturation());
        assertEquals(10 * Math.log10(2049.0 * 2049 + 1), noise.sqnr(), FLOAT_ERROR);
        RoundingNoise tooLarge = RoundingNoise.of(tensor(new float[] {70000, 1}, null, false));
        assertEquals(0.5, tooLarge.saturation());
        assertEquals(Double.NEGATIVE_INFINITY, tooLarge.sqnr());
    }

    @Property(tries = 100)
    void isUnchangedWhenValuesAndScaleDouble(@ForAll("values") float[] values) {
        float[] doubled = values.clone();
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] *= 2;
        }
        RoundingNoise once =
                RoundingNoise.of(tensor(values, grid(0.3f, CodeRange.narrow(4), 0), false));
        RoundingNoise twice =
                RoundingNoise.of(tensor(doubled, grid(0.6f, CodeRange.narrow(4), 0), false));
        assertEquals(once.saturation(), twice.saturation());
        assertEquals(once.sqnr(), twice.sqnr());
    }

    @Property(tries = 100)
    void findsNoNoiseInValuesOfTheGrid(@ForAll("codes") int[] codes) {
        float[] values = new float[codes.length];
        for (int i = 0; i < codes.length; i++) {
            values[i] = codes[i] * 0.25f;
        }
        RoundingNoise noise =
                RoundingNoise.of(tensor(values, grid(0.25f, CodeRange.narrow(4), 0), false));
        assertEquals(0, noise.saturation());
        assertEquals(Double.POSITIVE_INFINITY, noise.sqnr());
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.floats().between(-4, 4).array(float[].class).ofMinSize(1).ofMaxSize(40);
    }

    @Provide
    Arbitrary<int[]> codes() {
        return Arbitraries.integers().between(-7, 7).array(int[].class).ofMinSize(1).ofMaxSize(40);
    }
}
