// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.MergeVertex;

/** A vertex that concatenates tensors. */
record MergeKind(MergeVertex vertex) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.CONCATENATES;
    }
}
