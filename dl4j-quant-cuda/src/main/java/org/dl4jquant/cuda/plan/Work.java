// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.jspecify.annotations.Nullable;

/**
 * What one kernel computes: a node, a convolution with the sum or the max pool behind it, or layers
 * that read the same.
 *
 * @param node the node
 * @param sum the residual sum that reads it and is computed with it; else null
 * @param pool the max pool that reads it and is computed with it; else null
 * @param siblings convolutions or dense layers with the input and window of the node, computed in
 *     the same product; empty if there are none
 */
record Work(IntNode node, @Nullable Add sum, @Nullable MaxPool pool, List<IntNode> siblings) {

    /* NullAway does not see in a compact constructor what may be null. */
    Work(IntNode node, @Nullable Add sum, @Nullable MaxPool pool, List<IntNode> siblings) {
        this.node = node;
        this.sum = sum;
        this.pool = pool;
        this.siblings = List.copyOf(siblings);
    }

    Work(IntNode node, @Nullable Add sum) {
        this(node, sum, null, List.of());
    }

    /** {@return the nodes that read its inputs: itself and its siblings} */
    List<IntNode> nodes() {
        List<IntNode> nodes = new ArrayList<>(List.of(node));
        nodes.addAll(siblings);
        return nodes;
    }

    /** {@return the tensors that it writes} */
    List<String> results() {
        if (sum != null) {
            return List.of(sum.name());
        }
        return pool != null ? List.of(pool.name()) : nodes().stream().map(IntNode::name).toList();
    }

    /** {@return the other term of the sum, null without one} */
    @Nullable String residual() {
        if (sum == null) {
            return null;
        }
        return sum.left().equals(node.name()) ? sum.right() : sum.left();
    }

    /** {@return the tensors that it reads} */
    List<String> reads() {
        List<String> reads = new ArrayList<>(node.inputs());
        String residual = residual();
        if (residual != null) {
            reads.add(residual);
        }
        return reads;
    }
}
