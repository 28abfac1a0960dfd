// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.scheme.Estimator;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Both implementations round exactly, to the last bit, as {@link Rounding} does. */
final class SharedRoundingTest {

    @Provide
    Arbitrary<Floats.Case> cases() {
        return Floats.cases();
    }

    @Provide
    Arbitrary<Kernels> kernels() {
        return Arbitraries.of(HostKernels.INSTANCE, Nd4jKernels.INSTANCE);
    }

    @Property(tries = 500, edgeCases = EdgeCasesMode.NONE)
    void valuesAreThoseOfTheSharedArithmetic(
            @ForAll("cases") Floats.Case given, @ForAll("kernels") Kernels kernels) {
        INDArray values = RowMajor.array(given.array(), given.values().size());
        kernels.round(given.grid(), values, scale(given), values);
        float[] rounded = RowMajor.floats(values);
        for (int i = 0; i < rounded.length; i++) {
            float expected =
                    Rounding.dequantize(code(given, i), given.scale(), given.grid().zeroPoint());
            assertSameBits(expected, rounded[i], given.values().get(i));
        }
    }

    @Property(tries = 500, edgeCases = EdgeCasesMode.NONE)
    void codesAreThoseOfTheSharedArithmetic(
            @ForAll("cases") Floats.Case given, @ForAll("kernels") Kernels kernels) {
        INDArray values = RowMajor.array(given.array(), given.values().size());
        kernels.quantize(given.grid(), values, scale(given), values);
        float[] codes = RowMajor.floats(values);
        for (int i = 0; i < codes.length; i++) {
            float expected = code(given, i) - given.grid().zeroPoint();
            assertSameBits(expected, codes[i], given.values().get(i));
        }
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void containersHoldTheCodes(@ForAll("cases") Floats.Case given) {
        Grid grid = given.grid();
        byte[] containers =
                FakeQuantizer.of(grid.range(), grid.zeroPoint(), Estimator.STE, grid.channels())
                        .containers(
                                RowMajor.array(given.array(), given.values().size()), scale(given));
        for (int i = 0; i < containers.length; i++) {
            assertEquals(code(given, i), grid.range().decode(containers[i]));
        }
    }

    /** The chunks' rounding is right only up to 2^22; these are all the numbers that matter. */
    @Test
    void clampingBeforeRoundingIsTheSameAsRoundingBeforeClamping() {
        int bound = 255;
        IntStream.rangeClosed(-bound - 3, bound + 3)
                .forEach(
                        code -> {
                            for (float middle : new float[] {code, code + .5f}) {
                                assertRoundsLikeRint(middle, bound);
                                assertRoundsLikeRint(Math.nextUp(middle), bound);
                                assertRoundsLikeRint(Math.nextDown(middle), bound);
                            }
                        });
        for (int exponent = 0; exponent < 255; exponent++) {
            for (int mantissa = 0; mantissa < 1 << 23; mantissa += 8191) {
                float number = Float.intBitsToFloat(exponent << 23 | mantissa);
                assertRoundsLikeRint(number, bound);
                assertRoundsLikeRint(-number, bound);
            }
        }
    }

    private static void assertRoundsLikeRint(float number, int bound) {
        float[] chunk = {number};
        ChunkMath.clampedRint(chunk, 1, -bound, bound);
        double expected = Math.max(-bound, Math.min(bound, Math.rint(number)));
        assertSameBits((float) expected + 0f, chunk[0], number);
    }

    /** All magnitudes below 2^34. */
    @Test
    void accumulatorsAreRoundedLikeRint() {
        float[] ones = {1};
        for (int exponent = 0; exponent < 127 + 34; exponent++) {
            for (int mantissa = 0; mantissa < 1 << 23; mantissa += 4095) {
                for (int sign = 0; sign < 2; sign++) {
                    float number = Float.intBitsToFloat(sign << 31 | exponent << 23 | mantissa);
                    float[] chunk = {number};
                    ChunkMath.multiplyRounded(chunk, ones, 1);
                    assertSameBits((float) Math.rint(number) + 0f, chunk[0], number);
                }
            }
        }
    }

    @Test
    void accumulatorsAtTiesAreRoundedToEven() {
        float[] chunk = {.5f, 1.5f, 2.5f, -.5f, -1.5f, -2.5f, 4194303.5f, 4194304.5f, 8388607.5f};
        float[] ones = {1, 1, 1, 1, 1, 1, 1, 1, 1};
        ChunkMath.multiplyRounded(chunk, ones, 9);
        assertArrayEquals(new float[] {0, 2, 2, 0, -2, -2, 4194304, 4194304, 8388608}, chunk);
    }

    @Property(tries = 2)
    void notANumberStaysNotANumber(@ForAll("kernels") Kernels kernels) {
        INDArray values = RowMajor.array(new float[] {Float.NaN, 1}, 2);
        kernels.round(
                new Grid(CodeRange.signed(8), 0, Channels.NONE),
                values,
                RowMajor.array(new float[] {1}, 1),
                values);
        assertTrue(Float.isNaN(values.getFloat(0)));
        assertEquals(1, values.getFloat(1));
    }

    /** 0.5 and a little is a tie in float32 but not in float64. */
    @Test
    void doubleArraysAreRoundedInFloat64ButTheirCodesInFloat32() {
        FakeQuantizer quantizer =
                FakeQuantizer.of(CodeRange.signed(8), 0, Estimator.LSQ, Channels.NONE);
        INDArray values = Nd4j.createFromArray(.5 + 1e-12, 2.25, -1e300);
        INDArray scale = Nd4j.createFromArray(1.0);
        INDArray result = Nd4j.create(DataType.DOUBLE, 3);
        quantizer.forward(values, scale, result);
        assertArrayEquals(new double[] {1, 2, -128}, result.data().asDouble());
        quantizer.codes(values, scale, result);
        assertArrayEquals(new double[] {0, 2, -128}, result.data().asDouble());
    }

    private static int code(Floats.Case given, int index) {
        Grid grid = given.grid();
        return Rounding.quantize(
                given.values().get(index), given.scale(), grid.zeroPoint(), grid.range());
    }

    private static INDArray scale(Floats.Case given) {
        return RowMajor.array(new float[] {given.scale()}, 1);
    }

    private static void assertSameBits(float expected, float found, float of) {
        assertEquals(
                Float.floatToRawIntBits(expected),
                Float.floatToRawIntBits(found),
                () -> expected + " expected of " + of + ", but found " + found);
    }
}
