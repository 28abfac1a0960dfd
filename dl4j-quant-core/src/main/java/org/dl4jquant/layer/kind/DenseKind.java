// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.DenseForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * A dense layer; its weight is [in, out]. A layer normalization stands between its products and its
 * bias.
 */
record DenseKind(DenseLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public @Nullable WeightLayout weight(String key) {
        return key.equals(DefaultParamInitializer.GAIN_KEY) ? null : WeightLayout.MATRIX;
    }

    @Override
    public boolean findsScales() {
        return !configuration.hasLayerNorm();
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public boolean absorbsNormalization() {
        return !configuration.hasLayerNorm();
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
    public boolean makesOnlyCodes() {
        return configuration.hasLayerNorm();
    }

    @Override
    public Set<TensorRole> innerTensors() {
        return configuration.hasLayerNorm() ? Set.of(TensorRole.NORMALIZED) : Set.of();
    }

    @Override
    public IntegerSupport integers() {
        return DenseForm.of(configuration);
    }

    @Override
    public Optional<FloatForm> floats() {
        return configuration.hasLayerNorm()
                ? Optional.empty()
                : Optional.of(FloatForms.dense(configuration.getActivationFn()));
    }
}
