// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The order in which one pass visits the elements of one or more arrays of the same shape.
 *
 * <p>A position of the walk, from 0 to {@code length() - 1}, means the same element in each of the
 * arrays, whatever their strides.
 */
public final class Walk {

    private final long[] shape;
    private final int[] axes;
    private final long length;

    private Walk(long[] shape, int[] axes) {
        this.shape = shape;
        this.axes = axes;
        this.length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        Require.argument(
                length > 0,
                "an array of shape %s has no elements; there must be at least one",
                Arrays.toString(shape));
    }

    /**
     * Returns the order in which an array lies in memory; the array is read and written fastest.
     *
     * @param leader the array, of any strides
     * @return the walk over arrays of the leader's shape
     * @throws IllegalArgumentException if the array is empty
     */
    public static Walk inStorageOrderOf(INDArray leader) {
        long[] shape = leader.shape();
        long[] strides = leader.stride();
        int[] axes =
                IntStream.range(0, shape.length)
                        .filter(axis -> shape[axis] != 1)
                        .boxed()
                        .sorted(Comparator.comparingLong(axis -> -strides[axis]))
                        .mapToInt(Integer::intValue)
                        .toArray();
        return new Walk(shape, axes);
    }

    /**
     * {@return the order in which the last index runs fastest}
     *
     * @param shape the shape of the arrays
     * @throws IllegalArgumentException if there are no elements
     */
    public static Walk rowMajor(long... shape) {
        int[] axes = IntStream.range(0, shape.length).filter(axis -> shape[axis] != 1).toArray();
        return new Walk(shape.clone(), axes);
    }

    /** {@return how many elements are visited} */
    public long length() {
        return length;
    }

    /** {@return the number of axes that the walk runs along; axes of one element do not count} */
    int rank() {
        return axes.length;
    }

    /** {@return the sizes of the walk's axes, the slowest first} */
    long[] sizes() {
        return along(shape);
    }

    /**
     * {@return the values of the walk's axes, the slowest first}
     *
     * @param perAxis one value for each axis of the arrays
     */
    long[] along(long[] perAxis) {
        long[] picked = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            picked[i] = perAxis[axes[i]];
        }
        return picked;
    }

    /** {@return the shape of the arrays} */
    long[] shape() {
        return shape;
    }

    /**
     * Requires that an array has the walk's shape.
     *
     * @param array the array
     * @throws IllegalArgumentException if it has not
     */
    void requireShapeOf(INDArray array) {
        Require.argument(
                Arrays.equals(array.shape(), shape),
                "an array of shape %s beside one of shape %s; the shapes must be equal",
                Arrays.toString(array.shape()),
                Arrays.toString(shape));
    }
}
