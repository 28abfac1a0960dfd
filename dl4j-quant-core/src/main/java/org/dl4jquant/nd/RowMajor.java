// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.Arrays;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Copies between INDArrays and Java arrays whose elements stand in row-major order, the last index
 * running fastest, whatever the order and strides of the INDArray.
 */
public final class RowMajor {

    private RowMajor() {}

    /**
     * {@return a copy of the elements as float32}
     *
     * @param array any shape, order and numeric type; not empty
     */
    public static float[] floats(INDArray array) {
        float[] copy = new float[Math.toIntExact(array.length())];
        if (FloatCursor.reaches(array)) {
            FloatCursor.of(array, Walk.rowMajor(array.shape())).read(0, copy, copy.length);
            return copy;
        }
        return Detached.compute(() -> array.castTo(DataType.FLOAT).dup('c').data().asFloat());
    }

    /**
     * {@return a copy of the elements as float64}
     *
     * @param array any shape, order and numeric type; not empty
     */
    public static double[] doubles(INDArray array) {
        return Detached.compute(() -> array.castTo(DataType.DOUBLE).dup('c').data().asDouble());
    }

    /**
     * Overwrites an array's elements.
     *
     * @param elements as many as the array has, row-major
     * @param target any shape and order, FLOAT or another type that numbers are rounded to; changed
     * @throws IllegalArgumentException if the lengths differ
     */
    public static void copyInto(float[] elements, INDArray target) {
        requireLength(elements.length, target);
        if (FloatCursor.reaches(target)) {
            FloatCursor.of(target, Walk.rowMajor(target.shape()))
                    .write(0, elements, elements.length);
            return;
        }
        target.assign(array(elements, target.shape()));
    }

    /**
     * Overwrites an array's elements.
     *
     * @param elements as many as the array has, row-major
     * @param target any shape and order, DOUBLE or another type that numbers are rounded to;
     *     changed
     * @throws IllegalArgumentException if the lengths differ
     */
    public static void copyInto(double[] elements, INDArray target) {
        requireLength(elements.length, target);
        if (FloatCursor.reaches(target)) {
            copyInto(rounded(elements), target);
            return;
        }
        Detached.run(
                () -> target.assign(Nd4j.createFromArray(elements).reshape('c', target.shape())));
    }

    private static float[] rounded(double[] elements) {
        float[] floats = new float[elements.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) elements[i];
        }
        return floats;
    }

    private static void requireLength(int elements, INDArray target) {
        Require.argument(
                elements == target.length(),
                "%d elements for an array of %d; the numbers must be equal",
                elements,
                target.length());
    }

    /**
     * {@return a new array that holds the elements, in no workspace and in row-major order}
     *
     * @param elements as many as the shape has, row-major; copied
     * @param shape the array's shape
     * @throws IllegalArgumentException if the lengths differ
     */
    public static INDArray array(float[] elements, long... shape) {
        long length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        Require.argument(
                elements.length == length,
                "%d elements for an array of shape %s, which has %d",
                elements.length,
                Arrays.toString(shape),
                length);
        return Detached.compute(() -> Nd4j.createFromArray(elements).reshape('c', shape));
    }
}
