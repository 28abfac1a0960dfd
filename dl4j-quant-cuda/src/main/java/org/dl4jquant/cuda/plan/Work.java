// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.graph.IntNode;
import org.jspecify.annotations.Nullable;

/**
 * What one kernel computes: a node, or a convolution with the sum behind it.
 *
 * @param node the node
 * @param sum the residual sum that reads it and is computed with it; else null
 */
record Work(IntNode node, IntNode.@Nullable Add sum) {

    /** {@return the tensor that it writes} */
    String result() {
        return sum == null ? node.name() : sum.name();
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
