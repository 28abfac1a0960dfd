// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;

/**
 * The same elements in other dimensions: Reshape over dequantized codes, or over floats; Flatten,
 * Squeeze and Unsqueeze are read, too.
 */
final class ReshapeForm implements NodeForm<Reshape> {

    @Override
    public Class<Reshape> node() {
        return Reshape.class;
    }

    @Override
    public List<String> operators() {
        return List.of(
                Operators.RESHAPE, Operators.FLATTEN, Operators.SQUEEZE, Operators.UNSQUEEZE);
    }

    private static final int BATCH = 0;
    private static final int INFERRED = -1;

    /** {@return whether an operator only changes dimensions} */
    static boolean reshapes(OnnxNode node) {
        return switch (node.operator()) {
            case Operators.RESHAPE, Operators.FLATTEN, Operators.SQUEEZE, Operators.UNSQUEEZE ->
                    true;
            default -> false;
        };
    }

    @Override
    public void write(Reshape node, FormWriter target) {
        long[] sizes = new long[node.shape().rank() + 1]; // the first, 0, keeps the batch's size
        for (int axis = 0; axis < node.shape().rank(); axis++) {
            sizes[axis + 1] = node.shape().size(axis);
        }
        String name = node.name();
        if (target.type(name).hasFreeSteps()) {
            sizes[target.type(name).timeAxis() + 1] = INFERRED;
        }
        String shape = target.target().longs(name + "/shape", sizes);
        TensorType type = target.type(name);
        if (type.isCodes() && type.codes().range().isWide()) {
            target.target().node(Operators.RESHAPE, name, List.of(node.input(), shape), name);
            target.annotate(node, type.codes());
        } else if (type.isCodes()) {
            String result = target.operator(node, Operators.RESHAPE, List.of(shape), List.of());
            target.quantize(node, result, type.codes(), type.codes().range());
        } else {
            target.target().node(Operators.RESHAPE, name, List.of(node.input(), shape), name);
        }
    }

    @Override
    public Optional<Reshape> quantized(QuantizedResult codes, FormReader source) {
        return codes.operator()
                .filter(ReshapeForm::reshapes)
                .map(reshape -> read(reshape, codes, source));
    }

    private static Reshape read(OnnxNode reshape, QuantizedResult codes, FormReader source) {
        String input = source.codes(reshape, 0);
        String name = codes.keptName(input, source);
        return new Reshape(name, input, reshaped(reshape, input, name, source));
    }

    @Override
    public Optional<Reshape> result(OnnxNode last, FormReader source) {
        if (!reshapes(last)
                || MoveForm.moves(last, source)
                || TableForm.isPart(last, source.graph())) {
            return Optional.empty();
        }
        String input = last.input(0);
        if (source.dequantized(input).isPresent() && source.graph().isQuantized(last.output())) {
            return Optional.empty();
        }
        last.require(
                source.isFloats(input),
                "reads '%s', which is neither an input nor a float32 result",
                input);
        return Optional.of(
                new Reshape(last.output(), input, reshaped(last, input, last.output(), source)));
    }

    /** {@return whether an operator folds the rows of codes into the batch, or unfolds them} */
    static boolean folds(OnnxNode node, FormReader source) {
        return node.operator().equals(Operators.RESHAPE)
                && source.isCodes(node.input(0))
                && (source.rows().contains(node.input(0))
                        || Rows.reshaped(node, node.input(0), source).isPresent());
    }

    /** {@return the node of such an operator} */
    static Reshape folded(OnnxNode node, FormReader source) {
        String input = node.input(0);
        source.scales().sameContainers(input, node.output());
        return new Reshape(node.output(), input, reshaped(node, input, node.output(), source));
    }

    private static Shape reshaped(OnnxNode node, String input, String result, FormReader source) {
        Shape shape = source.shape(input);
        Optional<Shape> rows = Rows.reshaped(node, input, source);
        if (rows.isPresent()) {
            source.rows().add(result);
            return rows.get();
        }
        return source.rows().contains(input)
                ? Rows.batched(node, shape, source.constants())
                : reshaped(node, shape, source);
    }

