// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;

/**
 * Rounds float32 values to codes, {@code clamp(rint(x / scale) + zeroPoint)}.
 *
 * @param name the node's name
 * @param input a float32 tensor
 * @param params how the codes stand for values
 */
public record Quantize(String name, String input, QuantParams params) implements IntNode {
    /** Checks that the parts are there. */
    public Quantize {
        NodeChecks.requireName(name);
        Objects.requireNonNull(params, "params");
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                !type.isCodes(),
                "quantize '%s' reads codes from '%s'; it takes float32 values, use a Table to"
                        + " change scales",
                name,
                input);
        Require.argument(
                inputs.isRoundable(input),
                "quantize '%s' reads '%s', which the graph computes from codes; let the node before"
                        + " it make codes, or use a Table to change scales",
                name,
                input);
        return new TensorType(type.shape(), params);
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return inputs.get(0).timeAxis();
    }

    @Override
    public String kind() {
        return "Quantize";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }

    @Override
    public boolean takesWideCodes() {
        return true;
    }
}
