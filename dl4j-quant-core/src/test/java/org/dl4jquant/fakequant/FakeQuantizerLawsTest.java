// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The laws of rounding and its gradients, for all numbers. */
final class FakeQuantizerLawsTest {

    private static final int ROWS = 5;
    private static final int COLUMNS = 9;
    private static final int LENGTH = ROWS * COLUMNS;

    /* A difference quotient of float32 numbers: relative error of a few 2^-23 over a step of 1 %. */
    private static final double QUOTIENT_TOLERANCE = 1e-3;

    @Provide
    Arbitrary<float[]> tensors() {
        return Arbitraries.floats()
                .between(-4, 4)
                .ofScale(6)
                .list()
                .ofSize(LENGTH)
                .map(Floats::floats);
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void roundingTwiceIsRoundingOnce(
            @ForAll("tensors") float[] values, @ForAll @IntRange(min = 2, max = 8) int bits) {
        FakeQuantizer quantizer = quantizer(CodeRange.signed(bits), Estimator.LSQ);
        float[] once = forward(quantizer, values, .0371f);
        assertArrayEquals(once, forward(quantizer, once, .0371f));
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void theUnitDoesNotMatter(
            @ForAll("tensors") float[] values, @ForAll @IntRange(min = -9, max = 9) int exponent) {
        FakeQuantizer quantizer = quantizer(CodeRange.signed(4), Estimator.LSQ);
        float unit = (float) Math.pow(2, exponent);
        float[] larger = times(values, unit);
        assertArrayEquals(
                times(forward(quantizer, values, .3f), unit),
                forward(quantizer, larger, .3f * unit));
        assertArrayEquals(
                gradients(quantizer, values, .3f), gradients(quantizer, larger, .3f * unit));
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void unsignedCodesWithTheZeroPointInTheMiddleAreSignedCodes(@ForAll("tensors") float[] values) {
        FakeQuantizer signed = quantizer(CodeRange.signed(8), Estimator.LSQ);
        FakeQuantizer unsigned =
                FakeQuantizer.of(CodeRange.unsigned(8), 128, Estimator.LSQ, Channels.NONE);
        assertArrayEquals(forward(signed, values, .02f), forward(unsigned, values, .02f));
        assertArrayEquals(gradients(signed, values, .02f), gradients(unsigned, values, .02f));
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void eachChannelIsATensorOfItsOwn(@ForAll("tensors") float[] values) {
        float[] scales = {.1f, .2f, .3f, .4f, .5f};
        FakeQuantizer perChannel =
                FakeQuantizer.of(CodeRange.narrow(3), 0, Estimator.LSQ, Channels.axis(0));
        FakeQuantizer alone = quantizer(CodeRange.narrow(3), Estimator.LSQ);
        INDArray in = RowMajor.array(values, ROWS, COLUMNS);
        INDArray scale = RowMajor.array(scales, ROWS);
        INDArray out = in.ulike();
        INDArray gradientIn = in.ulike();
        INDArray scaleGradient = scale.ulike();
        perChannel.forward(in, scale, out);
        perChannel.backward(in, scale, out, gradientIn, scaleGradient, COLUMNS);
        for (int row = 0; row < ROWS; row++) {
            INDArray part = in.getRow(row);
            INDArray partOut = part.ulike();
            INDArray partScale = RowMajor.array(new float[] {scales[row]}, 1);
            INDArray partGradient = partScale.ulike();
            alone.forward(part, partScale, partOut);
            assertEquals(out.getRow(row), partOut);
            alone.backward(part, partScale, partOut, partOut, partGradient, COLUMNS);
            assertEquals(gradientIn.getRow(row), partOut);
            assertEquals(scaleGradient.getFloat(row), partGradient.getFloat(0), 1e-6f);
        }
    }

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void withoutAGradientTheScaleStaysAndValuesLearnAllTheSame(@ForAll("tensors") float[] values) {
        CodeRange range = CodeRange.signed(2);
        float[] learned = gradients(quantizer(range, Estimator.LSQ), values, .7f);
        float[] fixed = gradients(quantizer(range, Estimator.STE), values, .7f);
        assertEquals(0, fixed[LENGTH]);
        fixed[LENGTH] = learned[LENGTH];
        assertArrayEquals(learned, fixed);
    }

    /** Where every value is clipped, the result is differentiable by the scale. */
    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
    void clippedValuesHaveTheDifferenceQuotientAsScaleGradient(@ForAll("tensors") float[] values) {
        FakeQuantizer quantizer = quantizer(CodeRange.signed(3), Estimator.LSQ);
        float[] clipped = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            clipped[i] = values[i] < 0 ? values[i] - 5 : values[i] + 5;
        }
        double quotient =
                (loss(forward(quantizer, clipped, 1.01f)) - loss(forward(quantizer, clipped, 1)))
                        / (1.01f - 1f);
        double gradient =
                gradients(quantizer, clipped, 1)[LENGTH] / quantizer.gradientScale(LENGTH);
        assertEquals(quotient, gradient, QUOTIENT_TOLERANCE * Math.max(1, Math.abs(quotient)));
    }

    @Test
    void threadsDoNotDisturbEachOther() throws Exception {
        FakeQuantizer quantizer = quantizer(CodeRange.signed(8), Estimator.LSQ);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            Callable<float[]> work = () -> forward(quantizer, Floats.normal(LENGTH, 1, 5), .031f);
            float[] expected = work.call();
            for (Future<float[]> result :
                    pool.invokeAll(IntStream.range(0, 200).mapToObj(i -> work).toList())) {
                assertArrayEquals(expected, result.get());
            }
        } finally {
            pool.shutdown();
        }
    }

    private static FakeQuantizer quantizer(CodeRange range, Estimator estimator) {
        return FakeQuantizer.of(range, 0, estimator, Channels.NONE);
    }

    private static float[] forward(FakeQuantizer quantizer, float[] values, float scale) {
        INDArray array = RowMajor.array(values, ROWS, COLUMNS);
        quantizer.forward(array, RowMajor.array(new float[] {scale}, 1), array);
        return RowMajor.floats(array);
    }

    /** The gradients of the values, then that of the scale. */
    private static float[] gradients(FakeQuantizer quantizer, float[] values, float scale) {
        INDArray upstream = RowMajor.array(weights(), ROWS, COLUMNS);
        INDArray scaleGradient = Nd4j.valueArrayOf(1, 77f);
        quantizer.backward(
                RowMajor.array(values, ROWS, COLUMNS),
                RowMajor.array(new float[] {scale}, 1),
                upstream,
                upstream,
                scaleGradient,
                LENGTH);
        float[] gradients = new float[LENGTH + 1];
        System.arraycopy(RowMajor.floats(upstream), 0, gradients, 0, LENGTH);
        gradients[LENGTH] = scaleGradient.getFloat(0);
        return gradients;
    }

    /** A loss that is linear in the rounded values. */
    private static double loss(float[] rounded) {
        double loss = 0;
        for (int i = 0; i < LENGTH; i++) {
            loss += (double) rounded[i] * weights()[i];
        }
        return loss;
    }

    private static float[] weights() {
        return Floats.normal(LENGTH, 1, 21);
    }

    private static float[] times(float[] numbers, float factor) {
        float[] products = numbers.clone();
        for (int i = 0; i < products.length; i++) {
            products[i] *= factor;
        }
        return products;
    }
}
