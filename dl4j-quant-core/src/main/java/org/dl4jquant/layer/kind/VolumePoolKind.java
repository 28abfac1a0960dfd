// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.PoolForms;

/** A pool of windows of volumes. */
record VolumePoolKind(Subsampling3DLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return configuration.getPoolingType() == PoolingType.MAX
                ? CodeFlow.PICKS
                : CodeFlow.AVERAGES;
    }

    @Override
    public boolean keepsSign() {
        return true;
    }

    @Override
    public IntegerSupport integers() {
        return PoolForms.of(configuration);
    }
}
