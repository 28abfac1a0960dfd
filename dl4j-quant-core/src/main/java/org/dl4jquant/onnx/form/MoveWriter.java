// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.Message;
import org.dl4jquant.onnx.wire.MessageBuilder;
import org.dl4jquant.onnx.wire.NodeProto;
import org.jspecify.annotations.Nullable;

/*
 * Reshape, Transpose, Slice, Pad, Resize, Gather for each axis, Reshape; those that would change
 * nothing are left out. They read the codes themselves, not dequantized ones: nothing is computed, so there is
 * nothing to fuse, and every runtime moves bytes exactly. An axis is sliced and padded if its indices
 * are one range between zeros; else it is gathered, with one zero at its end for the indices that
 * have no source.
 */
/** Writes a map of codes as operators that move them. */
final class MoveWriter {

    private final GraphWriter target;
    private final String name;
    private final int steps;
    private final TensorType to;
    private final List<Operation> operations = new ArrayList<>();

    /** An operator that reads the result of the one before it, and constants. */
    private record Operation(String operator, List<String> constants, List<Message> attributes) {}

    /**
     * Makes a writer of one node.
     *
     * @param target the graph
     * @param name the node's name, which its last tensor bears
     * @param steps the dimension of free steps in the map's view; below 0 without one
     * @param to the type of its result
     */
    MoveWriter(GraphWriter target, String name, int steps, TensorType to) {
        this.target = target;
        this.name = name;
        this.steps = steps;
        this.to = to;
    }

    /**
     * Writes the operators.
     *
     * @param map the map, which moves something
     * @param codes the name of the codes or values that it reads
     * @param shape their shape
     * @param zeroPoint the name of their zero point; values, which are not padded, have none
     */
    void write(IndexMap map, String codes, Shape shape, String zeroPoint) {
        reshape("view", shape, map.view(), steps);
        List<Integer> order = map.order();
        if (!order.equals(order.stream().sorted().toList())) {
            long[] axes = new long[order.size() + 1];
            IntStream.range(0, order.size()).forEach(axis -> axes[axis + 1] = order.get(axis) + 1L);
            add(Operators.TRANSPOSE, List.of(), List.of(Attributes.of("perm", axes)));
        }
        List<Cut> cuts = new ArrayList<>();
        for (int axis = 0; axis < order.size(); axis++) {
            cuts.add(Cut.of(map.axes().get(axis), map.view().size(order.get(axis))));
        }
        slice(cuts, order.indexOf(steps));
        pad(cuts, zeroPoint);
        resize(cuts);
        for (int axis = 0; axis < cuts.size(); axis++) {
            gather(cuts.get(axis), axis + 1);
        }
        reshape("shape", map.gathered(), map.shape(), to.timeAxis());
        emit(codes);
    }

    /**
     * How an axis becomes its indices.
     *
     * @param size of the axis
     * @param from the first index that is kept
     * @param to the index after the last that is kept
     * @param before how many zeros are put before it
     * @param after how many zeros are put after it
     * @param gathered the indices that are taken after that; null if all are
     */
    private record Cut(
            int size, int from, int to, int before, int after, @Nullable AxisIndices gathered) {

        static Cut of(AxisIndices indices, int size) {
            int begin = 0;
            while (begin < indices.size() && indices.source(begin) == AxisIndices.ZERO) {
                begin++;
            }
            int end = begin + 1;
            while (end < indices.size() && indices.source(end) == indices.source(end - 1) + 1) {
                end++;
            }
            boolean range =
                    begin < indices.size()
                            && IntStream.range(end, indices.size())
                                    .allMatch(at -> indices.source(at) == AxisIndices.ZERO);
            if (range) {
                int first = indices.source(begin);
                return new Cut(size, first, first + end - begin, begin, indices.size() - end, null);
            }
            boolean zeros =
                    IntStream.of(indices.toArray()).anyMatch(index -> index == AxisIndices.ZERO);
            return new Cut(size, 0, size, 0, zeros ? 1 : 0, indices);
        }

        /** How often each index is repeated; 1 if they are not repeated alike. */
        int times() {
            if (gathered == null || gathered.size() % size != 0) {
                return 1;
            }
            int times = gathered.size() / size;
            return gathered.equals(AxisIndices.repeated(size, times)) ? times : 1;
        }
    }

