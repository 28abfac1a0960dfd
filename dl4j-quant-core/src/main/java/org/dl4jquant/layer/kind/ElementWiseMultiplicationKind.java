// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.dl4jquant.layer.integer.ElementWiseMultiplicationForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.nd4j.linalg.activations.IActivation;

/** A layer that multiplies each feature by a weight of its own and adds a bias. */
record ElementWiseMultiplicationKind(ElementWiseMultiplicationLayer configuration)
        implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public boolean tabulates() {
        return true;
    }

    @Override
    public IActivation lastFunction() {
        return configuration.getActivationFn();
    }

    @Override
    public void setLastFunction(IActivation function) {
        configuration.setActivationFn(function);
    }

    @Override
    public IntegerSupport integers() {
        return ElementWiseMultiplicationForm.of(configuration);
    }
}