    /**
     * {@return one example's dimensions after an operator that only changes dimensions}
     *
     * @param node the operator
     * @param input one example's dimensions before it
     * @param source the graph so far
     */
    static Shape reshaped(OnnxNode node, Shape input, FormReader source) {
        return switch (node.operator()) {
            case Operators.FLATTEN -> flattened(node, input);
            case Operators.SQUEEZE -> squeezed(node, input, source.constants());
            case Operators.UNSQUEEZE -> unsqueezed(node, input, source.constants());
            default -> reshaped(node, input, source.constants(), source.isSingle());
        };
    }

    private static Shape flattened(OnnxNode node, Shape input) {
        node.requireInputs(1, 1);
        node.requireAttributes("axis");
        int axis = node.integer("axis", 1);
        node.require(
                axis == 1 || axis == -input.rank(),
                "has axis = %d; only 1, which leaves the batch alone, is understood",
                axis);
        return Shape.of(input.elements());
    }

    private static Shape squeezed(OnnxNode node, Shape input, Constants constants) {
        List<Integer> sizes = new ArrayList<>(input.dimensions());
        for (int axis : axes(node, input.rank() + 1, constants)) {
            node.require(
                    axis > BATCH && sizes.get(axis - 1) == 1,
                    "removes axis %d of a batch of %s; only axes of size 1 after the batch can be",
                    axis,
                    input);
            sizes.set(axis - 1, 0);
        }
        sizes.removeIf(size -> size == 0);
        return sizes.isEmpty() ? Shape.of(1) : new Shape(sizes);
    }

    private static Shape unsqueezed(OnnxNode node, Shape input, Constants constants) {
        List<Integer> sizes = new ArrayList<>(input.dimensions());
        int given = constants.longs(node.input(1)).length;
        for (int axis : axes(node, input.rank() + 1 + given, constants)) {
            node.require(
                    axis > BATCH && axis - 1 <= sizes.size(),
                    "inserts axis %d into a batch of %s; the batch must stay the first",
                    axis,
                    input);
            sizes.add(axis - 1, 1);
        }
        return new Shape(sizes);
    }

    private static List<Integer> axes(OnnxNode node, int rank, Constants constants) {
        node.requireInputs(2, 2);
        node.requireAttributes();
        return LongStream.of(constants.longs(node.input(1)))
                .map(axis -> axis < 0 ? axis + rank : axis)
                .sorted()
                .mapToObj(axis -> axis(node, axis, rank))
                .toList();
    }

    private static int axis(OnnxNode node, long axis, int rank) {
        node.require(axis >= 0 && axis < rank, "names axis %d of %d", axis, rank);
        return (int) axis;
    }

    private static Shape reshaped(OnnxNode node, Shape input, Constants constants, boolean single) {
        long[] sizes = sizes(node, constants);
        node.require(
                sizes.length >= 2
                        && (sizes[0] == BATCH || sizes[0] == INFERRED || (single && sizes[0] == 1)),
                "reshapes to a shape of %d sizes that does not keep the batch; the first must be 0"
                        + " or -1, or 1 if the graph's inputs have a batch of 1, and one more must"
                        + " follow",
                sizes.length);
        return resolved(node, sizes, input);
    }

    /** {@return the sizes that a Reshape names} */
    static long[] sizes(OnnxNode node, Constants constants) {
        node.requireInputs(2, 2);
        node.requireAttributes("allowzero");
        node.requireInteger("allowzero", 0, 0);
        constants.requireVector(node.input(1));
        return constants.longs(node.input(1));
    }

    private static Shape resolved(OnnxNode node, long[] sizes, Shape input) {
        List<Integer> resolved = new ArrayList<>();
        int inferred = -1;
        long known = 1;
        for (int axis = 1; axis < sizes.length; axis++) {
            long size = sizes[axis];
            if (size == 0 && axis - 1 < input.rank()) {
                size = input.size(axis - 1);
            } else if (size == INFERRED && inferred < 0 && sizes[0] != INFERRED) {
                inferred = axis - 1;
                size = 1;
            }
            node.require(
                    size > 0 && size <= input.elements(),
                    "reshapes %s to a shape with the size %d",
                    input,
                    sizes[axis]);
            known = Math.min(known * size, Integer.MAX_VALUE);
            resolved.add((int) size);
        }
        if (inferred >= 0) {
            node.require(
                    input.elements() % known == 0,
                    "reshapes %s, whose elements cannot be shared by %d",
                    input,
                    known);
            resolved.set(inferred, (int) (input.elements() / known));
        }
        return new Shape(resolved);
    }
}