    private void reshape(String what, Shape before, Shape after, int timeAxis) {
        if (!before.equals(after)) {
            long[] sizes = new long[after.rank() + 1]; // the first, 0, keeps the batch's size
            IntStream.range(0, after.rank())
                    .forEach(axis -> sizes[axis + 1] = axis == timeAxis ? -1 : after.size(axis));
            add(Operators.RESHAPE, List.of(target.longs(name + "/" + what, sizes)), List.of());
        }
    }

    private void slice(List<Cut> cuts, int steps) {
        int[] sliced =
                IntStream.range(0, cuts.size())
                        .filter(
                                axis ->
                                        cuts.get(axis).from > 0
                                                || cuts.get(axis).to < cuts.get(axis).size)
                        .toArray();
        if (sliced.length > 0) {
            long[] starts = IntStream.of(sliced).mapToLong(axis -> cuts.get(axis).from).toArray();
            long[] ends = IntStream.of(sliced).mapToLong(axis -> cuts.get(axis).to).toArray();
            long[] axes = IntStream.of(sliced).mapToLong(axis -> axis + 1L).toArray();
            for (int i = 0; i < sliced.length; i++) {
                if (sliced[i] == steps) { // the last step, whatever its number
                    starts[i] = -1;
                    ends[i] = Integer.MAX_VALUE;
                }
            }
            add(
                    Operators.SLICE,
                    List.of(
                            target.longs(name + "/starts", starts),
                            target.longs(name + "/ends", ends),
                            target.longs(name + "/axes", axes)),
                    List.of());
        }
    }

    private void pad(List<Cut> cuts, String zeroPoint) {
        int rank = cuts.size() + 1;
        long[] pads = new long[2 * rank];
        for (int axis = 0; axis < cuts.size(); axis++) {
            pads[axis + 1] = cuts.get(axis).before;
            pads[rank + axis + 1] = cuts.get(axis).after;
        }
        if (IntStream.range(0, pads.length).anyMatch(at -> pads[at] > 0)) {
            add(Operators.PAD, List.of(target.longs(name + "/pads", pads), zeroPoint), List.of());
        }
    }

    private void resize(List<Cut> cuts) {
        float[] factors = new float[cuts.size() + 1];
        factors[0] = 1;
        for (int axis = 0; axis < cuts.size(); axis++) {
            factors[axis + 1] = cuts.get(axis).times();
        }
        if (IntStream.range(0, factors.length).anyMatch(axis -> factors[axis] > 1)) {
            String scales = target.floats(name + "/scales", factors, factors.length);
            add(
                    Operators.RESIZE,
                    List.of("", scales), // no region of interest
                    List.of(
                            Attributes.of(ResizeFactors.COORDINATES, ResizeFactors.ASYMMETRIC),
                            Attributes.of(ResizeFactors.MODE, ResizeFactors.NEAREST),
                            Attributes.of(ResizeFactors.NEAREST_MODE, ResizeFactors.FLOOR)));
        }
    }

    private void gather(Cut cut, int axis) {
        AxisIndices gathered = cut.gathered;
        if (gathered != null && cut.times() == 1) {
            long[] indices =
                    IntStream.of(gathered.toArray())
                            .mapToLong(index -> index == AxisIndices.ZERO ? cut.size : index)
                            .toArray();
            add(
                    Operators.GATHER,
                    List.of(target.longs(name + "/indices", indices)),
                    List.of(Attributes.of("axis", axis)));
        }
    }

    private void add(String operator, List<String> constants, List<Message> attributes) {
        operations.add(new Operation(operator, constants, attributes));
    }

    private void emit(String codes) {
        Require.state(!operations.isEmpty(), "the move '%s' moves nothing", name);
        String from = codes;
        for (int i = 0; i < operations.size(); i++) {
            Operation operation = operations.get(i);
            List<String> inputs = new ArrayList<>(List.of(from));
            inputs.addAll(operation.constants);
            boolean last = i == operations.size() - 1;
            String step = name + "/" + operation.operator.toLowerCase(Locale.ROOT);
            String to = last ? name : target.name(step);
            MessageBuilder node =
                    last
                            ? target.node(operation.operator, name, inputs, to)
                            : target.auxiliary(operation.operator, step, inputs, to);
            operation.attributes.forEach(each -> node.add(NodeProto.ATTRIBUTE, each));
            from = to;
        }
    }
}
