// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.numeric.OutputFunction.BoxGrid;
import org.dl4jquant.numeric.OutputFunction.Clamp;
import org.dl4jquant.numeric.OutputFunction.Pointwise;
import org.dl4jquant.numeric.OutputFunction.Slope;
import org.dl4jquant.numeric.OutputFunction.Softmax;
import org.junit.jupiter.api.Test;

class OutputFunctionTest {

    /** Each probability is rounded to float32 once; their sum errs by less than this. */
    private static final double SUM_OF_ROUNDINGS = 1e-6;

    private static float[] applied(OutputFunction function, Shape shape, float... values) {
        float[] changed = values.clone();
        function.applyInPlace(changed, values.length / shape.elements(), shape);
        return changed;
    }

    /** The values of e^x / sum were computed with 50 digits by bc, and rounded to float32. */
    @Test
    void softmaxHasItsKnownValues() {
        assertArrayEquals(
                new float[] {0.09003057f, 0.24472848f, 0.66524094f, 1 / 3f, 1 / 3f, 1 / 3f},
                applied(new Softmax(0), Shape.of(3), 1, 2, 3, 7, 7, 7));
    }

    @Test
    void softmaxGoesAlongItsAxis() {
        // two examples of two channels and three pixels; each pair of channels is 0 and 0, or 0 and
        // a large number
        float[] pixels = {0, 0, 900, 0, 900, 0, 0, 0, 0, 0, 0, 0};
        assertArrayEquals(
                new float[] {.5f, 0, 1, .5f, 1, 0, .5f, .5f, .5f, .5f, .5f, .5f},
                applied(new Softmax(0), Shape.of(2, 3), pixels));
        assertArrayEquals(
                new float[] {.5f, .5f, 0, 1, .5f, .5f},
                applied(new Softmax(1), Shape.of(3, 2), 5, 5, -900, 900, 0, 0));
    }

    /** By hand: e^0 = 1, and the sigmoid of 0 is a half; two places of a box with two classes. */
    @Test
    void aGridOfBoxesHasItsKnownValues() {
        BoxGrid grid = new BoxGrid(false, List.of(3f, 0.25f));
        float[] expected = {.5f, 1, .5f, 0, 3, 3, .25f, .25f, .5f, 1, .5f, 1, .5f, 0};
        float[] values = {0, 99, 0, -999, 0, 0, 0, 0, 0, 99, 0, 500, 0, -500};
        assertArrayEquals(expected, applied(grid, Shape.of(7, 1, 2), values));
        assertEquals("box_grid first 3.0 0.25", grid.text());
    }

