// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;

/** An operation on codes that lacks the scale of its result. */
@FunctionalInterface
public interface PendingOperation {

    /**
     * {@return the operation's node, once the scale of its result is known}
     *
     * @param name the node's name
     * @param output the result's codes
     */
    IntNode node(String name, Output.Codes output);

    /** {@return whether the node itself applies a clamp narrower than the range of the codes} */
    default boolean clamps() {
        return false;
    }
}
