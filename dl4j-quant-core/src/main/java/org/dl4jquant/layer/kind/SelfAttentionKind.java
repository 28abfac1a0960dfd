// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SelfAttentionForm;
import org.dl4jquant.layer.quantizers.TensorRole;

/** Dot product attention of a sequence to itself, with or without projections of its heads. */
record SelfAttentionKind(SelfAttentionLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public boolean makesOnlyCodes() {
        return !configuration.isProjectInput();
    }

    @Override
    public Set<TensorRole> innerTensors() {
        return configuration.isProjectInput()
                ? TensorRole.OF_ATTENTION
                : Set.of(TensorRole.PROBABILITY);
    }

    @Override
    public IntegerSupport integers() {
        return SelfAttentionForm.of(configuration);
    }
}
