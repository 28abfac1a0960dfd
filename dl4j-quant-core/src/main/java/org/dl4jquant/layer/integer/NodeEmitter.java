// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.Optional;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;

/**
 * A graph under construction, as the form of one step may change it: the form adds nodes, names
 * them, and reads the types of those that are there.
 */
public interface NodeEmitter {

    /** {@return the name of the step, for messages and for {@link Signal}} */
    String step();

    /** {@return the name of the node that holds the step's result} */
    String name();

    /**
     * {@return a new name for another node of the step: its name, a slash and the part}
     *
     * @param part a word for the node, such as "sum"
     */
    String inner(String part);

    /**
     * {@return the same graph for a part of the step, whose result has a new name}
     *
     * @param part a word for the part
     */
    NodeEmitter part(String part);

    /** {@return the same graph for a step whose own tensors have the channels last} */
    NodeEmitter forChannelsLast();

    /**
     * Adds a node.
     *
     * @param node reads nodes that are there
     * @return its name
     * @throws IllegalArgumentException if it does not fit the graph
     */
    @CanIgnoreReturnValue
    String add(IntNode node);

    /**
     * {@return whether the network's tensors have the channels last, so that float32 results are
     * transposed before they leave}
     */
    default boolean hasChannelsLast() {
        return false;
    }

    /**
     * {@return the type of a node's result}
     *
     * @param node the node's name
     */
    TensorType type(String node);

    /**
     * {@return the name of the node that holds a signal's codes, in the order of the network's
     * tensor: they are transposed if they arrive in another}
     *
     * @param signal the incoming signal
     * @throws IntegerRefusal if it is not codes
     */
    String codes(Signal signal);

    /**
     * {@return the name of the node that holds a signal's codes, with the last axis of the
     * network's tensor, the channels, as the first}
     *
     * @param signal the incoming signal
     * @throws IntegerRefusal if it is not codes
     */
    String channelsFirst(Signal signal);

    /**
     * {@return the graph's input that is the mask of the sequences that the step reads; empty if
     * all their steps count}
     *
     * @param steps how many steps they have
     */
    Optional<String> mask(int steps);

    /**
     * {@return one example of a network input; empty if no step has read it}
     *
     * @param input the input's name in the network
     */
    Optional<TensorType> networkInput(String input);

    /**
     * {@return the name of the node that holds float32 values; a network input gets its node now}
     *
     * @param values the incoming values
     * @param shape one example's dimensions
     */
    String values(Signal.Values values, Shape shape);

    /**
     * {@return the same of values that the step rounds}
     *
     * @param values the incoming values
     * @param shape one example's dimensions
     * @throws IntegerRefusal if a layer computes them in float: only what comes from outside can be
     *     rounded, and what layers compute that find their scales at run time
     */
    String valuesToRound(Signal.Values values, Shape shape);

    /**
     * {@return the name of the node that holds float32 values which a layer computes, for a step
     * that finds their scales at run time}
     *
     * @param values the incoming values
     * @throws IntegerRefusal if a function makes them that no node is
     */
    String computed(Signal.Values values);
}
