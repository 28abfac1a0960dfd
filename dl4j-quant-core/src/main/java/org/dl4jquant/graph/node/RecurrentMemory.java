// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/**
 * The memory of a recurrent layer after the last step, as float32 values, for a stream that goes
 * on; its hidden state is the layer's last result.
 *
 * @param name the node's name
 * @param of the layer, an earlier node of the graph, whose cell has a memory
 */
public record RecurrentMemory(String name, Recurrent of) implements IntNode {
    /** Checks that there is a memory. */
    public RecurrentMemory {
        NodeChecks.requireName(name);
        Objects.requireNonNull(of, "of");
        Require.argument(
                of.cell().remembers(),
                "node '%s': the cell of recurrent '%s' has no memory",
                name,
                of.name());
    }

    @Override
    public List<String> inputs() {
        List<String> inputs = new ArrayList<>(of.inputs());
        inputs.add(of.name());
        return List.copyOf(inputs);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        return new TensorType(Shape.of(of.units()), null);
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return TensorType.NO_TIME;
    }

    @Override
    public String kind() {
        return "RecurrentMemory";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
