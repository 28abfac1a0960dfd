// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Tensors one after another along the first dimension (the channels); each is brought to the
 * result's scale first.
 *
 * @param name the node's name
 * @param inputs two or more tensors of codes
 * @param params how the result's codes stand for values
 */
public record Concat(String name, List<String> inputs, QuantParams params) implements IntNode {
    /** Checks that there are at least two inputs. */
    public Concat {
        NodeChecks.requireName(name);
        Objects.requireNonNull(params, "params");
        inputs = List.copyOf(inputs);
        Require.argument(
                inputs.size() >= 2,
                "concat '%s' has %d inputs; it needs two or more",
                name,
                inputs.size());
    }

    @Override
    public TensorType type(NodeInputs types) {
        Shape first = types.codes(this, inputs.get(0)).shape();
        long channels = 0;
        for (String input : inputs) {
            Shape shape = types.codes(this, input).shape();
            Require.argument(
                    tail(shape).equals(tail(first)),
                    "concat '%s': '%s' has shape %s, which does not fit %s after the channels",
                    name,
                    input,
                    shape,
                    first);
            channels += shape.size(0);
        }
        NodeChecks.requireElements(this, "result", channels * (first.elements() / first.size(0)));
        List<Integer> joined = new ArrayList<>(first.dimensions());
        joined.set(0, (int) channels);
        return new TensorType(new Shape(joined), params);
    }

    @Override
    public int timeAxis(List<TensorType> types, TensorType result) {
        int axis = FreeSteps.common(this, types);
        Require.argument(axis > 0, "concat '%s' joins along a free number of steps", name);
        return axis;
    }

    @Override
    public String kind() {
        return "Concat";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }

    private static List<Integer> tail(Shape shape) {
        return shape.dimensions().subList(1, shape.rank());
    }
}
