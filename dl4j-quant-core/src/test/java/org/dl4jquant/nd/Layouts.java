// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The same array in all the ways in which ND4J may lay it out in memory. */
public final class Layouts {

    /** The value in memory between and around the elements of a view. */
    public static final float GAP = Float.NaN;

    private Layouts() {}

    /**
     * {@return fresh arrays with the same elements, by the name of their layout}
     *
     * @param elements row-major
     * @param shape at least one axis
     */
    public static Map<String, INDArray> of(float[] elements, long... shape) {
        Map<String, INDArray> layouts = new LinkedHashMap<>();
        layouts.put("c", Nd4j.create(DataType.FLOAT, shape, 'c'));
        layouts.put("f", Nd4j.create(DataType.FLOAT, shape, 'f'));
        layouts.put("rotated", rotated(shape));
        layouts.put("c in a row", rowPart(elements.length).reshape('c', shape));
        layouts.put("f in a row", rowPart(elements.length).reshape('f', shape));
        layouts.put("with gaps", withGaps(1, shape));
        layouts.put("every second", withGaps(2, shape));
        INDArray source = Nd4j.createFromArray(elements).reshape('c', shape);
        layouts.values().forEach(array -> array.assign(source));
        return layouts;
    }

    /**
     * {@return an array with axes in memory in the order 1, 2, ..., 0}
     *
     * @param shape its shape
     */
    private static INDArray rotated(long[] shape) {
        int rank = shape.length;
        long[] turned = new long[rank];
        int[] back = new int[rank];
        for (int axis = 0; axis < rank; axis++) {
            turned[axis] = shape[(axis + 1) % rank];
            back[(axis + 1) % rank] = axis;
        }
        return Nd4j.create(DataType.FLOAT, turned, 'c').permute(back);
    }

    /** Like a parameter in the flat row of a network. */
    private static INDArray rowPart(int length) {
        INDArray row = Nd4j.valueArrayOf(new long[] {1, length + 12L}, GAP, DataType.FLOAT);
        return row.get(NDArrayIndex.point(0), NDArrayIndex.interval(5, 5 + length));
    }

    private static INDArray withGaps(int step, long[] shape) {
        long[] larger = Arrays.stream(shape).map(size -> size * step + 2).toArray();
        INDArrayIndex[] part =
                Arrays.stream(shape)
                        .mapToObj(size -> NDArrayIndex.interval(1, step, 1 + size * step))
                        .toArray(INDArrayIndex[]::new);
        return Nd4j.valueArrayOf(larger, GAP, DataType.FLOAT).get(part);
    }

    /**
     * {@return whether memory around and between a view's elements is as it was}
     *
     * @param view one of the layouts, without NaN among its own elements
     */
    public static boolean gapsAreUntouched(INDArray view) {
        DataBuffer memory = view.data().originalDataBuffer();
        if (memory == null) {
            return true;
        }
        long gaps =
                LongStream.range(0, memory.length())
                        .filter(i -> Float.isNaN(memory.getFloat(i)))
                        .count();
        return gaps == memory.length() - view.length();
    }
}
