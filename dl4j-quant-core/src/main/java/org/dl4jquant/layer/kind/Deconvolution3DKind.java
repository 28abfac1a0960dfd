// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.TransposedVolumeForm;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/** A transposed convolution of volumes; its weight is [depth, height, width, out, in]. */
record Deconvolution3DKind(Deconvolution3D configuration) implements LayerKind {

    private static final int VOLUMES_CHANNELS_LAST = 4;

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.of(3, 4);
    }

    @Override
    public int channelAxis() {
        return configuration.getDataFormat() == Convolution3D.DataFormat.NDHWC
                ? VOLUMES_CHANNELS_LAST
                : CHANNELS_FIRST;
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
    public void setLastFunction(IActivation function) {
        configuration.setActivationFn(function);
    }

    @Override
    public IntegerSupport integers() {
        return TransposedVolumeForm.of(configuration);
    }
}
