// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.wire.DataType;

/**
 * Reads Reshape, Flatten, Transpose, Slice, Pad, Gather and Resize as maps of an example's
 * elements.
 */
final class MoveSteps {

    /* A Pad of few bytes can ask for many indices. */
    private static final int MAX_INDICES = 1 << 24;

    private static final int BATCH = 0;

    private final FormReader source;

    MoveSteps(FormReader source) {
        this.source = source;
    }

    /**
     * {@return the map of one operator}
     *
     * @param node the operator
     * @param shape one example's dimensions before it
     * @param codes the codes that it moves
     */
    IndexMap step(OnnxNode node, Shape shape, String codes) {
        node.require(
                shape.rank() <= IndexMap.MAX_RANK,
                "reads %s, of %d dimensions for one example; at most %d are understood",
                shape,
                shape.rank(),
                IndexMap.MAX_RANK);
        count(node, shape.dimensions().stream().mapToLong(size -> size).sum());
        return switch (node.operator()) {
            case Operators.TRANSPOSE -> transpose(node, shape);
            case Operators.SLICE -> slice(node, shape);
            case Operators.PAD -> pad(node, shape, codes);
            case Operators.GATHER -> gather(node, shape);
            case Operators.RESIZE -> resize(node, shape);
            default -> IndexMap.identity(ReshapeForm.reshaped(node, shape, source));
        };
    }

    private void count(OnnxNode node, long more) {
        long indices = source.countIndices(more);
        node.require(
                more <= MAX_INDICES && indices <= MAX_INDICES,
                "moves codes along axes that have, with all before it, %d indices; at most %d are"
                        + " understood",
                indices,
                MAX_INDICES);
    }

    private static IndexMap transpose(OnnxNode node, Shape shape) {
        node.requireInputs(1, 1);
        node.requireAttributes("perm");
        int[] axes = node.integers("perm", shape.rank() + 1);
        node.require(
                axes[0] == BATCH,
                "moves the batch to another axis; perm[0] is %d and must be 0",
                axes[0]);
        List<Integer> order = IntStream.of(axes).skip(1).map(axis -> axis - 1).boxed().toList();
        return IndexMap.permute(shape, order);
    }

    private IndexMap slice(OnnxNode node, Shape shape) {
        node.requireInputs(3, 5);
        node.requireAttributes();
        long[] starts = longs(node.input(1));
        long[] ends = longs(node.input(2));
        long[] axes = optionalLongs(node, 3, starts.length, true);
        long[] steps = optionalLongs(node, 4, starts.length, false);
        node.require(
                ends.length == starts.length
                        && axes.length == starts.length
                        && steps.length == starts.length,
                "has %d starts, %d ends, %d axes and %d steps; there must be as many of each",
                starts.length,
                ends.length,
                axes.length,
                steps.length);
        List<AxisIndices> lists = new ArrayList<>(IndexMap.identity(shape).axes());
        for (int i = 0; i < starts.length; i++) {
            int axis = axis(node, axes[i], shape);
            AxisIndices kept = kept(node, starts[i], ends[i], steps[i], shape.size(axis));
            node.require(
                    lists.get(axis).isIdentity(shape.size(axis)), "slices axis %d twice", axis + 1);
            lists.set(axis, kept);
        }
        return selected(shape, lists);
    }

    private long[] optionalLongs(OnnxNode node, int input, int length, boolean counted) {
        return node.optionalInput(input)
                .map(this::longs)
                .orElseGet(
                        () -> IntStream.range(0, length).mapToLong(i -> counted ? i : 1).toArray());
    }

    private static AxisIndices kept(OnnxNode node, long start, long end, long step, int size) {
        node.require(step != 0, "slices with a step of 0");
        long lowest = step > 0 ? 0 : -1;
        long highest = step > 0 ? size : size - 1L;
        long first = Math.min(Math.max(start < 0 ? start + size : start, lowest), highest);
        long last = Math.min(Math.max(end < 0 ? end + size : end, lowest), highest);
        if (step < 0) {
            first = Math.max(first, 0);
        }
        List<Integer> kept = new ArrayList<>();
        for (long at = first; step > 0 ? at < last : at > last; at += bounded(step, size)) {
            kept.add((int) at);
        }
        node.require(
                !kept.isEmpty(),
                "slices %d to %d of an axis of %d, which leaves nothing",
                start,
                end,
                size);
        return AxisIndices.of(kept.stream().mapToInt(at -> at).toArray());
    }

    private static long bounded(long step, int size) {
        return Math.min(Math.max(step, -size - 1L), size + 1L);
    }

