// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

/** The family of nodes that move or select codes: the result has the input's scale. */
public sealed interface KeepsCodes extends IntNode permits MaxPool, Reshape, Move, MoveByMask {

    /** {@return the name of the codes that it reads} */
    String input();

    @Override
    default boolean takesWideCodes() {
        return true;
    }
}
