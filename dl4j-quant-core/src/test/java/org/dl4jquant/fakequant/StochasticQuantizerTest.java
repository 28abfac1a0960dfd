// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.Size;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The closed forms of mean, variance and gradients, and what never happens. */
final class StochasticQuantizerTest {

    private static final int DRAWS = 20_000;
    private static final int ITERATIONS = 4000;

    /* Seeds are fixed, so this decides once; five standard errors leave no room for a wrong mean. */
    private static final double STANDARD_ERRORS = 5;

    /* A few roundings of float32 in a sum of order 10, or of float64. */
    private static final double SINGLE = 1e-5;
    private static final double DOUBLE = 1e-13;

    private static final float SCALE = .5f;
    private static final CodeRange RANGE = CodeRange.signed(4);

    private static StochasticQuantizer quantizer(Estimator estimator, Channels channels, int draw) {
        return StochasticQuantizer.of(
                RANGE, 0, estimator, channels, CounterRandom.of(7, "x", draw));
    }

    private static INDArray scale() {
        return RowMajor.array(new float[] {SCALE}, 1);
    }

    /** {@return the code drawn for each value} */
    private static double[] codes(float[] values, int draw) {
        INDArray array = RowMajor.array(values, values.length);
        quantizer(Estimator.STE, Channels.NONE, draw).forward(array, scale(), array);
        return Arrays.stream(RowMajor.doubles(array)).map(value -> value / SCALE).toArray();
    }

    private static void requireMeanAndVariance(double number, double[] codes) {
        double fraction = number - Math.floor(number);
        double variance = fraction * (1 - fraction);
        double error = STANDARD_ERRORS * Math.sqrt(variance / codes.length);
        double mean = Arrays.stream(codes).average().orElseThrow();
        assertEquals(number, mean, error);
        double found = Arrays.stream(codes).map(code -> (code - mean) * (code - mean)).sum();
        // With the share p of codes above, the variance is p (1 - p), whose slope is below 1.
        assertEquals(variance, found / codes.length, error);
    }

    @ParameterizedTest
    @ValueSource(floats = {-6.25f, -2.9f, -.5f, -.01f, .3f, .5f, 1.75f, 6.99f})
    void overElementsMeanAndVarianceAreThoseOfTheClosedForm(float number) {
        float[] values = new float[DRAWS];
        Arrays.fill(values, number * SCALE);
        requireMeanAndVariance(number, codes(values, 3));
    }

    @ParameterizedTest
    @ValueSource(floats = {-2.9f, .3f, .5f})
    void overIterationsMeanAndVarianceAreThoseOfTheClosedForm(float number) {
        float[] value = {number * SCALE};
        double[] drawn =
                IntStream.range(0, ITERATIONS).mapToDouble(draw -> codes(value, draw)[0]).toArray();
        requireMeanAndVariance(number, drawn);
    }

    @Property(tries = 100)
    void codesAreFloorOrCeilingClipped(
            @ForAll @Size(12) List<@FloatRange(min = -6, max = 6) Float> drawn, @ForAll int draw) {
        float[] values = floats(drawn);
        double[] codes = codes(values, draw);
        for (int i = 0; i < values.length; i++) {
            double number = values[i] / SCALE;
            double low = Math.max(RANGE.min(), Math.min(RANGE.max(), Math.floor(number)));
            double high = Math.max(RANGE.min(), Math.min(RANGE.max(), Math.ceil(number)));
            assertTrue(codes[i] == low || codes[i] == high, () -> number + " is no neighbour");
        }
    }

    @Property(tries = 200)
    void valuesOfCodesStay(
            @ForAll @IntRange(min = -128, max = 127) int code,
            @ForAll @FloatRange(min = .01f, max = 100) @Scale(6) float scale,
            @ForAll int draw) {
        INDArray value = RowMajor.array(new float[] {code * scale}, 1);
        INDArray rounded = value.ulike();
        StochasticQuantizer.of(
                        CodeRange.signed(8),
                        0,
                        Estimator.STE,
                        Channels.NONE,
                        new CounterRandom(draw))
                .forward(value, RowMajor.array(new float[] {scale}, 1), rounded);
        assertArrayEquals(RowMajor.floats(value), RowMajor.floats(rounded));
    }

    @Test
    void nanStaysNan() {
        assertTrue(Double.isNaN(codes(new float[] {Float.NaN}, 0)[0]));
    }

    @Test
    void theMemoryLayoutDoesNotMatter() {
        INDArray rows = Nd4j.rand(DataType.FLOAT, 5, 7).muli(3);
        INDArray columns = rows.dup('f');
        INDArray ofRows = rows.ulike();
        INDArray ofColumns = Nd4j.create(DataType.FLOAT, new long[] {7, 5}, 'c').permute(1, 0);
        INDArray scales = RowMajor.array(new float[] {.3f, .4f, .5f, .6f, .7f}, 5);
        quantizer(Estimator.LSQ, Channels.axis(0), 1).forward(rows, scales, ofRows);
        quantizer(Estimator.LSQ, Channels.axis(0), 1).forward(columns, scales, ofColumns);
        assertArrayEquals(RowMajor.floats(ofRows), RowMajor.floats(ofColumns));
    }

