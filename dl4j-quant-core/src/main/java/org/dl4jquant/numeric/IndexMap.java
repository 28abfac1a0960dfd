// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;

/**
 * Which element of one example each element of a result is: reshape, permute the axes, take indices
 * along each axis (or zeros), reshape.
 *
 * <p>Everything that computes nothing is such a map: padding with zeros, cropping,
 * nearest-neighbour upsampling, transposing, reversing, space to depth. All elements are in
 * row-major order.
 *
 * <pre>{@code
 * IndexMap doubled = IndexMap.repeat(Shape.of(3, 8, 8), 1, 2); // [3, 16, 8], each row twice
 * }</pre>
 *
 * @param view the source's shape while it is read, at most {@link #MAX_RANK} axes
 * @param order for each axis of the result, before it is reshaped, the axis of {@code view}
 * @param axes for each axis of the result, before it is reshaped, which indices it takes
 * @param shape the result's shape
 */
public record IndexMap(Shape view, List<Integer> order, List<AxisIndices> axes, Shape shape) {

    /** The most axes of {@code view}. */
    public static final int MAX_RANK = 8;

    /** Checks that the parts fit one another. */
    public IndexMap {
        Objects.requireNonNull(view, "view");
        Objects.requireNonNull(shape, "shape");
        order = List.copyOf(order);
        axes = List.copyOf(axes);
        Require.argument(
                view.rank() <= MAX_RANK,
                "the source is read as %s, of %d axes; at most %d are allowed",
                view,
                view.rank(),
                MAX_RANK);
        Require.argument(
                order.stream().sorted().toList().equals(natural(view.rank())),
                "the axes of %s are ordered as %s; each must occur once",
                view,
                order);
        Require.argument(
                axes.size() == view.rank(),
                "there are %d lists of indices for the %d axes of %s; each needs one",
                axes.size(),
                view.rank(),
                view);
        long elements = 1;
        for (int axis = 0; axis < axes.size(); axis++) {
            int size = view.size(order.get(axis));
            Require.argument(
                    axes.get(axis).greatest() < size,
                    "axis %d of the result takes index %d of axis %d of %s; at most %d is there",
                    axis,
                    axes.get(axis).greatest(),
                    order.get(axis),
                    view,
                    size - 1);
            elements = Math.min(elements * axes.get(axis).size(), Integer.MAX_VALUE + 1L);
        }
        Require.argument(
                elements == shape.elements(),
                "the indices taken of %s give %d elements, and %s has %d",
                view,
                elements,
                shape,
                shape.elements());
    }

    private static List<Integer> natural(int rank) {
        return IntStream.range(0, rank).boxed().toList();
    }

    private static List<AxisIndices> identities(Shape shape) {
        return shape.dimensions().stream().map(AxisIndices::identity).toList();
    }

    /**
     * {@return the map that changes nothing}
     *
     * @param shape of the source and the result
     */
    public static IndexMap identity(Shape shape) {
        return new IndexMap(shape, natural(shape.rank()), identities(shape), shape);
    }

    /**
     * {@return the map that transposes}
     *
     * @param shape of the source
     * @param order for each axis of the result, the source's
     */
    public static IndexMap permute(Shape shape, List<Integer> order) {
        Require.argument(
                order.stream().sorted().toList().equals(natural(shape.rank())),
                "the axes of %s are ordered as %s; each must occur once",
                shape,
                order);
        Shape permuted = new Shape(order.stream().map(shape::size).toList());
        return new IndexMap(shape, order, identities(permuted), permuted);
    }

    /**
     * {@return the map that makes the first axis the last}
     *
     * @param shape of the source
     */
    public static IndexMap channelsLast(Shape shape) {
        return permute(
                shape,
                IntStream.range(0, shape.rank())
                        .mapToObj(axis -> (axis + 1) % shape.rank())
                        .toList());
    }

    /**
     * {@return the map that takes indices of one axis}
     *
     * @param shape of the source
     * @param axis which axis
     * @param indices which indices of it
     */
    public static IndexMap select(Shape shape, int axis, AxisIndices indices) {
        return select(shape, axis, List.of(indices));
    }

    /**
     * {@return the map that takes indices of neighbouring axes}
     *
     * @param shape of the source
     * @param first the first of these axes
     * @param indices for each of them which indices
     */
    public static IndexMap select(Shape shape, int first, List<AxisIndices> indices) {
        List<AxisIndices> axes = new ArrayList<>();
        for (int axis = 0; axis < shape.rank(); axis++) {
            boolean taken = axis >= first && axis < first + indices.size();
            axes.add(taken ? indices.get(axis - first) : AxisIndices.identity(shape.size(axis)));
        }
        size(shape, first);
        size(shape, first + indices.size() - 1);
        Shape selected = new Shape(axes.stream().map(AxisIndices::size).toList());
        return new IndexMap(shape, natural(shape.rank()), axes, selected);
    }

    private static int size(Shape shape, int axis) {
        Require.argument(axis >= 0 && axis < shape.rank(), "%s has no axis %d", shape, axis);
        return shape.size(axis);
    }

    /**
     * {@return the map that puts zeros at the ends of an axis}
     *
     * @param shape of the source
     * @param axis which axis
     * @param before how many zeros come first
     * @param after how many zeros come last
     */
    public static IndexMap pad(Shape shape, int axis, int before, int after) {
        return select(shape, axis, AxisIndices.padded(size(shape, axis), before, after));
    }

