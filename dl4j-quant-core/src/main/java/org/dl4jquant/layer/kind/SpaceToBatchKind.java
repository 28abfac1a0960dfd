// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SpaceToBatchForm;

/** A layer that makes a batch of the pixels that have one place in their blocks. */
record SpaceToBatchKind(SpaceToBatchLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public Batches batches() {
        return Batches.STACKED;
    }

    @Override
    public IntegerSupport integers() {
        return SpaceToBatchForm.of(configuration);
    }
}
