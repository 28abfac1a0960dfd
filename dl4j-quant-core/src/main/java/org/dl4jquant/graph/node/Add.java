// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeSum;

/**
 * The sum of two tensors of one shape.
 *
 * @param name the node's name
 * @param left codes
 * @param right codes
 * @param output how the result's codes stand for values, and their clamp (ReLU)
 */
public record Add(String name, String left, String right, Output.Codes output) implements IntNode {
    /** Checks that the parts are there. */
    public Add {
        NodeChecks.requireName(name);
        Objects.requireNonNull(output, "output");
    }

    @Override
    public List<String> inputs() {
        return List.of(left, right);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType leftType = inputs.codes(this, left);
        TensorType rightType = inputs.codes(this, right);
        Require.argument(
                leftType.shape().equals(rightType.shape()),
                "add '%s': '%s' has shape %s and '%s' has %s; they must be equal",
                name,
                left,
                leftType.shape(),
                right,
                rightType.shape());
        NodeChecks.inNode(
                this,
                () ->
                        CodeSum.of(
                                leftType.codes(),
                                rightType.codes(),
                                output.params(),
                                output.bounds()));
        return new TensorType(leftType.shape(), output.params());
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return FreeSteps.common(this, inputs);
    }

    @Override
    public String kind() {
        return "Add";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
