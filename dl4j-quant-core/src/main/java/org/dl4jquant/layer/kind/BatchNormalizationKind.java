// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.dl4jquant.layer.integer.IntegerSupport;

/** A batch normalization, which stays in float where no layer before it takes it in. */
record BatchNormalizationKind(BatchNormalization configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.UNKNOWN;
    }

    @Override
    public BatchNormalization normalization() {
        return configuration;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        return Sizes.equalSizes(configuration, axis, differences[0]);
    }

    @Override
    public IntegerSupport integers() {
        return IntegerSupport.refused(
                "no layer takes this BatchNormalization in",
                "put it directly after a convolution or dense layer with identity activation, or"
                        + " leave it out of the deployed network");
    }
}
