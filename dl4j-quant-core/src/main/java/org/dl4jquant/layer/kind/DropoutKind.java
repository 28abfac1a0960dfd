// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.UnchangedForm;

/** Dropout as a layer, which changes nothing after the training. */
record DropoutKind(DropoutLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public boolean passesValues() {
        return true;
    }

    @Override
    public IntegerSupport integers() {
        return UnchangedForm.of(configuration);
    }
}
