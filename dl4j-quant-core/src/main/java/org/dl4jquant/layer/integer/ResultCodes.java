// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.Requantizer;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.jspecify.annotations.Nullable;

/**
 * The way from an operation's result to codes, through an activation function: a clamp of the
 * codes, or codes of the function's argument and a table of them.
 *
 * @param argument how the codes of the table's argument stand for values; null without a table
 * @param table the activation function; null if it is a clamp or the identity
 * @param bounds the clamp of the codes, inside their range
 * @param output how the codes stand for values
 */
public record ResultCodes(
        @Nullable QuantParams argument,
        @Nullable CodeTable table,
        CodeRange bounds,
        QuantParams output) {

    /** Checks the parts. */
    public ResultCodes {
        Objects.requireNonNull(bounds, "bounds");
        Objects.requireNonNull(output, "output");
        Require.argument(
                (argument == null) == (table == null),
                "a table needs codes of its argument, and only a table does");
    }

    /**
     * Returns the codes of a function's result.
     *
     * @param function the function
     * @param argument how the codes of its argument stand for values; read for a table only
     * @param output how the codes of its result stand for values
     * @return the codes
     * @throws NullPointerException if the function is a table and its argument has no codes
     */
    public static ResultCodes of(
            PointwiseActivation function, @Nullable QuantParams argument, QuantParams output) {
        CodeRange bounds =
                Require.given(function, "function").bounds(Require.given(output, "output"));
        return function.isClamp()
                ? new ResultCodes(null, null, bounds, output)
                : new ResultCodes(
                        argument,
                        function.toTable(Objects.requireNonNull(argument, "argument"), output),
                        bounds,
                        output);
    }

    /**
     * {@return the requantizer from accumulators to values of the codes}
     *
     * @param inputScale units per code of the input
     * @param weightScales units per code of each channel's weights
     * @param channels the axis of the channels
     */
    Requantizer requantizer(float inputScale, float[] weightScales, Channels channels) {
        QuantParams rounded = argument == null ? output : argument;
        float[] multipliers = weightScales.clone();
        for (int channel = 0; channel < multipliers.length; channel++) {
            multipliers[channel] =
                    Rounding.multiplier(inputScale, weightScales[channel], rounded.scale());
        }
        return table == null
                ? Requantizer.of(multipliers, channels, output, bounds)
                : Requantizer.withTable(multipliers, channels, rounded, table, output, bounds);
    }

    /**
     * {@return the requantizer from values of the argument's codes to values of the table's codes}
     *
     * @throws NullPointerException without a table
     */
    Requantizer lookUp() {
        return Requantizer.ofValues(
                Objects.requireNonNull(argument, "argument"),
                Objects.requireNonNull(table, "table"),
                output,
                output.range());
    }

    /**
     * Adds the node of an operation, and a table after it where the node cannot apply the function.
     *
     * @param graph takes the nodes
     * @param operation the operation
     * @return the codes
     */
    Signal.Codes emit(NodeEmitter graph, PendingOperation operation) {
        boolean clamped = operation.clamps() || bounds.equals(output.range());
        if (table == null && clamped) {
            return new Signal.Codes(
                    graph.add(operation.node(graph.name(), new Output.Codes(output, bounds))));
        }
        QuantParams between = argument == null ? output : argument;
        String unclamped = graph.add(operation.node(graph.inner("sum"), Output.Codes.of(between)));
        return emit(graph, unclamped);
    }

    /**
     * Adds the table of codes that are there.
     *
     * @param graph takes the nodes
     * @param codes the node of the codes
     * @return the codes
     */
    Signal.Codes emit(NodeEmitter graph, String codes) {
        CodeTable applied = table == null ? clampOf(graph.type(codes).codes()) : table;
        return new Signal.Codes(graph.add(new Table(graph.name(), codes, applied, output)));
    }

    private CodeTable clampOf(QuantParams input) {
        return CodeTable.from(
                DoubleUnaryOperator.identity(),
                input,
                new QuantParams(output.scale(), output.zeroPoint(), bounds));
    }
}
