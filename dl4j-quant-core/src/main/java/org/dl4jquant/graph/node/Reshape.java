// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * The same elements, in row-major order, in another shape; flattening is one case.
 *
 * @param name the node's name
 * @param input codes or float32 values
 * @param shape one example's new dimensions
 */
public record Reshape(String name, String input, Shape shape) implements KeepsCodes {
    /** Checks that the parts are there. */
    public Reshape {
        NodeChecks.requireName(name);
        Objects.requireNonNull(shape, "shape");
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                type.shape().elements() == shape.elements(),
                "reshape '%s': '%s' of shape %s has %d elements, %s has %d",
                name,
                input,
                type.shape(),
                type.shape().elements(),
                shape,
                shape.elements());
        return new TensorType(shape, type.params());
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        TensorType input = inputs.get(0);
        return FreeSteps.reshaped(this, input.shape(), input.timeAxis(), shape);
    }

    @Override
    public Reshape withSteps(int steps, TensorType input, TensorType result) {
        return input.hasFreeSteps()
                ? new Reshape(name, this.input, FreeSteps.resized(shape, result.timeAxis(), steps))
                : this;
    }

    @Override
    public String kind() {
        return "Reshape";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
