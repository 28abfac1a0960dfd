// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.LastFunctionForm;
import org.nd4j.linalg.activations.IActivation;

/**
 * A loss without weights, for vectors, images, volumes or sequences: its result is its function of
 * its input.
 *
 * @param configuration the configuration
 * @param integers its integer form
 */
record LossKind(BaseLayer configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind ofVectors(LossLayer layer) {
        return new LossKind(layer, LastFunctionForm.of(layer));
    }

    static LayerKind ofImages(CnnLossLayer layer) {
        return new LossKind(layer, LastFunctionForm.of(layer));
    }

    static LayerKind ofVolumes(Cnn3DLossLayer layer) {
        return new LossKind(layer, LastFunctionForm.of(layer));
    }

    static LayerKind ofSequences(RnnLossLayer layer) {
        return new LossKind(layer, LastFunctionForm.of(layer));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.LOSS;
    }

    @Override
    public IActivation lastFunction() {
        return configuration.getActivationFn();
    }

    @Override
    public boolean onlyAppliesFunction() {
        return true;
    }

    @Override
    public void setLastFunction(IActivation function) {
        configuration.setActivationFn(function);
    }
}
