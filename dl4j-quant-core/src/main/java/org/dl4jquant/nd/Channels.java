// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;

/**
 * Which axes of a tensor number its channels; the elements of one channel share one number, such as
 * a scale.
 *
 * <p>Without axes the whole tensor is one channel. With several, channels are numbered row by row
 * in the order given: for {@code merged(1, 0)} the channel of element {@code (i, j, ...)} is {@code
 * j * size(0) + i}.
 *
 * @param axes distinct axes, the slowest first
 */
public record Channels(List<Integer> axes) {

    /** The whole tensor is one channel. */
    public static final Channels NONE = new Channels(List.of());

    /** Checks that no axis is negative or repeated. */
    public Channels {
        axes = List.copyOf(axes);
        Require.argument(
                axes.stream().allMatch(axis -> axis >= 0)
                        && new HashSet<>(axes).size() == axes.size(),
                "channel axes %s: each must be 0 or more and stand only once",
                axes);
    }

    /**
     * {@return one channel for each index of an axis}
     *
     * @param axis from 0
     */
    public static Channels axis(int axis) {
        return new Channels(List.of(axis));
    }

    /**
     * {@return one channel for each combination of indices of several axes}
     *
     * @param axes distinct axes, the slowest first
     */
    public static Channels merged(int... axes) {
        return new Channels(IntStream.of(axes).boxed().toList());
    }

    /**
     * {@return how many channels a tensor has}
     *
     * @param shape the tensor's shape
     * @throws IllegalArgumentException if the tensor does not have one of the axes
     */
    public int count(long[] shape) {
        long count = 1;
        for (int axis : axes) {
            Require.argument(
                    axis < shape.length,
                    "channel axis %d of a tensor of shape %s: the axis must be below %d",
                    axis,
                    Arrays.toString(shape),
                    shape.length);
            count *= shape[axis];
        }
        return Math.toIntExact(count);
    }

    /**
     * Returns by how much the channel's number grows along each axis.
     *
     * @param shape the tensor's shape
     * @return one stride for each axis of the tensor, 0 where the channel stays the same
     * @throws IllegalArgumentException if the tensor does not have one of the axes
     */
    long[] strides(long[] shape) {
        long stride = count(shape);
        long[] strides = new long[shape.length];
        for (int axis : axes) {
            stride /= shape[axis];
            strides[axis] = stride;
        }
        return strides;
    }
}
