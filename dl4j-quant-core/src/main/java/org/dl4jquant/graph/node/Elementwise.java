// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeOperation;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Tensors combined place by place, by a {@link CodeOperation}. A dimension of size 1 is repeated as
 * often as the other tensors have it. The sum of two tensors of one shape is {@link Add}.
 *
 * @param name the node's name
 * @param operation the operation
 * @param inputs tensors of codes with as many dimensions each
 * @param output how the result's codes stand for values, and their clamp (ReLU)
 */
public record Elementwise(
        String name, CodeOperation.Kind operation, List<String> inputs, Output.Codes output)
        implements IntNode {
    /** Checks that the parts are there. */
    public Elementwise {
        NodeChecks.requireName(name);
        Objects.requireNonNull(operation, "operation");
        Objects.requireNonNull(output, "output");
        inputs = List.copyOf(inputs);
        Require.argument(
                operation.takes(inputs.size()),
                "%s '%s' has %d inputs; it needs %s",
                operation,
                name,
                inputs.size(),
                operation == CodeOperation.Kind.DIFFERENCE ? "two" : "two or more");
    }

    @Override
    public int timeAxis(List<TensorType> types, TensorType result) {
        return FreeSteps.common(this, types);
    }

    @Override
    public String kind() {
        return "Elementwise";
    }

    @Override
    public TensorType type(NodeInputs types) {
        Shape shape = types.codes(this, inputs.get(0)).shape();
        List<QuantParams> params = new ArrayList<>();
        for (String input : inputs) {
            TensorType type = types.codes(this, input);
            shape = broadcast(shape, type.shape(), input);
            params.add(type.codes());
        }
        NodeChecks.inNode(
                this, () -> CodeOperation.of(operation, params, output.params(), output.bounds()));
        return new TensorType(shape, output.params());
    }

    private Shape broadcast(Shape shape, Shape other, String input) {
        Require.argument(
                fit(shape, other),
                "node '%s': '%s' has shape %s, which does not fit %s; they have as many dimensions,"
                        + " and each is of one size or 1",
                name,
                input,
                other,
                shape);
        long elements = 1;
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 0; axis < shape.rank(); axis++) {
            sizes.add(Math.max(shape.size(axis), other.size(axis)));
            elements = Math.min(elements, TensorType.MAX_ELEMENTS) * sizes.get(axis);
        }
        NodeChecks.requireElements(this, "result", elements);
        return new Shape(sizes);
    }

    /**
     * {@return whether tensors can be combined, dimensions of size 1 being repeated}
     *
     * @param one a tensor's shape
     * @param other another's
     */
    public static boolean fit(Shape one, Shape other) {
        return one.rank() == other.rank()
                && IntStream.range(0, one.rank())
                        .allMatch(
                                axis ->
                                        one.size(axis) == other.size(axis)
                                                || one.size(axis) == 1
                                                || other.size(axis) == 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
