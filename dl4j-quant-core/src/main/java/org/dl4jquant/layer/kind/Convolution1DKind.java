// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SequenceConvolutionForm;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/**
 * A convolution of sequences. Its weight is declared as [out, in, kernel, 1], but the layer
 * computes with the same memory as [kernel, in, out].
 */
record Convolution1DKind(Convolution1DLayer configuration) implements LayerKind {

    private static final int SEQUENCES_CHANNELS_LAST = 2;

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.reversed(2, 1);
    }

    @Override
    public int channelAxis() {
        return configuration.getRnnDataFormat() == RNNFormat.NWC
                ? SEQUENCES_CHANNELS_LAST
                : CHANNELS_FIRST;
    }

    @Override
    public boolean separatesActivation() {
        return true;
    }

    @Override
    public boolean absorbsNormalization() {
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
        return SequenceConvolutionForm.of(configuration);
    }
}
