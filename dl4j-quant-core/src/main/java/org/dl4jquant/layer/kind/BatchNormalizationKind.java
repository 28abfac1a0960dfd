// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BatchNormalization;

/** A batch normalization, which stays in float where no layer before it takes it in. */
record BatchNormalizationKind(BatchNormalization layer) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    @Override
    public BatchNormalization normalization() {
        return layer;
    }
}
