// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.numeric.ElementwiseFunction.PiecewiseLinear;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges, tables, packed codes, weights: the values that arithmetic works on. */
final class CodesTest {

    private static String refusal(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }

    @ParameterizedTest
    @CsvSource({"2, -2, 1, 3", "3, -4, 3, 7", "4, -8, 7, 15", "8, -128, 127, 255"})
    void rangesOfAWidth(int bits, int min, int max, int unsignedMax) {
        assertEquals(new CodeRange(min, max), CodeRange.signed(bits));
        assertEquals(new CodeRange(-max, max), CodeRange.narrow(bits));
        assertEquals(new CodeRange(0, unsignedMax), CodeRange.unsigned(bits));
        assertEquals(bits, CodeRange.signed(bits).bits());
        assertEquals(bits, CodeRange.narrow(bits).bits());
        assertEquals(bits, CodeRange.unsigned(bits).bits());
    }

    @Test
    void aRangeReadsItsContainers() {
        assertEquals(-1, CodeRange.signed(8).decode((byte) 255));
        assertEquals(255, CodeRange.unsigned(8).decode((byte) 255));
        assertTrue(CodeRange.narrow(4).signed());
        assertFalse(CodeRange.unsigned(1).signed());
        assertEquals(7, CodeRange.signed(4).clamp(12));
        assertEquals(-8, CodeRange.signed(4).clamp(-12));
    }

    @Test
    void refusesARangeThatIsEmptyOrWiderThanTwoBytes() {
        assertEquals(
                "code range [3, 3] is empty: min must be below max",
                refusal(() -> new CodeRange(3, 3)));
        String wide = " does not fit two bytes: use [-32768, 32767] or [0, 65535] at most";
        assertEquals("code range [-1, 32768]" + wide, refusal(() -> new CodeRange(-1, 32768)));
        assertEquals("code range [0, 65536]" + wide, refusal(() -> new CodeRange(0, 65536)));
        assertEquals("9 bits are outside [1, 8], and not 16", refusal(() -> CodeRange.unsigned(9)));
        assertEquals("1 bits are outside [2, 8], and not 16", refusal(() -> CodeRange.signed(1)));
    }

    @Test
    void codesOfSixteenBitsTakeTwoBytesTheLowerOneFirst() {
        byte[] bytes = new byte[6];
        CodeRange signed = CodeRange.signed(CodeRange.WIDE_BITS);
        signed.encode(-2, bytes, 0);
        signed.encode(0x1234, bytes, 1);
        signed.encode(Short.MIN_VALUE, bytes, 2);
        assertArrayEquals(new byte[] {-2, -1, 0x34, 0x12, 0, -128}, bytes);
        assertEquals(-2, signed.decode(bytes, 0));
        assertEquals(0x1234, signed.decode(bytes, 1));
        assertEquals(Short.MIN_VALUE, signed.decode(bytes, 2));
        assertEquals(0xfffe, CodeRange.unsigned(CodeRange.WIDE_BITS).decode(bytes, 0));
        assertTrue(new CodeRange(0, 256).isWide() && new CodeRange(-129, 0).isWide());
        assertTrue(!CodeRange.unsigned(8).isWide() && !CodeRange.signed(8).isWide());
    }

    @ParameterizedTest
    @ValueSource(floats = {0, -1, Float.NaN, Float.POSITIVE_INFINITY})
    void refusesAScaleThatIsNotAFinitePositiveNumber(float scale) {
        assertEquals(
                "scale " + scale + " is not a finite number above 0",
                refusal(() -> new QuantParams(scale, 0, CodeRange.signed(8))));
    }

    @Test
    void refusesAZeroPointOutsideTheCodes() {
        assertEquals(
                "zero point -1 is outside the codes [0, 255]",
                refusal(() -> new QuantParams(1, -1, CodeRange.unsigned(8))));
    }

