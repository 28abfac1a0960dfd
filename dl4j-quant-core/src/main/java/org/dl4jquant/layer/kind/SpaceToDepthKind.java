// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.IndexMap;

/** A layer that makes channels of blocks of pixels. */
record SpaceToDepthKind(SpaceToDepthLayer configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public Resized reading(int axis, long... differences) {
        int block = configuration.getBlockSize();
        return new Resized(configuration, axis, differences[0] * block * block);
    }

    @Override
    public IntegerSupport integers() {
        int block = configuration.getBlockSize();
        return MoveForm.ofImages(
                configuration,
                configuration.getDataFormat(),
                image -> IndexMap.spaceToDepth(image, block));
    }
}
