// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.numeric.Shape;

/**
 * A float32 tensor that comes from outside.
 *
 * @param name the node's name
 * @param shape one example's dimensions
 */
public record Input(String name, Shape shape) implements IntNode {
    /** Checks that the parts are there. */
    public Input {
        NodeChecks.requireName(name);
        Objects.requireNonNull(shape, "shape");
    }

    @Override
    public List<String> inputs() {
        return List.of();
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        return new TensorType(shape, null);
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
