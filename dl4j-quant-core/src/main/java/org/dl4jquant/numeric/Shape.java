// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;

/**
 * The dimensions of one example, without the batch dimension.
 *
 * @param dimensions sizes, each above 0; (channels, height, width) for images
 */
public record Shape(List<Integer> dimensions) {

    /** The number of dimensions of an image: channels, height, width. */
    public static final int IMAGE_RANK = 3;

    /** The greatest number of elements. */
    public static final int MAX_ELEMENTS = Integer.MAX_VALUE;

    /** Checks that every size is above 0, and that an int holds the number of elements. */
    public Shape {
        dimensions = List.copyOf(dimensions);
        Require.argument(
                !dimensions.isEmpty() && dimensions.stream().allMatch(size -> size > 0),
                "shape %s: there must be at least one dimension and each must be above 0",
                dimensions);
        long elements = 1;
        for (int size : dimensions) {
            elements *= size; // both below 2^31
            Require.argument(
                    elements <= MAX_ELEMENTS,
                    "shape %s has more than %d elements",
                    text(dimensions),
                    MAX_ELEMENTS);
        }
    }

    /**
     * {@return a shape of these sizes}
     *
     * @param sizes each above 0
     */
    public static Shape of(int... sizes) {
        return new Shape(IntStream.of(sizes).boxed().toList());
    }

    /** {@return how many dimensions there are} */
    public int rank() {
        return dimensions.size();
    }

    /**
     * {@return the size of a dimension}
     *
     * @param axis from 0
     */
    public int size(int axis) {
        return dimensions.get(axis);
    }

    /** {@return how many elements one example has} */
    public int elements() {
        return dimensions.stream().reduce(1, (product, size) -> product * size);
    }

    /** {@return whether this is an image: channels, height, width} */
    public boolean isImage() {
        return rank() == IMAGE_RANK;
    }

    @Override
    public String toString() {
        return text(dimensions);
    }

    private static String text(List<Integer> dimensions) {
        return dimensions.stream().map(String::valueOf).collect(Collectors.joining("x", "[", "]"));
    }
}
