// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.ActivationForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/** A layer that is an activation function. */
record ActivationKind(ActivationLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return configuration.getActivationFn().getClass() == ActivationIdentity.class
                ? CodeFlow.MOVES
                : CodeFlow.RESCALES;
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public IActivation lastFunction() {
        return configuration.getActivationFn();
    }

    @Override
    public boolean passesValues() {
        return flow() == CodeFlow.MOVES;
    }

    @Override
    public boolean onlyAppliesFunction() {
        return true;
    }

    @Override
    public void setLastFunction(IActivation function) {
        configuration.setActivationFn(function);
    }

    @Override
    public IntegerSupport integers() {
        return ActivationForm.of(configuration);
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.function(configuration.getActivationFn()));
    }
}
