// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BasePretrainNetwork;
import org.dl4jquant.layer.quantizers.WeightLayout;

/** An autoencoder, plain or variational: dense layers, whose weights are [in, out]. */
record AutoEncoderKind(BasePretrainNetwork configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }
}
