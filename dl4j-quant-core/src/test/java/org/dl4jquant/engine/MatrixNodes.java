// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.QuantParams;

/** Draws products of two tensors of codes, both square and of one shape. */
final class MatrixNodes {

    private static final int SPREAD = 60;

    private MatrixNodes() {}

    static IntNode product(RandomNodes nodes, LaterNodes.Place at) {
        String right = right(at);
        int rank = at.type().shape().rank();
        double inner = at.type().shape().size(rank - 1);
        double scale =
                (double) at.type().codes().scale()
                        * at.types().apply(right).codes().scale()
                        * Math.sqrt(inner)
                        * SPREAD;
        return new MatMul(
                at.name(),
                at.input(),
                right,
                nodes.bounded(nodes.params(nodes.near((float) scale))));
    }

    static IntNode weights(RandomNodes nodes, LaterNodes.Place at) {
        QuantParams params = nodes.params(nodes.near(1f / 256));
        return new AttentionWeights(at.name(), at.input(), right(at), params);
    }

    private static String right(LaterNodes.Place at) {
        List<String> fitting =
                at.others().stream()
                        .filter(name -> fits(at.types().apply(name), at.type()))
                        .toList();
        return fitting.get(fitting.size() / 2);
    }

    private static boolean fits(TensorType other, TensorType type) {
        return other.isCodes() && other.shape().equals(type.shape());
    }
}
