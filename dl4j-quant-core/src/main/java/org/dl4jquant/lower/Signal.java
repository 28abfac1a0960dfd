// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.List;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.OutputFunction;
import org.jspecify.annotations.Nullable;

/** What has been lowered so far of the data that one layer hands to the next. */
sealed interface Signal {

    /**
     * Float32 values: the network's input, or what its last layer leaves.
     *
     * @param node the node that holds them, or the scores that they are made of
     * @param functions the functions that make the values of the node's; engines apply them to what
     *     leaves the graph
     * @param layer the layer that computes them; null for a network input
     * @param unprepared the last layer whose function the network computes otherwise than engines
     *     do; null if there is none
     */
    record Values(
            String node,
            List<OutputFunction> functions,
            @Nullable String layer,
            @Nullable String unprepared)
            implements Signal {

        /** Copies the functions. */
        public Values {
            functions = List.copyOf(functions);
        }

        /** {@return a network input, or what only reshapes it} */
        static Values fromOutside(String node) {
            return new Values(node, List.of(), null, null);
        }

        /** {@return the results of a layer, to which no function is applied yet} */
        static Values of(String node, String layer) {
            return new Values(node, List.of(), layer, null);
        }

        /** {@return the same values in another node} */
        Values in(String other) {
            return new Values(other, functions, layer, unprepared);
        }

        /** {@return the same values, made by a layer that computes otherwise than engines do} */
        Values unpreparedAt(String name) {
            return new Values(node, functions, layer, name);
        }
    }

    /**
     * Codes.
     *
     * @param node the node that holds them
     */
    record Codes(String node) implements Signal {}

    /**
     * A result whose quantizer comes after it, so that the node waits for its scale.
     *
     * @param layer the layer or vertex that computes it
     * @param operation what it computes
     */
    record Unrounded(String layer, Operation operation) implements Signal {}

    /** An operation on codes that still lacks the scale of its result. */
    sealed interface Operation {

        /**
         * {@return the node, now that the scale of its result is known}
         *
         * @param name the node's name
         * @param output the result's codes
         */
        IntNode node(String name, Output.Codes output);

        /**
         * A sum.
         *
         * @param left codes
         * @param right codes
         */
        record Sum(String left, String right) implements Operation {
            @Override
            public IntNode node(String name, Output.Codes output) {
                return new Add(name, left, right, output);
            }
        }

        /**
         * A concatenation along the channels.
         *
         * @param inputs codes
         */
        record Joined(List<String> inputs) implements Operation {
            @Override
            public IntNode node(String name, Output.Codes output) {
                return new Concat(name, inputs, output.params());
            }
        }

        /**
         * The means of windows.
         *
         * @param input codes
         * @param window where to look
         * @param countPadding whether padding counts as values 0
         */
        record Mean(String input, Window window, boolean countPadding) implements Operation {
            @Override
            public IntNode node(String name, Output.Codes output) {
                return new AveragePool(name, input, window, countPadding, output.params());
            }
        }

        /**
         * The means of channels.
         *
         * @param input codes
         */
        record ChannelMean(String input) implements Operation {
            @Override
            public IntNode node(String name, Output.Codes output) {
                return new GlobalAveragePool(name, input, output.params());
            }
        }

        /** {@return whether the operation's own node applies a clamp narrower than the range} */
        default boolean clamps() {
            return this instanceof Sum;
        }
    }
}
