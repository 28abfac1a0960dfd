// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * The mean of each channel: [channels, height, width] to [channels, 1, 1].
 *
 * @param name the node's name
 * @param input codes of an image
 * @param params how the result's codes stand for values
 */
public record GlobalAveragePool(String name, String input, QuantParams params) implements IntNode {
    /** Checks that the parts are there. */
    public GlobalAveragePool {
        NodeChecks.requireName(name);
        Objects.requireNonNull(params, "params");
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.image(this, input);
        NodeChecks.requireImageMean(this, type, params);
        return new TensorType(Shape.of(type.shape().size(0), 1, 1), params);
    }

    @Override
    public String kind() {
        return "GlobalAveragePool";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
