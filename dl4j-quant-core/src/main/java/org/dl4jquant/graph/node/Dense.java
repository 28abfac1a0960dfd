// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * A matrix product with a vector per example.
 *
 * @param name the node's name
 * @param input codes [in]
 * @param weights [out, in]
 * @param output codes or float32 values
 */
public record Dense(String name, String input, WeightTensor weights, Output output)
        implements Weighted {
    /** Checks that the weights are a matrix. */
    public Dense {
        NodeChecks.requireName(name);
        Objects.requireNonNull(output, "output");
        Require.argument(
                weights.shape().rank() == 2,
                "dense '%s': weights %s must be [out, in]",
                name,
                weights.shape());
    }

    @Override
    public int groups() {
        return 1;
    }

    @Override
    public Dense reading(String other) {
        return new Dense(name, other, weights, output);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.codes(this, input);
        Require.argument(
                type.shape().equals(Shape.of(weights.shape().size(1))),
                "dense '%s': '%s' has shape %s, its weights %s are for [%d]; reshape it first",
                name,
                input,
                type.shape(),
                weights.shape(),
                weights.shape().size(1));
        NodeChecks.requireComputable(this, weights, type.codes(), output);
        return new TensorType(Shape.of(weights.channels()), NodeChecks.paramsOf(output));
    }

    @Override
    public String kind() {
        return "Dense";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
