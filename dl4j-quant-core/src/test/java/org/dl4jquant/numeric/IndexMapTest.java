// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Maps of elements: examples by hand, laws, and the definition as an oracle. */
class IndexMapTest {

    private static final byte ZERO = 77;

    private static byte[] numbered(int elements) {
        byte[] codes = new byte[elements];
        for (int i = 0; i < elements; i++) {
            codes[i] = (byte) i;
        }
        return codes;
    }

    private static byte[] applied(IndexMap map, byte... source) {
        return IndexRuns.of(map).apply(source, ZERO);
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void movesAsByHand() {
        Shape rows = Shape.of(2, 3); // 0 1 2 / 3 4 5
        byte[] codes = numbered(6);
        assertArrayEquals(
                bytes(77, 0, 1, 2, 77, 77, 77, 3, 4, 5, 77, 77),
                applied(IndexMap.pad(rows, 1, 1, 2), codes));
        assertArrayEquals(bytes(1, 4), applied(IndexMap.crop(rows, 1, 1, 1), codes));
        assertArrayEquals(
                bytes(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5),
                applied(IndexMap.repeat(rows, 1, 2), codes));
        assertArrayEquals(
                bytes(0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5),
                applied(IndexMap.repeat(rows, 0, 2), codes));
        assertArrayEquals(
                bytes(0, 3, 1, 4, 2, 5), applied(IndexMap.permute(rows, List.of(1, 0)), codes));
        assertArrayEquals(
                bytes(2, 1, 0, 5, 4, 3),
                applied(IndexMap.select(rows, 1, AxisIndices.reversed(3)), codes));
        assertArrayEquals(
                bytes(5, 77, 3, 3, 2, 77, 0, 0),
                applied(
                        new IndexMap(
                                rows,
                                List.of(0, 1),
                                List.of(AxisIndices.reversed(2), AxisIndices.of(2, -1, 0, 0)),
                                Shape.of(8)),
                        codes));
    }

    /** TensorFlow's example of space_to_depth, in channels first. */
    @Test
    void cutsAnImageIntoBlocks() {
        // two channels of 2 x 4 pixels
        Shape image = Shape.of(2, 2, 4);
        IndexMap map = IndexMap.spaceToDepth(image, 2);
        assertEquals(Shape.of(8, 1, 2), map.shape());
        assertArrayEquals(
                bytes(0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15),
                applied(map, numbered(16)));
        byte[] depth = applied(map, numbered(16));
        assertArrayEquals(numbered(16), applied(IndexMap.depthToSpace(map.shape(), 2), depth));
    }

    @Test
    void movesEachExampleAlike() {
        IndexMap map = IndexMap.pad(Shape.of(2), 0, 1, 0);
        assertArrayEquals(bytes(77, 0, 1, 77, 2, 3), IndexRuns.of(map).apply(numbered(4), ZERO));
        assertArrayEquals(
                new float[] {0, 1.5f, 2, 0, 3, 4},
                IndexRuns.of(map).apply(new float[] {1.5f, 2, 3, 4}, 0));
    }

    private static Shape shape(Random random) {
        int rank = 1 + random.nextInt(4);
        return new Shape(random.ints(rank, 1, 5).boxed().toList());
    }

    private static AxisIndices indices(Random random, int size) {
        return switch (random.nextInt(6)) {
            case 0 -> AxisIndices.reversed(size);
            case 1 -> AxisIndices.padded(size, random.nextInt(3), random.nextInt(3));
            case 2 -> AxisIndices.repeated(size, 1 + random.nextInt(3));
            case 3 -> AxisIndices.of(random.ints(1 + random.nextInt(4), -1, size).toArray());
            case 4 -> AxisIndices.range(random.nextInt(size), size);
            default -> AxisIndices.identity(size);
        };
    }

    private static IndexMap map(Random random, Shape view) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, view.rank()).boxed().toList());
        if (random.nextBoolean()) {
            Collections.shuffle(order, random);
        }
        List<AxisIndices> axes =
                order.stream().map(axis -> indices(random, view.size(axis))).toList();
        return new IndexMap(
                view, order, axes, new Shape(axes.stream().map(AxisIndices::size).toList()));
    }

    /** The definition, element by element, with nothing planned. */
    private static byte[] byDefinition(IndexMap map, byte[] source) {
        byte[] result = new byte[map.shape().elements()];
        for (int element = 0; element < result.length; element++) {
            int rest = element;
            int[] at = new int[map.view().rank()];
            boolean zero = false;
            for (int axis = at.length - 1; axis >= 0; axis--) {
                AxisIndices indices = map.axes().get(axis);
                int index = indices.source(rest % indices.size());
                rest /= indices.size();
                zero |= index == AxisIndices.ZERO;
                at[map.order().get(axis)] = index;
            }
            int from = 0;
            for (int axis = 0; axis < at.length; axis++) {
                from = from * map.view().size(axis) + at[axis];
            }
            result[element] = zero ? ZERO : source[from];
        }
        return result;
    }

    @Property(tries = 2000)
    void runsAreTheDefinition(@ForAll long seed) {
        Random random = new Random(seed);
        IndexMap map = map(random, shape(random));
        byte[] source = numbered(map.view().elements());
        assertArrayEquals(byDefinition(map, source), applied(map, source), map::toString);
    }

    @Property(tries = 2000)
    void composedMapsMoveAsOneAfterTheOther(@ForAll long seed) {
        Random random = new Random(seed);
        IndexMap first = map(random, shape(random));
        IndexMap next = map(random, first.shape());
        byte[] source = numbered(first.view().elements());
        IndexMap both = first.then(next).orElseThrow();
        assertArrayEquals(applied(next, applied(first, source)), applied(both, source));
    }

    @Property
    void composingIsAssociative(@ForAll long seed) {
        Random random = new Random(seed);
        IndexMap first = map(random, shape(random));
        IndexMap second = map(random, first.shape());
        IndexMap third = map(random, second.shape());
        byte[] source = numbered(first.view().elements());
        assertArrayEquals(
                applied(first.then(second).orElseThrow().then(third).orElseThrow(), source),
                applied(first.then(second.then(third).orElseThrow()).orElseThrow(), source));
    }

    @Property
    void croppingUndoesPadding(
            @ForAll long seed,
            @ForAll @IntRange(max = 4) int before,
            @ForAll @IntRange(max = 4) int after) {
        Random random = new Random(seed);
        Shape shape = shape(random);
        int axis = random.nextInt(shape.rank());
        IndexMap pad = IndexMap.pad(shape, axis, before, after);
        IndexMap both = pad.then(IndexMap.crop(pad.shape(), axis, before, after)).orElseThrow();
        assertTrue(both.keepsOrder(), both::toString);
        assertEquals(IndexMap.identity(shape), both);
    }

    @Property
    void aPermutationHasAnInverse(@ForAll long seed) {
        Random random = new Random(seed);
        Shape shape = shape(random);
        List<Integer> order = new ArrayList<>(IntStream.range(0, shape.rank()).boxed().toList());
        Collections.shuffle(order, random);
        List<Integer> back = IntStream.range(0, shape.rank()).map(order::indexOf).boxed().toList();
        IndexMap there = IndexMap.permute(shape, order);
        assertTrue(there.then(IndexMap.permute(there.shape(), back)).orElseThrow().keepsOrder());
    }

    @Property
    void reversingTwiceAndTakingOneOfEachRepeatedChangeNothing(
            @ForAll @IntRange(min = 1, max = 9) int size,
            @ForAll @IntRange(min = 1, max = 5) int times) {
        assertTrue(AxisIndices.reversed(size).then(AxisIndices.reversed(size)).isIdentity(size));
        int[] firsts = IntStream.range(0, size).map(index -> index * times).toArray();
        assertTrue(AxisIndices.repeated(size, times).then(AxisIndices.of(firsts)).isIdentity(size));
    }

    @Test
    void composesAcrossReshapesThatMoveNothing() {
        Shape shape = Shape.of(2, 6);
        IndexMap reshape = IndexMap.identity(shape).reshaped(Shape.of(3, 4));
        IndexMap pad = IndexMap.pad(Shape.of(3, 4), 0, 1, 1);
        assertEquals(Optional.of(pad), reshape.then(pad));
        assertEquals(
                Optional.of(pad.reshaped(Shape.of(20))),
                pad.then(IndexMap.identity(pad.shape()).reshaped(Shape.of(20))));
        // Rows and columns are padded as one axis: no list of one axis says that.
        assertEquals(
                Optional.empty(),
                pad.reshaped(Shape.of(20)).then(IndexMap.pad(Shape.of(20), 0, 1, 0)));
    }

    private static String refusal(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    @Test
    void refusesWhatDoesNotFit() {
        Shape shape = Shape.of(2, 3);
        assertEquals(
                "an axis has the source index -2; it must be at least 0, or -1 for a zero",
                refusal(() -> AxisIndices.of(0, -2)));
        assertEquals(
                "axis 1 of the result takes index 3 of axis 1 of [2x3]; at most 2 is there",
                refusal(() -> IndexMap.select(shape, 1, AxisIndices.of(3))));
        assertEquals(
                "the axes of [2x3] are ordered as [0, 0]; each must occur once",
                refusal(() -> IndexMap.permute(shape, List.of(0, 0))));
        assertEquals("[2x3] has no axis 2", refusal(() -> IndexMap.pad(shape, 2, 1, 1)));
        assertEquals(
                "2 and 1 of axis 1 of [2x3] are cut off; at least one index must be left",
                refusal(() -> IndexMap.crop(shape, 1, 2, 1)));
        assertTrue(
                refusal(() -> IndexMap.identity(shape).reshaped(Shape.of(5)))
                        .contains("give 6 elements, and [5] has 5"));
        assertTrue(
                refusal(() -> IndexMap.spaceToDepth(Shape.of(1, 3, 4), 2))
                        .contains("cannot be cut into blocks of 2 x 2"));
        assertTrue(
                refusal(() -> IndexMap.identity(Shape.of(1, 1, 1, 1, 1, 1, 1, 1, 1)))
                        .contains("of 9 axes; at most 8"));
    }

    /* Nothing is allocated for numbers that come from a file. */
    @Test
    void refusesHugeSizesBeforeItAllocates() {
        int huge = Integer.MAX_VALUE;
        assertTrue(refusal(() -> AxisIndices.padded(3, huge, huge)).contains("1048576"));
        assertTrue(refusal(() -> AxisIndices.repeated(1 << 20, 1 << 20)).contains("1048576"));
        assertTrue(refusal(() -> AxisIndices.identity(huge)).contains("1048576"));
        assertTrue(refusal(() -> AxisIndices.range(0, huge)).contains("1048576"));
        AxisIndices longest = AxisIndices.padded(1, 0, AxisIndices.MAX_SIZE - 1);
        assertTrue(
                refusal(
                                () ->
                                        new IndexMap(
                                                Shape.of(1, 1, 1),
                                                List.of(0, 1, 2),
                                                List.of(longest, longest, longest),
                                                Shape.of(1)))
                        .contains("elements"));
    }
}
