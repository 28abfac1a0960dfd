// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;

/**
 * The form of a vertex that computes a function of each element, such as a multiple, which a layer
 * after it rounds: a table of codes. The network infers it with DL4J's own arithmetic, whose one
 * rounding to float32 is that of the table.
 */
public final class PointwiseVertexForm implements IntegerForm {

    private final DoubleUnaryOperator function;

    private PointwiseVertexForm(DoubleUnaryOperator function) {
        this.function = function;
    }

    /**
     * Returns the support of a vertex.
     *
     * @param function its function; a float32 argument's result, rounded to float32, is DL4J's
     * @return a form
     */
    public static IntegerSupport of(DoubleUnaryOperator function) {
        Require.given(function, "function");
        return IntegerSupport.of(tensors -> new PointwiseVertexForm(function));
    }

    @Override
    public List<Signal> emit(NodeEmitter graph, List<Signal> inputs) {
        Signal input = inputs.get(0);
        boolean last = input.hasChannelsLast();
        String codes = last ? graph.channelsFirst(input) : graph.codes(input);
        Values operation = new Values(codes, graph.type(codes).codes());
        return List.of(new Signal.Unrounded(graph.step(), operation, last));
    }

    /** The node of the values, which applies clamps itself. */
    private final class Values implements PendingOperation {
        private final String codes;
        private final QuantParams argument;

        Values(String codes, QuantParams argument) {
            this.codes = codes;
            this.argument = argument;
        }

        @Override
        public IntNode node(String name, Output.Codes output) {
            QuantParams result = output.params();
            QuantParams clamped =
                    new QuantParams(result.scale(), result.zeroPoint(), output.bounds());
            return new Table(name, codes, CodeTable.from(function, argument, clamped), result);
        }

        @Override
        public boolean clamps() {
            return true;
        }
    }
}
