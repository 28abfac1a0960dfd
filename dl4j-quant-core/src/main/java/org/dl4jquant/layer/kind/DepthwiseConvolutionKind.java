// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.OptionalLong;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.dl4jquant.layer.integer.ConvolutionForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/**
 * A convolution of each channel by itself. Its weight is [height, width, in, multiplier], and
 * output channel {@code in * multiplier + m} has one input.
 */
record DepthwiseConvolutionKind(DepthwiseConvolution2D configuration) implements LayerKind {

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
    public Resized reading(int axis, long... differences) {
        DepthwiseConvolution2D copy = configuration.clone();
        copy.setNIn(Sizes.more(configuration.getNIn(), differences[0]));
        copy.setNOut(copy.getNIn() * configuration.getDepthMultiplier());
        return new Resized(copy, channelAxis(), copy.getNOut() - configuration.getNOut());
    }

    @Override
    public OptionalLong outputs() {
        return OptionalLong.empty();
    }

    @Override
    public IntegerSupport integers() {
        return ConvolutionForm.of(configuration);
    }
}
