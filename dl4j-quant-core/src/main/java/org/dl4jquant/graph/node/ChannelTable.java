// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Element-wise functions as tables of codes, one for each index of the first dimensions of an
 * example: for each channel, or for each place of each channel.
 *
 * @param name the node's name
 * @param input codes
 * @param tables the result's code for each code; as many as an example has indices in its first
 *     dimensions, in row-major order
 * @param params how the result's codes stand for values
 */
public record ChannelTable(String name, String input, List<CodeTable> tables, QuantParams params)
        implements IntNode {

    /** The most tables of a node: 1 MiB of them. */
    public static final int MAX_TABLES = 1 << 12;

    /** Checks that every entry is a code of the result. */
    public ChannelTable {
        NodeChecks.requireName(name);
        tables = List.copyOf(tables);
        Objects.requireNonNull(params, "params");
        Require.argument(
                !tables.isEmpty() && tables.size() <= MAX_TABLES,
                "node '%s' has %d tables; 1 to %d are allowed",
                name,
                tables.size(),
                MAX_TABLES);
        tables.forEach(table -> NodeChecks.requireEntries(name, table, params));
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        Shape shape = inputs.codes(this, input).shape();
        Require.argument(
                dimensions(shape) > 0,
                "node '%s' has %d tables, and reads '%s' of shape %s; there must be one for each"
                        + " index of its first dimension, or of its first ones",
                name,
                tables.size(),
                input,
                shape);
        return new TensorType(shape, params);
    }

    /**
     * {@return how many dimensions number the tables; 0 if the shape does not fit}
     *
     * @param shape one example's dimensions
     */
    public int dimensions(Shape shape) {
        Require.given(shape, "shape");
        long indices = 1;
        for (int axis = 0; axis < shape.rank(); axis++) {
            indices *= shape.size(axis);
            if (indices == tables.size()) {
                return axis + 1;
            }
        }
        return 0;
    }

    @Override
    public String kind() {
        return "ChannelTable";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
