// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

import java.util.List;
import java.util.Optional;
import org.dl4jquant.graph.node.IntNode;

/**
 * The ONNX form of one kind of node, in both directions: the operators that it is written as, and
 * the operators that are read as it.
 *
 * <p>Operators are matched backwards, from the last one. The last one is either a QuantizeLinear,
 * which makes the node's codes of the floats of an operator before it ({@link #quantized}), or an
 * operator whose result is the node's own ({@link #result}). A form takes an operator by refusing
 * it or by returning a node; it leaves it to other forms by returning nothing.
 *
 * @param <N> the kind of node
 */
interface NodeForm<N extends IntNode> {

    /** {@return the kind of node} */
    Class<N> node();

    /** {@return the operators that the form reads, the one that it is named after first} */
    List<String> operators();

    /**
     * Writes a node.
     *
     * @param node the node
     * @param target the graph that the operators are added to
     */
    void write(N node, FormWriter target);

    /**
     * Marks operators as parts of nodes, all but the last of each, before any operator is read: for
     * forms of many operators, which others would take.
     *
     * @param source the graph, of which nothing is read yet
     */
    default void claim(FormReader source) {}

    /**
     * {@return the node whose codes a QuantizeLinear makes; nothing if it is another form's}
     *
     * @param codes the QuantizeLinear, with the clamps and the operator before it
     * @param source the graph so far
     */
    default Optional<? extends IntNode> quantized(QuantizedResult codes, FormReader source) {
        return Optional.empty();
    }

    /**
     * {@return the node whose result is an operator's; nothing if it is another form's, or only a
     * part of a node}
     *
     * @param last the operator
     * @param source the graph so far
     */
    default Optional<? extends IntNode> result(OnnxNode last, FormReader source) {
        return Optional.empty();
    }
}
