// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.onnx.wire.GraphProto;
import org.dl4jquant.onnx.wire.Message;

/**
 * A graph in the QDQ form that is read.
 *
 * @param isForeign whether another tool wrote it
 * @param graph the graph
 * @param integers results of operators that ONNX Runtime computes in integers in any case
 * @param floats results that it computes in float32, and why
 * @param tails the last functions that were left out, by the output
 */
public record Rewritten(
        boolean isForeign,
        Message graph,
        Set<String> integers,
        Map<String, String> floats,
        Map<String, Tail> tails) {

    /** Nothing was rewritten: the file is of this library. */
    public static final Rewritten NONE =
            new Rewritten(
                    false,
                    Message.builder(GraphProto.SCHEMA).build(),
                    Set.of(),
                    Map.of(),
                    Map.of());

    /** Copies the sets. */
    public Rewritten {
        Objects.requireNonNull(graph, "graph");
        integers = Set.copyOf(integers);
        floats = Map.copyOf(floats);
        tails = Map.copyOf(tails);
    }

    /**
     * A Softmax at the end of a graph.
     *
     * @param operator the operator's name in the file
     * @param axis its axis, counted with the batch; below 0 from the end
     * @param flattens whether it takes all axes from there on for one, as before opset 13
     * @param quantized whether its result was quantized again, which is left out
     */
    public record Tail(String operator, long axis, boolean flattens, boolean quantized) {
        /** Checks that the parts are there. */
        public Tail {
            Objects.requireNonNull(operator, "operator");
        }

        /**
         * {@return the function of one example}
         *
         * @param rank how many dimensions an example has; 0 if the output is no result
         * @throws IllegalArgumentException if it is along other axes than one after the batch
         */
        public OutputFunction.Softmax function(int rank) {
            long found = axis < 0 ? axis + rank + 1 : axis;
            Require.argument(
                    found > 0 && found <= rank && (found == rank || !flattens),
                    "node '%s' (Softmax) has the axis %d of %d; one axis after the batch is"
                            + " understood",
                    operator,
                    axis,
                    rank + 1);
            return new OutputFunction.Softmax((int) found - 1);
        }
    }
}
