// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;

/** Numbers that are hard to round, and what to round them to. */
final class Floats {

    /** Every kind of float32 that is not near anything in particular. */
    private static final Float[] ODD = {
        0f,
        -0f,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        Float.MIN_NORMAL,
        1e-40f,
        -1e-40f,
        1e-20f,
        0x1p22f,
        0x1.000002p22f,
        0x1p23f,
        -0x1.fffffep22f,
        3e9f,
        -3e9f,
        1e30f,
        Float.MAX_VALUE,
        -Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
    };

    private Floats() {}

    /**
     * {@return values around the codes of a scale: ties, their neighbours, random and odd ones}
     *
     * @param scale units per code
     */
    static Arbitrary<Float> values(float scale) {
        Arbitrary<Integer> codes = Arbitraries.integers().between(-300, 300);
        Arbitrary<Float> ties = codes.map(code -> (code + .5f) * scale);
        return Arbitraries.oneOf(
                ties,
                ties.map(Math::nextUp),
                ties.map(Math::nextDown),
                codes.map(code -> code * scale),
                codes.map(code -> Math.nextUp(code * scale)),
                Arbitraries.floats().between(-300, 300).ofScale(6).map(code -> code * scale),
                Arbitraries.floats(),
                Arbitraries.of(ODD));
    }

    /** {@return scales from the smallest allowed to large} */
    static Arbitrary<Float> scales() {
        return Arbitraries.oneOf(
                Arbitraries.of(.5f, 1f, .1f, 1 / 255f, 3e-5f, Scales.MIN, 7.3f, 1e20f),
                Arbitraries.floats().between(1e-6f, 2).ofScale(8));
    }

    /** {@return ranges of every width and kind, with every zero point} */
    static Arbitrary<Grid> grids() {
        Arbitrary<CodeRange> ranges =
                Arbitraries.integers()
                        .between(2, 8)
                        .flatMap(
                                bits ->
                                        Arbitraries.of(
                                                CodeRange.narrow(bits),
                                                CodeRange.signed(bits),
                                                CodeRange.unsigned(bits)));
        return ranges.flatMap(
                range ->
                        Arbitraries.oneOf(
                                        Arbitraries.just(0),
                                        Arbitraries.integers().between(range.min(), range.max()))
                                .map(zeroPoint -> new Grid(range, zeroPoint, Channels.NONE)));
    }

    /** {@return a grid, a scale, and values around its codes} */
    static Arbitrary<Case> cases() {
        return Combinators.combine(grids(), scales())
                .flatAs(
                        (grid, scale) ->
                                values(scale)
                                        .list()
                                        .ofMinSize(1)
                                        .ofMaxSize(40)
                                        .map(values -> new Case(grid, scale, values)));
    }

    /**
     * Values to be rounded.
     *
     * @param grid the grid to round to
     * @param scale units per code
     * @param values the values
     */
    record Case(Grid grid, float scale, List<Float> values) {

        float[] array() {
            return floats(values);
        }
    }

    /**
     * {@return the same numbers}
     *
     * @param numbers the numbers
     */
    static float[] floats(List<Float> numbers) {
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = numbers.get(i);
        }
        return floats;
    }

    /**
     * {@return random numbers of a normal distribution}
     *
     * @param count how many
     * @param deviation their standard deviation
     * @param seed of the random generator
     */
    static float[] normal(int count, double deviation, long seed) {
        Random random = new Random(seed);
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) (random.nextGaussian() * deviation);
        }
        return numbers;
    }
}
