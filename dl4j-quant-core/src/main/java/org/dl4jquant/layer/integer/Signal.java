// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.OutputFunction;
import org.jspecify.annotations.Nullable;

/** A tensor on its way from one step of a network to the next, as far as it has been lowered. */
public sealed interface Signal {

    /** {@return whether the first axis of its node is the last of the network's tensor} */
    default boolean hasChannelsLast() {
        return false;
    }

    /**
     * Float32 values: the network's input, or the result of its last layer.
     *
     * @param node the node that holds them, or the scores that they are made of
     * @param functions the functions that make the values of the node's; engines apply them to the
     *     values that leave the graph
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
            Objects.requireNonNull(node, "node");
            functions = List.copyOf(functions);
        }

        /**
         * Returns a network input, or a reshaped one.
         *
         * @param node the node that holds it
         * @return the values
         */
        public static Values fromOutside(String node) {
            return new Values(Require.given(node, "node"), List.of(), null, null);
        }

        /**
         * Returns the results of a layer, to which no function is applied yet.
         *
         * @param node the node that holds them
         * @param layer the layer
         * @return the values
         */
        public static Values of(String node, String layer) {
            return new Values(
                    Require.given(node, "node"), List.of(), Require.given(layer, "layer"), null);
        }

        /**
         * {@return the same values in another node}
         *
         * @param other the node
         */
        public Values in(String other) {
            return new Values(other, functions, layer, unprepared);
        }

        /**
         * {@return the same values, made by a layer that computes otherwise than engines do}
         *
         * @param name the layer
         */
        public Values unpreparedAt(String name) {
            return new Values(node, functions, layer, name);
        }
    }

    /**
     * Codes; the type of their node says how they stand for values.
     *
     * @param node the node that holds them
     * @param channelsLast whether the channels are the last axis of the network's tensor; they are
     *     the first of the node's
     */
    record Codes(String node, boolean channelsLast) implements Signal {
        /** Checks that there is a node. */
        public Codes {
            Objects.requireNonNull(node, "node");
        }

        /**
         * Takes codes in the order of the network's tensor.
         *
         * @param node the node that holds them
         */
        public Codes(String node) {
            this(node, false);
        }

        @Override
        public boolean hasChannelsLast() {
            return channelsLast;
        }
    }

    /**
     * Batches below one another: each is emitted for itself, with the same weights.
     *
     * @param parts one signal for each batch, none of them a stack, two or more
     */
    record Stacked(List<Signal> parts) implements Signal {
        /** Copies the parts. */
        public Stacked {
            parts = List.copyOf(parts);
        }

        /**
         * Returns batches as one signal.
         *
         * @param parts one signal for each batch, none of them a stack; one or more
         * @return the stack; of one batch the batch itself
         */
        public static Signal of(List<Signal> parts) {
            return Require.given(parts, "parts").size() == 1 ? parts.get(0) : new Stacked(parts);
        }

        /**
         * {@return the batches of a signal: itself, if it is no stack}
         *
         * @param signal the signal
         */
        public static List<Signal> partsOf(Signal signal) {
            return signal instanceof Stacked stack ? stack.parts() : List.of(signal);
        }
    }

    /**
     * A result whose quantizer comes after it, so that its node waits for a scale.
     *
     * @param layer the layer or vertex that computes it
     * @param operation its arithmetic
     * @param channelsLast whether the channels are the last axis of the network's tensor; they are
     *     the first of the node's
     */
    record Unrounded(String layer, PendingOperation operation, boolean channelsLast)
            implements Signal {
        /** Checks the parts. */
        public Unrounded {
            Objects.requireNonNull(layer, "layer");
            Objects.requireNonNull(operation, "operation");
        }

        /**
         * Takes a result in the order of the network's tensor.
         *
         * @param layer the layer or vertex that computes it
         * @param operation its arithmetic
         */
        public Unrounded(String layer, PendingOperation operation) {
            this(layer, operation, false);
        }

        @Override
        public boolean hasChannelsLast() {
            return channelsLast;
        }
    }
}
