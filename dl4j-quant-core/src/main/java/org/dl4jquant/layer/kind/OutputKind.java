// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.dl4jquant.layer.quantizers.WeightLayout;

/**
 * A dense layer with a loss, for vectors or for each step of sequences; its weight is [in, out].
 */
record OutputKind(BaseOutputLayer layer) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.COMPUTES;
    }

    @Override
    public WeightLayout weight(String key) {
        return WeightLayout.MATRIX;
    }

    @Override
    public boolean isOutput() {
        return true;
    }
}
