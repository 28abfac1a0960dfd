// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.OutputFunction;

/**
 * Clamps float32 results, or makes their negative part flatter: the activation function of a last
 * layer whose results leave as float32.
 *
 * @param name the node's name
 * @param input float32 values that the graph computes from codes
 * @param function the function of each
 */
public record Rectify(String name, String input, OutputFunction.Rectifier function)
        implements IntNode {
    /** Checks that the parts are there. */
    public Rectify {
        NodeChecks.requireName(name);
        Objects.requireNonNull(function, "function");
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                !type.isCodes() && !inputs.isFromOutside(input),
                "rectify '%s' reads %s from '%s'; it takes float32 values that the graph computes,"
                        + " codes are clamped by their bounds or by a Table",
                name,
                type.isCodes() ? "codes" : "an input",
                input);
        return type;
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return inputs.get(0).timeAxis();
    }

    @Override
    public String kind() {
        return "Rectify";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
