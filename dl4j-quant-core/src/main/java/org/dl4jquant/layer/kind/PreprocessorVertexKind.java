// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;

/** A preprocessor as a vertex. */
record PreprocessorVertexKind(PreprocessorVertex vertex) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return LayerKinds.of(vertex.getPreProcessor()).flow();
    }
}
