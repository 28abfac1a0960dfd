// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * A float32 tensor that comes from outside.
 *
 * @param name the node's name
 * @param shape one example's dimensions
 * @param timeAxis the dimension whose size is free: the steps of sequences, of which the shape has
 *     an example's, 2 or more; empty if all sizes are fixed
 */
public record Input(String name, Shape shape, OptionalInt timeAxis) implements IntNode {

    /* With one step, a dimension of steps cannot be told from others of size 1. */
    private static final int LEAST_STEPS = 2;

    /** Checks that the parts are there. */
    public Input {
        NodeChecks.requireName(name);
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(timeAxis, "timeAxis");
        if (timeAxis.isPresent()) {
            int axis = timeAxis.getAsInt();
            Require.argument(
                    axis >= 0 && axis < shape.rank() && shape.size(axis) >= LEAST_STEPS,
                    "input '%s': dimension %d of %s cannot be a free number of steps; there must be"
                            + " such a dimension, whose size in the shape is %d or more",
                    name,
                    axis,
                    shape,
                    LEAST_STEPS);
        }
    }

    /**
     * Takes an input all of whose sizes are fixed.
     *
     * @param name the node's name
     * @param shape one example's dimensions
     */
    public Input(String name, Shape shape) {
        this(name, shape, OptionalInt.empty());
    }

    @Override
    public List<String> inputs() {
        return List.of();
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        return new TensorType(shape, null, timeAxis.orElse(TensorType.NO_TIME));
    }

    @Override
    public Input withSteps(int steps, TensorType input, TensorType result) {
        return timeAxis.isPresent()
                ? new Input(name, FreeSteps.resized(shape, timeAxis.getAsInt(), steps))
                : this;
    }

    @Override
    public String kind() {
        return "Input";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
