// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;

/** A vertex that combines tensors element by element; the integer graph has the sum. */
record ElementWiseKind(ElementWiseVertex vertex) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return vertex.getOp() == ElementWiseVertex.Op.Add ? CodeFlow.ADDS : CodeFlow.RESCALES;
    }

    @Override
    public boolean keepsSign() {
        return vertex.getOp() != ElementWiseVertex.Op.Subtract;
    }
}
