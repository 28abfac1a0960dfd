// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.TransposedImageForm;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/** A transposed convolution of images; its weight is [in, out, height, width]. */
record DeconvolutionKind(Deconvolution2D configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.of(1, 0);
    }

    @Override
    public int channelAxis() {
        return ImageAxis.of(configuration.getCnn2dDataFormat());
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
        return TransposedImageForm.of(configuration);
    }
}
