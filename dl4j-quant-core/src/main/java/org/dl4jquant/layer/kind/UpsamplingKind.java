// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;

/** A layer that repeats the rows and columns of images: nearest-neighbour upsampling. */
record UpsamplingKind(Upsampling2D configuration) implements LayerKind {

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }

    @Override
    public IntegerSupport integers() {
        int[] times = configuration.getSize();
        return MoveForm.ofImages(
                configuration,
                configuration.getFormat(),
                MoveForm.ofLastAxes(2, (axis, size) -> AxisIndices.repeated(size, times[axis])));
    }
}
