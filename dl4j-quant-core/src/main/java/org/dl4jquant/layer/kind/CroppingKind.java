// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.function.Function;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A layer that cuts off the ends of sequences, or the borders of images or volumes.
 *
 * @param configuration the configuration
 * @param integers its integer form
 */
record CroppingKind(Layer configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind of(Cropping1D layer) {
        return new CroppingKind(layer, MoveForm.of(layer, 2, cropped(1, layer.getCropping())));
    }

    static LayerKind of(Cropping2D layer) {
        return new CroppingKind(
                layer,
                MoveForm.ofImages(layer, layer.getDataFormat(), cropped(2, layer.getCropping())));
    }

    static LayerKind of(Cropping3D layer) {
        return new CroppingKind(layer, MoveForm.of(layer, 4, cropped(3, layer.getCropping())));
    }

    /* DL4J gives the cuts before and after each axis in turn. */
    private static Function<Shape, IndexMap> cropped(int axes, int[] cropping) {
        return MoveForm.ofLastAxes(
                axes,
                (axis, size) ->
                        AxisIndices.range(cropping[2 * axis], size - cropping[2 * axis + 1]));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