    @Property
    void softmaxIsADistributionAndIgnoresAnEqualShift(@ForAll("values") float[] values) {
        Shape shape = Shape.of(values.length);
        float[] found = applied(new Softmax(0), shape, values);
        double sum = 0;
        for (float each : found) {
            assertTrue(each >= 0 && each <= 1);
            sum += each;
        }
        assertEquals(1, sum, SUM_OF_ROUNDINGS);
        float[] shifted = values.clone();
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += 64; // exact: the values are multiples of 1/16
        }
        assertArrayEquals(found, applied(new Softmax(0), shape, shifted));
    }

    @Provide
    Arbitrary<float[]> values() {
        return Arbitraries.integers()
                .between(-400, 400)
                .map(number -> number / 16f)
                .array(Float[].class)
                .ofMinSize(1)
                .ofMaxSize(40)
                .map(
                        boxed -> {
                            float[] plain = new float[boxed.length];
                            for (int i = 0; i < plain.length; i++) {
                                plain[i] = boxed[i];
                            }
                            return plain;
                        });
    }

    @Test
    void rectifiersAreSingleFloat32Operations() {
        assertArrayEquals(
                new float[] {0, 0, 3.65f},
                applied(new Clamp(0, Float.POSITIVE_INFINITY), Shape.of(3), -2.97f, 0, 3.65f));
        assertArrayEquals(
                new float[] {-1, 0.5f, 6}, applied(new Clamp(-1, 6), Shape.of(3), -2, 0.5f, 9));
        assertArrayEquals(
                new float[] {-2.97f * 0.3f, 3.65f},
                applied(new Slope(0, 0.3f), Shape.of(2), -2.97f, 3.65f));
        assertArrayEquals(
                new float[] {0.3f * (0.9f - 1), 1, 1.5f},
                applied(new Slope(1, 0.3f), Shape.of(3), 0.9f, 1, 1.5f));
        float[] flat = applied(new Slope(1, 0), Shape.of(2), 0.9f, -7);
        assertArrayEquals(new float[] {0, 0}, flat);
        assertEquals(0, Float.floatToRawIntBits(flat[1]), "+0, not -0");
    }

    @Property
    void nanStaysNanAndNothingElseBecomesNan(@ForAll("functions") OutputFunction function) {
        Shape shape = Shape.of(2);
        float[] found = applied(function, shape, Float.NaN, Float.NaN, 3, -2, -88.5f, 120);
        assertTrue(Float.isNaN(found[0]) && Float.isNaN(found[1]), () -> "" + function);
        for (int i = 2; i < found.length; i++) {
            assertTrue(Float.isFinite(found[i]), () -> "" + function);
        }
    }

    @Property
    void theTextOfFunctionsGivesThemBack(
            @ForAll("functions") OutputFunction first, @ForAll("functions") OutputFunction second) {
        for (List<OutputFunction> all : List.of(List.of(first), List.of(first, second))) {
            assertEquals(all, OutputFunction.parse(OutputFunction.text(all)));
        }
    }

    @Provide
    Arbitrary<OutputFunction> functions() {
        Arbitrary<Float> number = Arbitraries.floats().between(-9, 9);
        return Arbitraries.oneOf(
                Arbitraries.just(new Clamp(0, Float.POSITIVE_INFINITY)),
                Arbitraries.just(new Clamp(Float.NEGATIVE_INFINITY, 6)),
                number.map(least -> new Clamp(least, least + 1)),
                Combinators.combine(number, number).as(Slope::new),
                Arbitraries.just(new Softmax(0)),
                number.map(each -> new Pointwise(new ElementwiseFunction.Elu(each))),
                number.map(each -> new Pointwise(new ElementwiseFunction.ThresholdedRelu(each))),
                Combinators.combine(number, number)
                        .as(
                                (threshold, slope) ->
                                        new Pointwise(
                                                new ElementwiseFunction.PiecewiseLinear(
                                                        20, threshold, slope))),
                Arbitraries.of(ElementwiseFunction.Fixed.class).map(Pointwise::new));
    }

    @Test
    void refusesATextThatIsNoFunction() {
        for (String text :
                List.of("", "softmax", "softmax x", "softmax 00", "clamp 1 0", "slope 1", "relu")) {
            String message =
                    assertThrows(IllegalArgumentException.class, () -> OutputFunction.parse(text))
                            .getMessage();
            assertEquals(
                    "'"
                            + text
                            + "' is no function of results that this version knows; write the file"
                            + " again, or use the version that wrote it",
                    message);
        }
    }

    @Test
    void refusesWhatIsNoFunction() {
        assertEquals(
                "a clamp to [1.0, 0.0] leaves nothing",
                assertThrows(IllegalArgumentException.class, () -> new Clamp(1, 0)).getMessage());
        assertEquals(
                "threshold 0.0 and slope NaN must be finite",
                assertThrows(IllegalArgumentException.class, () -> new Slope(0, Float.NaN))
                        .getMessage());
        assertEquals(
                "softmax along axis -1",
                assertThrows(IllegalArgumentException.class, () -> new Softmax(-1)).getMessage());
        assertEquals(
                "softmax along axis 1 of examples [3]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> applied(new Softmax(1), Shape.of(3), 1, 2, 3))
                        .getMessage());
    }
}
