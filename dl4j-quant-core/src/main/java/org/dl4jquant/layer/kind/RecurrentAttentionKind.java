// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.dl4jquant.layer.integer.IntegerSupport;

/**
 * A recurrent layer whose steps attend to the whole sequence, with the hidden state as the query.
 * Its weights may be rounded, but all with one scale each.
 */
record RecurrentAttentionKind(RecurrentAttentionLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    /* Unrolled, it would be some ten nodes for each of a fixed number of steps; a loop's body is a
     * row of whole layers, each of whose results needs a scale that training rounds to. */
    @Override
    public IntegerSupport integers() {
        return Refusals.because(
                "each step of a RecurrentAttentionLayer is an attention whose query is the result"
                        + " of the step before, of which there is no integer form",
                "use a SelfAttentionLayer, or a recurrent layer after one");
    }
}
