// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.quantizers.WeightLayout;

/**
 * A variational autoencoder: several dense layers in one, whose weights are [in, out]. Its result
 * is the mean of the code.
 */
record VariationalAutoencoderKind(VariationalAutoencoder configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }

    @Override
    public IntegerSupport integers() {
        return IntegerSupport.refused(
                "there is no integer form of type VariationalAutoencoder, which has no quantizers"
                        + " between its dense layers",
                "after pretraining, put a DenseLayer in place of each of its encoder's layers (e0W,"
                        + " e0b, ...) and one for the mean (pZXMeanW, pZXMeanb)");
    }
}
