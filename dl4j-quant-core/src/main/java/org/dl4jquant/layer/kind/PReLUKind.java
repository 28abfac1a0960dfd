// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PReLUForm;

/** A layer whose weights are the slopes of negative values: one for each place, or shared. */
record PReLUKind(PReLULayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public IntegerSupport integers() {
        return PReLUForm.of(configuration);
    }
}
