// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.dl4jquant.layer.integer.IntegerSupport;

/** A vertex whose result is the Euclidean distance of two tensors, one number for each example. */
record DistanceKind(L2Vertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    /* Exact only where both tensors have one scale, which nothing of the training ties together,
     * and a root of integer sums that no node computes. */
    @Override
    public IntegerSupport integers() {
        return IntegerSupport.refused(
                "an L2Vertex is the root of a sum of squared differences of two tensors, of which"
                        + " there is no integer form",
                "end the network with the two tensors, and compute their distance from its"
                        + " results");
    }
}