    @ParameterizedTest
    @CsvSource({
        "SIGMOID, 0.5, 0.6224593312018546",
        "TANH, 0.5, 0.46211715726000975",
        "SWISH, 1, 0.7310585786300049",
        "SOFTPLUS, 0, 0.6931471805599453",
        "SOFTSIGN, -3, -0.75",
        "HARD_SIGMOID, 1, 0.7",
        "HARD_SIGMOID, 9, 1",
        "HARD_TANH, -4, -1",
        "CUBE, -2, -8",
        "RECTIFIED_TANH, -1, 0",
        "RECTIFIED_TANH, 0.5, 0.46211715726000975",
        "RATIONAL_TANH, -1.5, -1.3273752799193923",
        "SELU, 2, 2.101401974710961",
        "SELU, -1, -1.1113307378125625",
        "MISH, 1, 0.8650983882673103",
        "IDENTITY, -2, -2",
        "GELU, 1, 0.8314462256635704"
    })
    void functionsHaveTheirKnownValues(
            ElementwiseFunction.Fixed function, double x, double expected) {
        // One unit in the last place of a double per operation.
        assertEquals(expected, function.apply(x), 1e-15);
    }

    @ParameterizedTest
    @CsvSource({
        "Infinity, 0, 0.1, -2, -0.2",
        "Infinity, 0, 0.1, 2, 2",
        "6, 0, 0, 9, 6",
        "6, 0, 0, -9, 0",
        "Infinity, 1, 0, 0.9, 0",
        "Infinity, 1, 0, 1, 1",
        "Infinity, 1, 0.5, -1, -1",
        "-1.5, 0, 0, 3, -1.5"
    })
    void functionsOfTheReluFamilyHaveTheirKnownValues(
            double max, float threshold, double slope, double x, double expected) {
        assertEquals(expected, new PiecewiseLinear(max, threshold, slope).apply(x), 1e-15);
    }

    @Test
    void otherFunctionsWithParametersHaveTheirKnownValues() {
        assertEquals(-0.06321205588285576, new ElementwiseFunction.Elu(0.1).apply(-1), 1e-15);
        assertEquals(0, new ElementwiseFunction.ThresholdedRelu(0.5f).apply(0.5));
        assertEquals(0.75, new ElementwiseFunction.ThresholdedRelu(0.5f).apply(0.75));
        assertEquals(
                "the function's slope is NaN; it must be a number",
                refusal(() -> new PiecewiseLinear(1, 0, Double.NaN)));
    }

    @Test
    void aTableHoldsTheRoundedFunctionOfEveryCode() {
        QuantParams input = new QuantParams(1 / 16f, 0, CodeRange.signed(8));
        QuantParams output = new QuantParams(1 / 256f, 0, CodeRange.unsigned(8));
        CodeTable sigmoid = CodeTable.from(ElementwiseFunction.Fixed.SIGMOID::apply, input, output);
        assertEquals((byte) 128, sigmoid.lookUp((byte) 0));
        assertEquals((byte) 187, sigmoid.lookUp((byte) 16)); // sigmoid(1) * 256 = 187.15
        assertEquals((byte) 69, sigmoid.lookUp((byte) -16)); // sigmoid(-1) * 256 = 68.85
        assertEquals((byte) 255, sigmoid.lookUp((byte) 127));
    }

    @Test
    void theTableOfTheIdentityAtOneScaleChangesNothing() {
        for (CodeRange range : List.of(CodeRange.signed(8), CodeRange.unsigned(8))) {
            QuantParams params = new QuantParams(0.37f, 5, range);
            CodeTable identity = CodeTable.from(DoubleUnaryOperator.identity(), params, params);
            for (int container = 0; container < CodeTable.SIZE; container++) {
                assertEquals((byte) container, identity.lookUp((byte) container));
            }
        }
    }

    @Test
    void codesOutsideTheInputsRangeHaveTheEntryOfTheNearest() {
        QuantParams narrow = new QuantParams(1, 0, CodeRange.unsigned(4));
        CodeTable identity = CodeTable.from(DoubleUnaryOperator.identity(), narrow, narrow);
        assertEquals(15, identity.lookUp((byte) 200));
    }

    @Test
    void refusesAFunctionThatIsNotFiniteOnACode() {
        QuantParams params = new QuantParams(1, 0, CodeRange.unsigned(8));
        assertEquals(
                "the function's value at code 0 (0.0) is Infinity, which no code stands for",
                refusal(() -> CodeTable.from(x -> 1 / x, params, params)));
        assertEquals(
                "3 entries are no table; it has 256", refusal(() -> CodeTable.of(new byte[3])));
    }

