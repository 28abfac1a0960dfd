// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRows;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * An embedding: a row of codes for each index, which comes from outside as a float32 number.
 *
 * <p>Engines refuse an index that is no whole number or has no row, before they compute anything.
 *
 * @param name the node's name
 * @param input float32 indices from outside, of any shape
 * @param rows the row of each index
 * @param params how the codes stand for values
 */
public record Lookup(String name, String input, CodeRows rows, QuantParams params)
        implements IntNode {
    /** Checks that every entry is a code of the result. */
    public Lookup {
        NodeChecks.requireName(name);
        Objects.requireNonNull(rows, "rows");
        Objects.requireNonNull(params, "params");
        for (byte entry : rows.containers()) {
            int code = params.range().decode(entry);
            Require.argument(
                    params.range().contains(code),
                    "lookup '%s' has the entry %d, which is outside the codes [%d, %d]",
                    name,
                    code,
                    params.range().min(),
                    params.range().max());
        }
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public TensorType type(NodeInputs inputs) {
        TensorType type = inputs.type(input);
        Require.argument(
                !type.isCodes() && inputs.isFromOutside(input),
                "lookup '%s' reads '%s', which the graph computes; it takes float32 indices from"
                        + " outside",
                name,
                input);
        List<Integer> dimensions = new ArrayList<>(type.shape().dimensions());
        dimensions.add(rows.width());
        return new TensorType(new Shape(dimensions), params);
    }

    @Override
    public String kind() {
        return "Lookup";
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.visit(this);
    }
}