    @Test
    void anyNumberOfThreadsDrawsTheSame() {
        float[] values = floats(IntStream.range(0, 999).mapToObj(i -> i * .01f - 4).toList());
        double[] alone = codes(values, 2);
        IntStream.range(0, 8)
                .parallel()
                .mapToObj(i -> codes(values, 2))
                .forEach(codes -> assertArrayEquals(alone, codes));
        assertFalse(Arrays.equals(alone, codes(values, 3)), "another iteration draws others");
    }

    /** The gradients of one backward pass. */
    private record Pass(INDArray values, INDArray scale, INDArray zeroPoint) {

        /** Back through drawn codes. */
        static Pass drawn(Estimator estimator, INDArray in, INDArray upstream, INDArray scale) {
            INDArray gradient = upstream.dup();
            INDArray byScale = scale.ulike();
            INDArray byZero = scale.ulike();
            quantizer(estimator, channels(scale), 1)
                    .backward(in, scale, gradient, gradient, byScale, byZero, 6);
            return new Pass(gradient, byScale, byZero);
        }

        /** Back through the nearest codes. */
        static Pass nearest(Estimator estimator, INDArray in, INDArray upstream, INDArray scale) {
            INDArray gradient = upstream.dup();
            INDArray byScale = scale.ulike();
            INDArray byZero = scale.ulike();
            FakeQuantizer.of(RANGE, 0, estimator, channels(scale))
                    .backward(in, scale, gradient, gradient, byScale, byZero, 6);
            return new Pass(gradient, byScale, byZero);
        }

        private static Channels channels(INDArray scale) {
            return scale.length() == 1 ? Channels.NONE : Channels.axis(1);
        }
    }

    private static void requireEqual(INDArray expected, INDArray found) {
        assertArrayEquals(RowMajor.doubles(expected), RowMajor.doubles(found));
    }

    private static INDArray values(DataType type) {
        return Nd4j.createFromArray(-9.3, -3.9, -2.2, -.7, .2, .45, .8, 1.3, 2.6, 3.4, 3.6, 7)
                .reshape(6, 2)
                .castTo(type);
    }

    private static INDArray upstream(DataType type) {
        return Nd4j.createFromArray(1.5, -1, .5, 2, -2.5, .25, 3, -1.25, 1, -.5, .75, 1)
                .reshape(6, 2)
                .castTo(type);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "DOUBLE"})
    void lsqsScaleHasTheGradientOfTheDrawnCodes(DataType type) {
        INDArray in = values(type);
        INDArray scales = Nd4j.createFromArray(.5, .7).castTo(type);
        INDArray rounded = in.ulike();
        quantizer(Estimator.LSQ, Channels.axis(1), 1).forward(in, scales, rounded);
        double[] expected = new double[2];
        boolean differs = false;
        for (int i = 0; i < 6; i++) {
            for (int channel = 0; channel < 2; channel++) {
                double number = in.getDouble(i, channel) / scales.getDouble(channel);
                double code = Math.rint(rounded.getDouble(i, channel) / scales.getDouble(channel));
                boolean inside = number > RANGE.min() && number < RANGE.max();
                differs |= inside && code != Math.rint(number);
                expected[channel] +=
                        upstream(type).getDouble(i, channel) * (inside ? code - number : code);
            }
        }
        assertTrue(differs, "the draws are those to nearest, so this shows nothing");
        double g = 1 / Math.sqrt(6 * RANGE.max());
        double[] found =
                RowMajor.doubles(Pass.drawn(Estimator.LSQ, in, upstream(type), scales).scale());
        double tolerance = type == DataType.FLOAT ? SINGLE : DOUBLE;
        assertArrayEquals(new double[] {g * expected[0], g * expected[1]}, found, tolerance);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "DOUBLE"})
    void allOtherGradientsAreThoseOfRoundingToNearest(DataType type) {
        INDArray in = values(type);
        INDArray up = upstream(type);
        INDArray scale = Nd4j.createFromArray(.5).castTo(type);
        for (Estimator estimator :
                List.of(
                        Estimator.STE,
                        Estimator.LSQ,
                        Estimator.LSQ_PLUS,
                        new Estimator.Pact(.1),
                        new Estimator.DoReFa(true))) {
            Pass drawn = Pass.drawn(estimator, in, up, scale);
            Pass nearest = Pass.nearest(estimator, in, up, scale);
            requireEqual(nearest.values(), drawn.values());
            requireEqual(nearest.zeroPoint(), drawn.zeroPoint());
            if (!(estimator instanceof Estimator.Lsq)) {
                requireEqual(nearest.scale(), drawn.scale());
            }
        }
    }

    @Test
    void refusesEwgs() {
        assertEquals(
                "Ewgs[delta=0.1] scales gradients by the distance to the nearest code, so it cannot"
                        + " round stochastically",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> quantizer(new Estimator.Ewgs(.1), Channels.NONE, 0))
                        .getMessage());
    }

    @Test
    void refusesScalesThatDoNotFit() {
        INDArray in = values(DataType.FLOAT);
        INDArray scales = RowMajor.array(new float[] {1, 2, 3}, 3);
        assertEquals(
                "3 scales for 2 channels; there must be one for each",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        quantizer(Estimator.LSQ, Channels.axis(1), 0)
                                                .forward(in, scales, in))
                        .getMessage());
    }

    private static float[] floats(List<Float> numbers) {
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = numbers.get(i);
        }
        return floats;
    }
}
