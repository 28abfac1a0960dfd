// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/**
 * A convolution of each channel by itself. Its weight is [height, width, in, multiplier], and
 * output channel {@code in * multiplier + m} has one input.
 */
record DepthwiseConvolutionKind(DepthwiseConvolution2D layer) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.withoutInputs(2, 3);
    }

    @Override
    public int channelAxis() {
        return ImageAxis.of(layer.getCnn2dDataFormat());
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
        return layer.getActivationFn();
    }

    @Override
    public void setLastFunction(IActivation function) {
        layer.setActivationFn(function);
    }
}
