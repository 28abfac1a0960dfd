// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.StackForm;

/** A vertex that puts batches below one another, so that layers share their weights. */
record StackKind(StackVertex configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.CONCATENATES;
    }

    @Override
    public Batches batches() {
        return Batches.STACKED;
    }

    @Override
    public IntegerSupport integers() {
        return StackForm.support();
    }
}
