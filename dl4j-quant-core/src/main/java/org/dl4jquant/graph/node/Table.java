// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;

/**
 * An element-wise function as a table of codes.
 *
 * @param name the node's name
 * @param input codes
 * @param table the result's code for each code
 * @param params how the result's codes stand for values
 */
public record Table(String name, String input, CodeTable table, QuantParams params)
        implements IntNode {
    /** Checks that every entry is a code of the result. */
    public Table {
        NodeChecks.requireName(name);
        Objects.requireNonNull(table, "table");
        Objects.requireNonNull(params, "params");
        NodeChecks.requireEntries(name, table, params);
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        return new TensorType(inputs.codes(this, input).shape(), params);
    }

    @Override
    public int timeAxis(List<TensorType> inputs, TensorType result) {
        return inputs.get(0).timeAxis();
    }

    @Override
    public String kind() {
        return "Table";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