    /**
     * {@return the map that cuts off the ends of an axis}
     *
     * @param shape of the source
     * @param axis which axis
     * @param before how many indices are cut off at the begin
     * @param after how many indices are cut off at the end; at least one index must be left
     */
    public static IndexMap crop(Shape shape, int axis, int before, int after) {
        Require.argument(
                before >= 0 && after >= 0 && (long) before + after < size(shape, axis),
                "%d and %d of axis %d of %s are cut off; at least one index must be left",
                before,
                after,
                axis,
                shape);
        return select(shape, axis, AxisIndices.range(before, shape.size(axis) - after));
    }

    /**
     * {@return the map that repeats each index of an axis: nearest-neighbour upsampling}
     *
     * @param shape of the source
     * @param axis which axis
     * @param times how often each comes, above 0
     */
    public static IndexMap repeat(Shape shape, int axis, int times) {
        return select(shape, axis, AxisIndices.repeated(size(shape, axis), times));
    }

    /**
     * {@return the map from each block of pixels to one pixel of more channels}
     *
     * <p>Channel {@code (y * block + x) * channels + c} of the result is channel {@code c} of the
     * pixel in row {@code y} and column {@code x} of the block.
     *
     * @param image [channels, height, width]
     * @param block rows and columns of a block, which divide the image's
     */
    public static IndexMap spaceToDepth(Shape image, int block) {
        Require.argument(
                image.isImage()
                        && block > 0
                        && image.size(1) % block == 0
                        && image.size(2) % block == 0,
                "%s cannot be cut into blocks of %d x %d pixels; it must be [channels, height,"
                        + " width], and the block must divide height and width",
                image,
                block,
                block);
        int rows = image.size(1) / block;
        int columns = image.size(2) / block;
        Shape blocks = Shape.of(image.size(0), rows, block, columns, block);
        return permute(blocks, List.of(2, 4, 0, 1, 3))
                .reshaped(Shape.of(block * block * image.size(0), rows, columns));
    }

    /**
     * {@return the inverse of {@link #spaceToDepth}}
     *
     * @param image [channels, height, width]
     * @param block rows and columns of a block, whose square divides the channels
     */
    public static IndexMap depthToSpace(Shape image, int block) {
        Require.argument(
                image.isImage() && block > 0 && image.size(0) % ((long) block * block) == 0,
                "the channels of %s cannot be laid out as blocks of %d x %d pixels; it must be"
                        + " [channels, height, width], and the square of the block must divide the"
                        + " channels",
                image,
                block,
                block);
        int channels = image.size(0) / block / block;
        Shape blocks = Shape.of(block, block, channels, image.size(1), image.size(2));
        return permute(blocks, List.of(2, 3, 0, 4, 1))
                .reshaped(Shape.of(channels, image.size(1) * block, image.size(2) * block));
    }

    /**
     * {@return the same elements in another shape}
     *
     * @param other the result's shape
     */
    public IndexMap reshaped(Shape other) {
        return new IndexMap(view, order, axes, other);
    }

    /** {@return the result's shape before it is reshaped} */
    public Shape gathered() {
        return new Shape(axes.stream().map(AxisIndices::size).toList());
    }

    /** {@return whether the elements are the source's, in its order: at most a reshape} */
    public boolean keepsOrder() {
        return order.equals(natural(view.rank()))
                && IntStream.range(0, view.rank())
                        .allMatch(axis -> axes.get(axis).isIdentity(view.size(axis)));
    }

    /**
     * {@return whether each axis takes neighbouring indices, in order: no zeros, no repetitions}
     */
    public boolean takesRanges() {
        return axes.stream().allMatch(AxisIndices::isRange);
    }

    /**
     * {@return this map and then another as one, if one map can say it: where a reshape between the
     * two joins or splits axes, it may not}
     *
     * @param next a map of this one's result
     */
    public Optional<IndexMap> then(IndexMap next) {
        Require.argument(
                next.view.elements() == shape.elements(),
                "a map of %s cannot follow one whose result is %s",
                next.view,
                shape);
        if (next.keepsOrder()) {
            return Optional.of(reshaped(next.shape));
        }
        if (keepsOrder()) {
            return Optional.of(next);
        }
        if (!next.view.equals(gathered())) {
            return Optional.empty();
        }
        List<Integer> both = new ArrayList<>();
        List<AxisIndices> indices = new ArrayList<>();
        for (int axis = 0; axis < next.order.size(); axis++) {
            int middle = next.order.get(axis);
            both.add(order.get(middle));
            indices.add(axes.get(middle).then(next.axes.get(axis)));
        }
        return Optional.of(new IndexMap(view, both, indices, next.shape));
    }

    /** {@return for each axis of the result, how far apart its source's indices lie} */
    public List<Integer> strides() {
        List<Integer> ofView = new ArrayList<>(Collections.nCopies(view.rank(), 1));
        for (int axis = view.rank() - 2; axis >= 0; axis--) {
            ofView.set(axis, ofView.get(axis + 1) * view.size(axis + 1));
        }
        return order.stream().map(ofView::get).toList();
    }

    /**
     * {@return for each axis of the result and each of its indices, what the index adds to the
     * number of the source's element; {@link AxisIndices#ZERO} where the result is 0}
     */
    public List<int[]> offsets() {
        List<Integer> strides = strides();
        List<int[]> offsets = new ArrayList<>();
        for (int axis = 0; axis < axes.size(); axis++) {
            int stride = strides.get(axis);
            offsets.add(
                    IntStream.of(axes.get(axis).toArray())
                            .map(at -> at == AxisIndices.ZERO ? at : at * stride)
                            .toArray());
        }
        return offsets;
    }

    @Override
    public String toString() {
        return view + " in the order " + order + ", indices " + axes + ", as " + shape;
    }
}
