// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.dl4jquant.layer.quantizers.WeightLayout;

/** A table of vectors, one for each index; its weight is [indices, out]. */
record EmbeddingKind(FeedForwardLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.READS_INDICES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }
}
