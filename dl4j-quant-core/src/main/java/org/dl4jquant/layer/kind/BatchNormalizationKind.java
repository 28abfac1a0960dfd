// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.ActivationForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;

/**
 * A batch normalization. Where no layer before it takes it in, an activation layer does, with
 * quantizers, in its place.
 */
record BatchNormalizationKind(BatchNormalization configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.RESCALES;
    }

    @Override
    public int channelAxis() {
        return ImageAxis.of(configuration.getCnn2DFormat());
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public boolean tabulates() {
        return true;
    }

    /** {@return the identity: DL4J ignores the function that a batch normalization inherits} */
    @Override
    public IActivation lastFunction() {
        return new ActivationIdentity();
    }

    @Override
    public BatchNormalization normalization() {
        return configuration;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        return Sizes.equalSizes(configuration, axis, differences[0]);
    }

    @Override
    public IntegerSupport integers() {
        return ActivationForm.ofNormalization();
    }

    @Override
    public Optional<FloatForm> floats() {
        return Optional.of(FloatForms.normalization(configuration));
    }
}
