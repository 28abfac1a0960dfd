// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;

/**
 * The same elements in other dimensions: Reshape over dequantized codes, or over floats; Flatten is
 * read, too.
 */
final class ReshapeForm implements NodeForm<Reshape> {

    @Override
    public Class<Reshape> node() {
        return Reshape.class;
    }

    @Override
    public List<String> operators() {
        return List.of(Operators.RESHAPE, Operators.FLATTEN);
    }

    private static final int BATCH = 0;
    private static final int INFERRED = -1;

    /** {@return whether an operator is a Reshape or a Flatten} */
    static boolean reshapes(OnnxNode node) {
        return node.operator().equals(Operators.RESHAPE)
                || node.operator().equals(Operators.FLATTEN);
    }

    @Override
    public void write(Reshape node, FormWriter target) {
        long[] sizes = new long[node.shape().rank() + 1]; // the first, 0, keeps the batch's size
        for (int axis = 0; axis < node.shape().rank(); axis++) {
            sizes[axis + 1] = node.shape().size(axis);
        }
        String name = node.name();
        String shape = target.target().longs(name + "/shape", sizes);
        TensorType type = target.type(name);
        if (type.isCodes()) {
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
        Shape shape = reshaped(reshape, source.shape(input), source.constants());
        codes.requireKept(input, source);
        return new Reshape(codes.name(), input, shape);
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
        Shape shape = reshaped(last, source.shape(input), source.constants());
        return Optional.of(new Reshape(last.output(), input, shape));
    }

    /**
     * {@return one example's dimensions after a Reshape or Flatten}
     *
     * @param node the operator
     * @param input one example's dimensions before it
     * @param constants the constants of the file
     */
    static Shape reshaped(OnnxNode node, Shape input, Constants constants) {
        if (node.operator().equals(Operators.FLATTEN)) {
            node.requireInputs(1, 1);
            node.requireAttributes("axis");
            node.requireInteger("axis", 1, 1);
            return Shape.of(input.elements());
        }
        node.requireInputs(2, 2);
        node.requireAttributes("allowzero");
        node.requireInteger("allowzero", 0, 0);
        long[] sizes = constants.longs(node.input(1));
        constants.requireVector(node.input(1));
        node.require(
                sizes.length >= 2 && (sizes[0] == BATCH || sizes[0] == INFERRED),
                "reshapes to a shape of %d sizes that does not keep the batch; the first must be 0"
                        + " or -1, and one more must follow",
                sizes.length);
        return resolved(node, sizes, input);
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