    @Property
    void unpackingGivesThePackedCodesBack(@ForAll("nibbles") byte[] codes) {
        byte[] packed = PackedInt4.pack(codes);
        assertEquals((codes.length + 1) / 2, packed.length);
        assertArrayEquals(codes, PackedInt4.unpack(packed, codes.length));
    }

    @Provide
    Arbitrary<byte[]> nibbles() {
        return Arbitraries.bytes().between((byte) -8, (byte) 7).array(byte[].class).ofMaxSize(33);
    }

    @Test
    void theFirstCodeStandsInTheLowNibble() {
        assertArrayEquals(new byte[] {(byte) 0x8f, 0x03}, PackedInt4.pack(new byte[] {-1, -8, 3}));
    }

    @Test
    void refusesToPackWhatIsWiderThanFourBits() {
        assertEquals(
                "code 8 at 1 does not fit 4 bits",
                refusal(() -> PackedInt4.pack(new byte[] {0, 8})));
        assertEquals(
                "2 bytes hold 3 or 4 codes, not 5",
                refusal(() -> PackedInt4.unpack(new byte[2], 5)));
    }

    @Test
    void weightsKeepTheirOwnCopies() {
        byte[] codes = {1, 2};
        float[] scales = {0.5f};
        int[] bias = {7};
        WeightTensor weights =
                WeightTensor.of(Shape.of(1, 2), CodeRange.narrow(8), codes, scales, bias);
        codes[0] = 9;
        scales[0] = 9;
        bias[0] = 9;
        weights.codes()[1] = 9;
        WeightTensor expected =
                WeightTensor.of(
                        Shape.of(1, 2),
                        CodeRange.narrow(8),
                        new byte[] {1, 2},
                        new float[] {0.5f},
                        new int[] {7});
        assertEquals(expected, weights);
        assertEquals(expected.hashCode(), weights.hashCode());
        assertEquals(2, weights.weightsPerChannel());
    }

    @Test
    void refusesWeightsThatDoNotFitTogether() {
        Shape shape = Shape.of(2, 2);
        CodeRange narrow = CodeRange.narrow(4);
        byte[] codes = new byte[4];
        float[] scales = {1, 1};
        int[] bias = new int[2];
        assertEquals(
                "weight codes [0, 255]: the range must be signed and narrow, within [-127, 127]"
                        + " or [-32767, 32767]",
                refusal(() -> WeightTensor.of(shape, CodeRange.unsigned(8), codes, scales, bias)));
        assertEquals(
                "3 weight codes for shape [2x2], which has 4 elements",
                refusal(() -> WeightTensor.of(shape, narrow, new byte[3], scales, bias)));
        assertEquals(
                "1 scales and 2 biases for 2 output channels",
                refusal(() -> WeightTensor.of(shape, narrow, codes, new float[1], bias)));
        assertEquals(
                "weight code -8 at 3 is outside [-7, 7]",
                refusal(
                        () ->
                                WeightTensor.of(
                                        shape, narrow, new byte[] {0, 0, 0, -8}, scales, bias)));
        assertEquals(
                "the weight scale of channel 1 is NaN; it must be finite and above 0",
                refusal(
                        () ->
                                WeightTensor.of(
                                        shape, narrow, codes, new float[] {1, Float.NaN}, bias)));
    }

    @Test
    void shapesMultiplyTheirSizes() {
        assertEquals(24, Shape.of(2, 3, 4).elements());
        assertTrue(Shape.of(2, 3, 4).isImage());
        assertEquals("[2x3x4]", Shape.of(2, 3, 4).toString());
        assertNotEquals(Shape.of(2, 3), Shape.of(3, 2));
        assertEquals(
                "shape [2, 0]: there must be at least one dimension and each must be above 0",
                refusal(() -> Shape.of(2, 0)));
        assertEquals(
                "shape []: there must be at least one dimension and each must be above 0",
                refusal(Shape::of));
    }
}
