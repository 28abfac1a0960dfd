// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/** A layer that is an activation function. */
record ActivationKind(ActivationLayer layer) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return layer.getActivationFn().getClass() == ActivationIdentity.class
                ? CodeFlow.MOVES
                : CodeFlow.RESCALES;
    }

    @Override
    public boolean separatesActivation() {
        return true;
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
