// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.Set;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.SeparableForm;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/**
 * A depthwise convolution, whose weight is [multiplier, in, height, width], and then one of single
 * pixels, whose weight is [out, in * multiplier, 1, 1].
 */
record SeparableConvolutionKind(SeparableConvolution2D configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return key.equals(SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY)
                ? WeightLayout.withoutInputs(1, 0)
                : WeightLayout.of(0, 1);
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
    public Set<TensorRole> innerTensors() {
        return Set.of(TensorRole.DEPTHWISE);
    }

    @Override
    public IntegerSupport integers() {
        return SeparableForm.of(configuration);
    }
}
