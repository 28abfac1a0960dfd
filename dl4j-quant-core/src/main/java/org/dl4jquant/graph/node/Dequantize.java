// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;

/**
 * Codes to float32 values, {@code (code - zeroPoint) * scale}.
 *
 * @param name the node's name
 * @param input codes
 */
public record Dequantize(String name, String input) implements IntNode {
    /** Checks that the parts are there. */
    public Dequantize {
        NodeChecks.requireName(name);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        return new TensorType(inputs.codes(this, input).shape(), null);
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return inputs.get(0).timeAxis();
    }

    @Override
    public String kind() {
        return "Dequantize";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
