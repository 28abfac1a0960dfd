// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.nd;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads and writes chunks of one float32 array in host memory along a {@link Walk}.
 *
 * <p>The array may have any order, offset and strides. Where its elements lie side by side in the
 * walk's order, chunks are copied in bulk (about 0.1 ns for each element), else one by one (about 2
 * ns). What lies between the elements of a view is never touched.
 */
public final class FloatCursor {

    private final FloatPointer pointer;
    private final FloatIndexer indexer;
    private final long offset;
    private final long[] sizes;
    private final long[] strides;
    private final boolean sideBySide;

    private FloatCursor(INDArray array, Walk walk) {
        this.pointer = new FloatPointer(array.data().pointer());
        this.indexer = FloatIndexer.create(pointer);
        this.offset = array.offset();
        this.sizes = walk.sizes();
        this.strides = walk.along(array.stride());
        this.sideBySide = isSideBySide(sizes, strides);
    }

    /**
     * {@return whether an array's elements are float32 numbers that Java can reach: the data type
     * is FLOAT and ND4J computes on the CPU}
     *
     * @param array the array
     */
    public static boolean reaches(INDArray array) {
        return array.dataType() == DataType.FLOAT && Nd4j.getEnvironment().isCPU();
    }

    /**
     * Returns a cursor over an array.
     *
     * @param array float32, in host memory, of the walk's shape
     * @param walk the order of its elements
     * @return the cursor; valid as long as the array's memory is
     * @throws IllegalArgumentException if the array is of another type or shape, out of reach or
     *     closed
     */
    public static FloatCursor of(INDArray array, Walk walk) {
        Require.argument(
                reaches(array),
                "an array of type %s on ND4J's %s: only FLOAT arrays of the CPU backend can be"
                        + " reached; cast it with castTo(DataType.FLOAT)",
                array.dataType(),
                Nd4j.getBackend().getClass().getSimpleName());
        Require.argument(!array.wasClosed(), "the array has been closed; its memory is gone");
        walk.requireShapeOf(array);
        return new FloatCursor(array, walk);
    }

    private static boolean isSideBySide(long[] sizes, long[] strides) {
        long expected = 1;
        for (int axis = sizes.length - 1; axis >= 0; axis--) {
            if (strides[axis] != expected) {
                return false;
            }
            expected *= sizes[axis];
        }
        return true;
    }

    /**
     * Reads a chunk.
     *
     * @param from the position of its first element
     * @param into takes the elements, from index 0 on
     * @param count how many
     */
    public void read(long from, float[] into, int count) {
        if (sideBySide) {
            pointer.position(offset + from).get(into, 0, count);
            return;
        }
        long[] index = indexAt(from);
        for (int done = 0; done < count; ) {
            long address = addressOf(index);
            int run = runLength(index, count - done);
            long stride = innerStride();
            for (int i = 0; i < run; i++) {
                into[done + i] = indexer.get(address + i * stride);
            }
            done += run;
            advance(index, run);
        }
    }

    /**
     * Writes a chunk.
     *
     * @param from the position of its first element
     * @param source holds the elements, from index 0 on
     * @param count how many
     */
    public void write(long from, float[] source, int count) {
        if (sideBySide) {
            pointer.position(offset + from).put(source, 0, count);
            return;
        }
        long[] index = indexAt(from);
        for (int done = 0; done < count; ) {
            long address = addressOf(index);
            int run = runLength(index, count - done);
            long stride = innerStride();
            for (int i = 0; i < run; i++) {
                indexer.put(address + i * stride, source[done + i]);
            }
            done += run;
            advance(index, run);
        }
    }

    private long[] indexAt(long position) {
        long[] index = new long[sizes.length];
        long rest = position;
        for (int axis = sizes.length - 1; axis >= 0; axis--) {
            index[axis] = rest % sizes[axis];
            rest /= sizes[axis];
        }
        return index;
    }

    private long addressOf(long[] index) {
        long address = offset;
        for (int axis = 0; axis < index.length; axis++) {
            address += index[axis] * strides[axis];
        }
        return address;
    }

    /** An array of one element lies side by side, so there is an innermost axis. */
    private long innerStride() {
        return strides[strides.length - 1];
    }

    private int runLength(long[] index, int atMost) {
        int inner = sizes.length - 1;
        return (int) Math.min(sizes[inner] - index[inner], atMost);
    }

    private void advance(long[] index, int run) {
        int axis = sizes.length - 1;
        index[axis] += run;
        while (axis > 0 && index[axis] == sizes[axis]) {
            index[axis--] = 0;
            index[axis]++;
        }
    }
}
