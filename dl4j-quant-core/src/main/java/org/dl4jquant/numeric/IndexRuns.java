// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/*
 * The axes at the end that are as they were are one block, which is never looked at in parts. Of the
 * last axis before it, neighbouring indices whose sources are neighbours are one run. The other axes
 * are walked by adding what each index contributes, so that memory is needed for the sum of the
 * axes' sizes, not for their product.
 */
/** An {@link IndexMap} as copies of runs: planned once, done for each example. */
public final class IndexRuns {

    private final List<int[]> offsets;
    private final int[] blocks;
    private final List<Run> last;
    private final int elements;
    private final int sourceElements;

    /** Some elements of a result that lie in a row in the source, too, or are all 0. */
    private record Run(int source, int target, int length) {}

    /** Copies elements. */
    @FunctionalInterface
    public interface Copy {
        /**
         * Copies a run.
         *
         * @param source its first element in the source, or {@link AxisIndices#ZERO}
         * @param target its first element in the result
         * @param length how many elements it has
         */
        void run(int source, int target, int length);
    }

    private IndexRuns(
            List<int[]> offsets, int[] blocks, List<Run> last, int elements, int sourceElements) {
        this.offsets = offsets;
        this.blocks = blocks;
        this.last = last;
        this.elements = elements;
        this.sourceElements = sourceElements;
    }

    /**
     * {@return the runs of a map}
     *
     * @param map the map
     */
    public static IndexRuns of(IndexMap map) {
        List<Integer> strides = map.strides();
        int walked = map.axes().size();
        int block = 1;
        while (walked > 0
                && strides.get(walked - 1) == block
                && map.axes()
                        .get(walked - 1)
                        .isIdentity(map.view().size(map.order().get(walked - 1)))) {
            walked--;
            block *= map.axes().get(walked).size();
        }
        List<int[]> offsets = map.offsets().subList(0, walked);
        int[] blocks = new int[walked];
        int size = block;
        for (int axis = walked - 1; axis >= 0; axis--) {
            blocks[axis] = size;
            size *= offsets.get(axis).length;
        }
        return new IndexRuns(
                walked == 0 ? offsets : offsets.subList(0, walked - 1),
                blocks,
                runs(walked == 0 ? new int[1] : offsets.get(walked - 1), block),
                map.shape().elements(),
                map.view().elements());
    }

    private static List<Run> runs(int[] offsets, int block) {
        List<Run> runs = new ArrayList<>();
        int begin = 0;
        for (int at = 1; at <= offsets.length; at++) {
            boolean goesOn =
                    at < offsets.length
                            && (offsets[at - 1] < 0
                                    ? offsets[at] < 0
                                    : offsets[at] == offsets[at - 1] + block);
            if (!goesOn) {
                runs.add(new Run(offsets[begin], begin * block, (at - begin) * block));
                begin = at;
            }
        }
        return runs;
    }

    /**
     * Copies one example, in the result's order.
     *
     * @param copy is called for each run; every element of the result is in one
     */
    public void each(Copy copy) {
        walk(0, 0, 0, copy);
    }

    private void walk(int axis, int from, int to, Copy copy) {
        if (axis == offsets.size()) {
            for (Run run : last) {
                int source = run.source < 0 ? AxisIndices.ZERO : from + run.source;
                copy.run(source, to + run.target, run.length);
            }
            return;
        }
        int target = to;
        for (int offset : offsets.get(axis)) {
            if (offset < 0) {
                copy.run(AxisIndices.ZERO, target, blocks[axis]);
            } else {
                walk(axis + 1, from + offset, target, copy);
            }
            target += blocks[axis];
        }
    }

    /**
     * {@return the results of some examples}
     *
     * @param from the examples, one after another
     * @param zero the code of 0
     */
    public byte[] apply(byte[] from, byte zero) {
        int size = from.length / sourceElements;
        byte[] to = new byte[Math.multiplyExact(size, elements)];
        if (zero != 0) {
            Arrays.fill(to, zero);
        }
        copy(from, to, size);
        return to;
    }

    /**
     * {@return the results of some examples}
     *
     * @param from the examples, one after another
     * @param zero the code of 0
     */
    public float[] apply(float[] from, float zero) {
        int size = from.length / sourceElements;
        float[] to = new float[Math.multiplyExact(size, elements)];
        Arrays.fill(to, zero);
        copy(from, to, size);
        return to;
    }

    /* From one array to another of the same type, which is full of zeros. */
    private void copy(Object from, Object to, int size) {
        for (int example = 0; example < size; example++) {
            int source = example * sourceElements;
            int target = example * elements;
            each(
                    (at, begin, length) -> {
                        if (at != AxisIndices.ZERO) {
                            System.arraycopy(from, source + at, to, target + begin, length);
                        }
                    });
        }
    }
}
