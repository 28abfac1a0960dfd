// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.dl4jquant.layer.integer.EmbeddingForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.WeightLayout;
import org.nd4j.linalg.activations.IActivation;

/**
 * A table of vectors, one for each index; its weight is [indices, out].
 *
 * @param configuration the layer
 * @param integers its integer form
 */
record EmbeddingKind(FeedForwardLayer configuration, IntegerSupport integers) implements LayerKind {

    static EmbeddingKind of(EmbeddingLayer layer) {
        return new EmbeddingKind(layer, EmbeddingForm.of(layer));
    }

    static EmbeddingKind of(EmbeddingSequenceLayer layer) {
        return new EmbeddingKind(layer, EmbeddingForm.of(layer));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.READS_INDICES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }

    @Override
    public IActivation lastFunction() {
        return configuration.getActivationFn();
    }

    @Override
    public void setLastFunction(IActivation function) {
        configuration.setActivationFn(function);
    }
}
