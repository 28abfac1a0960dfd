// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.Layouts;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Compared with the paper's equations, written naively in float64, one element at a time. */
final class BackwardOracleTest {

    private static final int OUT = 6;
    private static final int IN = 40;

    /*
     * Our derivative and product are float32: each is off by at most 2^-24 of itself, and the sum
     * of 40 products of magnitude below 40 is rounded to float32 once more.
     */
    private static final float TOLERANCE = 40 * 40 * 0x1p-23f;

    /* The same sums in float64. */
    private static final double DOUBLE_TOLERANCE = 40 * 40 * 0x1p-52;

    private final float[] values = Floats.normal(OUT * IN, 1, 11);
    private final float[] upstream = Floats.normal(OUT * IN, 1, 12);

    @ParameterizedTest
    @CsvSource({"-128, 127, 0", "-3, 3, 0", "0, 255, 0", "0, 15, 6", "-8, 7, 7", "-2, 1, 0"})
    void gradientsOfEachLayout(int min, int max, int zeroPoint) {
        CodeRange range = new CodeRange(min, max);
        for (int axis = 0; axis < 2; axis++) {
            int channels = axis == 0 ? OUT : IN;
            Naive naive = new Naive(range, zeroPoint, axis, false);
            FakeQuantizer quantizer =
                    FakeQuantizer.of(range, zeroPoint, Estimator.LSQ, Channels.axis(axis));
            for (Map.Entry<String, INDArray> in : Layouts.of(values, OUT, IN).entrySet()) {
                for (INDArray gradient : Layouts.of(upstream, OUT, IN).values()) {
                    INDArray scaleGradient = Nd4j.valueArrayOf(new long[] {1, channels}, 99f);
                    quantizer.backward(
                            in.getValue(),
                            RowMajor.array(scales(channels), channels),
                            gradient,
                            gradient,
                            scaleGradient,
                            IN);
                    assertArrayEquals(naive.byValue, RowMajor.floats(gradient), in.getKey());
                    assertArrayEquals(
                            naive.byScale, RowMajor.floats(scaleGradient), TOLERANCE, in.getKey());
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"-128, 127, 0", "-3, 3, 0", "0, 255, 0", "0, 15, 6", "-8, 7, 7"})
    void gradientsOfDoubleArrays(int min, int max, int zeroPoint) {
        CodeRange range = new CodeRange(min, max);
        Naive naive = new Naive(range, zeroPoint, 0, true);
        INDArray scaleGradient = Nd4j.create(DataType.DOUBLE, OUT);
        INDArray gradient = doubles(upstream);
        FakeQuantizer.of(range, zeroPoint, Estimator.LSQ, Channels.axis(0))
                .backward(
                        doubles(values),
                        RowMajor.array(scales(OUT), OUT).castTo(DataType.DOUBLE),
                        gradient,
                        gradient,
                        scaleGradient,
                        IN);
        assertArrayEquals(naive.byValue, RowMajor.floats(gradient));
        double[] found = RowMajor.doubles(scaleGradient);
        for (int channel = 0; channel < OUT; channel++) {
            assertEquals(naive.wide[channel], found[channel], DOUBLE_TOLERANCE);
        }
    }

    @Test
    void theScaleOfTheTensorSumsAllElements() {
        Naive naive = new Naive(CodeRange.signed(4), 0, -1, false);
        INDArray scaleGradient = Nd4j.create(DataType.FLOAT, 1);
        FakeQuantizer.of(CodeRange.signed(4), 0, Estimator.LSQ, Channels.NONE)
                .backward(
                        RowMajor.array(values, OUT, IN),
                        RowMajor.array(scales(1), 1),
                        RowMajor.array(upstream, OUT, IN),
                        Nd4j.create(DataType.FLOAT, OUT, IN),
                        scaleGradient,
                        IN);
        assertArrayEquals(naive.byScale, RowMajor.floats(scaleGradient), OUT * TOLERANCE);
    }

    private static INDArray doubles(float[] elements) {
        return RowMajor.array(elements, OUT, IN).castTo(DataType.DOUBLE);
    }

    private static float[] scales(int channels) {
        float[] scales = new float[channels];
        for (int i = 0; i < channels; i++) {
            scales[i] = .02f + .03f * i;
        }
        return scales;
    }

    /** Equations 3 and 4 of the paper, with the zero point's code standing for 0. */
    private final class Naive {

        private final float[] byValue = new float[OUT * IN];
        private final float[] byScale;
        private final double[] wide;

        Naive(CodeRange range, int zeroPoint, int axis, boolean inFloat64) {
            int channels = axis < 0 ? 1 : axis == 0 ? OUT : IN;
            wide = new double[channels];
            byScale = new float[channels];
            int smallest = range.min() - zeroPoint;
            int largest = range.max() - zeroPoint;
            int positive = Math.max(largest, (largest - smallest) / 2);
            for (int i = 0; i < OUT * IN; i++) {
                int channel = axis < 0 ? 0 : axis == 0 ? i / IN : i % IN;
                float scale = scales(channels)[channel];
                double codes = inFloat64 ? (double) values[i] / scale : values[i] / scale;
                double derivative;
                byValue[i] = upstream[i] * 0;
                if (codes <= smallest) {
                    derivative = smallest;
                } else if (codes >= largest) {
                    derivative = largest;
                } else {
                    derivative = -codes + Math.rint(codes);
                    byValue[i] = upstream[i];
                }
                wide[channel] += upstream[i] * derivative / Math.sqrt((double) IN * positive);
            }
            for (int channel = 0; channel < channels; channel++) {
                byScale[channel] = (float) wide[channel];
            }
        }
    }
}
