// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.nd4j.linalg.activations.IActivation;

/**
 * A loss without weights, for vectors, images or sequences: its result is its function of its
 * input.
 */
record LossKind(BaseLayer layer) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.LOSS;
    }

    @Override
    public IActivation lastFunction() {
        return layer.getActivationFn();
    }

    @Override
    public boolean onlyAppliesFunction() {
        return true;
    }

    @Override
    public void setLastFunction(IActivation function) {
        layer.setActivationFn(function);
    }
}
