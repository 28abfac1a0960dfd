// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.engine.SmallGraphs;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

/** Windows against counting, and against numbers that cannot overflow. */
class WindowTest {

    private static Window column(int kernel, int stride, int dilation, int before, int after) {
        return new Window(
                new Extent(kernel, 1),
                new Extent(stride, 1),
                new Extent(dilation, 1),
                new Extent(before, 0),
                new Extent(after, 0));
    }

    /** The oracle looks at each element of each window. */
    @Property(tries = 500)
    void refusesAMaxPoolJustWhereAWindowSeesPaddingOnly(
            @ForAll @IntRange(min = 1, max = 9) int size,
            @ForAll @IntRange(min = 1, max = 6) int kernel,
            @ForAll @IntRange(min = 1, max = 4) int stride,
            @ForAll @IntRange(min = 1, max = 6) int dilation,
            @ForAll @IntRange(min = 0, max = 5) int before,
            @ForAll @IntRange(min = 0, max = 5) int after) {
        int first = Math.min(before, kernel - 1);
        int last = Math.min(after, kernel - 1);
        int reach = dilation * (kernel - 1) + 1;
        int room = first + size + last - reach;
        if (room < 0) {
            return;
        }
        boolean empty =
                IntStream.rangeClosed(0, room / stride)
                        .map(at -> at * stride - first)
                        .anyMatch(
                                start ->
                                        IntStream.range(0, kernel)
                                                .map(element -> start + element * dilation)
                                                .noneMatch(place -> place >= 0 && place < size));
        IntNode pool = new MaxPool("m", "q", column(kernel, stride, dilation, first, last));
        if (empty) {
            assertTrue(
                    assertThrows(IllegalArgumentException.class, () -> graphOf(size, pool))
                            .getMessage()
                            .contains("sees padding only"));
        } else {
            assertEquals(Shape.of(1, room / stride + 1, 1), graphOf(size, pool).type("m").shape());
        }
    }

    private static IntGraph graphOf(int size, IntNode node) {
        return SmallGraphs.graph(Shape.of(1, size, 1), SmallGraphs.uint8(1), node);
    }

    /** The oracle is the formula in arithmetic of any length. */
    @Property(tries = 500)
    void countsPositionsAsLargeNumbersDo(
            @ForAll @IntRange(min = 1) int size,
            @ForAll @IntRange(min = 1, max = Window.MAX_EXTENT) int kernel,
            @ForAll @IntRange(min = 1, max = Window.MAX_EXTENT) int stride,
            @ForAll @IntRange(min = 1, max = Window.MAX_EXTENT) int dilation,
            @ForAll @IntRange(min = 0, max = Window.MAX_EXTENT) int padding) {
        Window window = column(kernel, stride, dilation, padding, padding);
        BigInteger padded = BigInteger.valueOf(size).add(BigInteger.valueOf(2L * padding));
        BigInteger reach =
                BigInteger.valueOf(dilation)
                        .multiply(BigInteger.valueOf(kernel - 1L))
                        .add(BigInteger.ONE);
        BigInteger room = padded.subtract(reach);
        BigInteger positions = room.divide(BigInteger.valueOf(stride)).add(BigInteger.ONE);
        if (room.signum() < 0 || positions.bitLength() > 31) {
            assertThrows(IllegalArgumentException.class, () -> window.over(new Extent(size, 1)));
        } else {
            assertEquals(positions.intValueExact(), window.over(new Extent(size, 1)).height());
        }
    }

    @Test
    void refusesSizesAboveItsLimit() {
        int most = Window.MAX_EXTENT;
        assertEquals(most, column(most, most, most, most, most).kernel().height());
        for (int[] sizes :
                List.of(
                        new int[] {most + 1, 1, 1, 0, 0},
                        new int[] {1, most + 1, 1, 0, 0},
                        new int[] {1, 1, most + 1, 0, 0},
                        new int[] {1, 1, 1, most + 1, 0},
                        new int[] {1, 1, 1, 0, most + 1})) {
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> column(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]))
                            .getMessage();
            assertTrue(message.endsWith("has a size above 1048576"), message);
        }
    }

    @Test
    void refusesAShapeWhoseElementsNoIntCounts() {
        assertEquals(Integer.MAX_VALUE, Shape.of(Integer.MAX_VALUE, 1).elements());
        assertEquals(
                "shape [65536x32768] has more than 2147483647 elements",
                assertThrows(IllegalArgumentException.class, () -> Shape.of(1 << 16, 1 << 15))
                        .getMessage());
    }
}
