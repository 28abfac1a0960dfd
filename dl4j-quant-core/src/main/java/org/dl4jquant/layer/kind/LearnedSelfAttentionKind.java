// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.dl4jquant.layer.integer.IntegerSupport;

/**
 * Attention of queries that are weights. DL4J 1.0.0-M2.1 computes it in no shape, so that there is
 * nothing to compare with.
 */
record LearnedSelfAttentionKind(LearnedSelfAttentionLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    @Override
    public IntegerSupport integers() {
        return Refusals.because(
                "DL4J itself cannot compute a LearnedSelfAttentionLayer: its scatter_update fails",
                "use a SelfAttentionLayer or an AttentionVertex");
    }
}
