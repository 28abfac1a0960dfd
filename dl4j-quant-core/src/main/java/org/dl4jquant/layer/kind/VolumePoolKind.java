// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;

/** A pool of windows of volumes. */
record VolumePoolKind(Subsampling3DLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return configuration.getPoolingType() == PoolingType.MAX
                ? CodeFlow.PICKS
                : CodeFlow.RESCALES;
    }

    @Override
    public boolean keepsSign() {
        return true;
    }
}
