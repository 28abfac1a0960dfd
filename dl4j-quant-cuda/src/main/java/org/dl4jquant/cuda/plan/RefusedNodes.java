// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.RecurrentMemory;

/**
 * The nodes that {@link GpuSupport} refuses before a visitor meets them.
 *
 * @param <R> the type of what the visitor makes of a node
 */
interface RefusedNodes<R> extends IntNode.Visitor<R> {

    @Override
    default R visit(DynamicDense node) {
        throw GpuSupport.notRefused(node);
    }

    @Override
    default R visit(MoveByMask node) {
        throw GpuSupport.notRefused(node);
    }

    @Override
    default R visit(RecurrentMemory node) {
        throw GpuSupport.notRefused(node);
    }

    @Override
    default R visit(Recurrent node) {
        throw GpuSupport.notRefused(node);
    }
}