    private IndexMap pad(OnnxNode node, Shape shape, String codes) {
        node.requireInputs(2, 3);
        node.requireAttributes("mode");
        node.requireText("mode", "constant");
        long[] pads = longs(node.input(1));
        int rank = shape.rank() + 1;
        node.require(
                pads.length == 2 * rank && pads[0] == 0 && pads[rank] == 0,
                "pads by %s; a tensor of %d dimensions has twice as many pads, and the batch none",
                Arrays.toString(pads),
                rank);
        QuantParams params = source.params(codes);
        node.require(
                isZero(node, codes, params),
                "pads with another value than 0, the zero point %d of '%s'",
                params.zeroPoint(),
                codes);
        List<AxisIndices> lists = new ArrayList<>();
        for (int axis = 0; axis < shape.rank(); axis++) {
            long before = pads[axis + 1];
            long after = pads[rank + axis + 1];
            node.require(
                    before >= 0
                            && after >= 0
                            && before <= AxisIndices.MAX_SIZE
                            && after <= AxisIndices.MAX_SIZE,
                    "pads axis %d by %d and %d; 0 to %d are understood",
                    axis + 1,
                    before,
                    after,
                    AxisIndices.MAX_SIZE);
            count(node, before + after);
            lists.add(AxisIndices.padded(shape.size(axis), (int) before, (int) after));
        }
        return selected(shape, lists);
    }

    private boolean isZero(OnnxNode node, String codes, QuantParams params) {
        Optional<String> value = node.optionalInput(2);
        if (params.range().isWide()) {
            float padding = value.isEmpty() ? 0 : source.constants().scalar(value.get());
            return padding == params.zeroPoint();
        }
        if (value.isPresent() && source.constants().isOf(value.get(), DataType.FLOAT)) {
            return source.constants().scalar(value.get()) == 0;
        }
        if (source.dequantized(node.input(0)).isPresent()) {
            return value.isEmpty();
        }
        int code =
                value.map(name -> source.scales().code(name, codes, params.range()))
                        .orElse(source.scales().codeOfByte(0, codes, params.range()));
        return code == params.zeroPoint();
    }

    private IndexMap gather(OnnxNode node, Shape shape) {
        node.requireInputs(2, 2);
        node.requireAttributes("axis");
        int axis = axis(node, node.integer("axis", 0), shape);
        String name = node.input(1);
        long[] taken = longs(name);
        source.constants().requireVector(name);
        int size = shape.size(axis);
        node.require(
                source.constants().dimensions(name).size() == 1 && taken.length > 0,
                "takes the indices '%s' of the dimensions %s; it must be a list of at least one",
                name,
                source.constants().dimensions(name));
        count(node, taken.length);
        int[] sources = new int[taken.length];
        for (int i = 0; i < taken.length; i++) {
            long index = taken[i] < 0 ? taken[i] + size : taken[i];
            node.require(
                    index >= 0 && index < size,
                    "takes the index %d of an axis of %d",
                    taken[i],
                    size);
            sources[i] = (int) index;
        }
        return IndexMap.select(shape, axis, AxisIndices.of(sources));
    }

    private IndexMap resize(OnnxNode node, Shape shape) {
        int[] times = new ResizeFactors(node, source.constants()).of(shape);
        List<AxisIndices> lists = new ArrayList<>();
        for (int axis = 0; axis < times.length; axis++) {
            count(node, (long) shape.size(axis) * times[axis]);
            lists.add(AxisIndices.repeated(shape.size(axis), times[axis]));
        }
        return selected(shape, lists);
    }

    private static int axis(OnnxNode node, long axis, Shape shape) {
        long found = axis < 0 ? axis + shape.rank() + 1 : axis;
        node.require(
                found > BATCH && found <= shape.rank(),
                "moves along axis %d of a batch of %s; 1 to %d are understood, the batch stays",
                axis,
                shape,
                shape.rank());
        return (int) found - 1;
    }

    private long[] longs(String name) {
        Constants constants = source.constants();
        if (constants.isOf(name, DataType.INT32)) {
            return IntStream.of(constants.ints(name)).asLongStream().toArray();
        }
        return constants.longs(name);
    }

    private static IndexMap selected(Shape shape, List<AxisIndices> lists) {
        List<Integer> order = IntStream.range(0, shape.rank()).boxed().toList();
        List<Integer> sizes = new ArrayList<>(Collections.nCopies(shape.rank(), 1));
        IntStream.range(0, shape.rank()).forEach(axis -> sizes.set(axis, lists.get(axis).size()));
        return new IndexMap(shape, order, lists, new Shape(sizes));
    }
}
