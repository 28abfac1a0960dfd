// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.function.Function;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.dl4jquant.layer.integer.ChannelsLastForm;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A layer that repeats time steps, rows and columns, or slices: nearest-neighbour upsampling.
 *
 * @param configuration the configuration
 * @param integers its integer form
 */
record UpsamplingKind(Layer configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind of(Upsampling1D layer) {
        return new UpsamplingKind(layer, MoveForm.of(layer, 2, repeated(1, layer.getSize())));
    }

    static LayerKind of(Upsampling2D layer) {
        return new UpsamplingKind(
                layer, MoveForm.ofImages(layer, layer.getFormat(), repeated(2, layer.getSize())));
    }

    static LayerKind of(Upsampling3D layer) {
        return new UpsamplingKind(
                layer,
                ChannelsLastForm.of(
                        layer.getDataFormat() == Convolution3D.DataFormat.NDHWC,
                        MoveForm.of(layer, 4, repeated(3, layer.getSize()))));
    }

    private static Function<Shape, IndexMap> repeated(int axes, int[] times) {
        return MoveForm.ofLastAxes(axes, (axis, size) -> AxisIndices.repeated(size, times[axis]));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
