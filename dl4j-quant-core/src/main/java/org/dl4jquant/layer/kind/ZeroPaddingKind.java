// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.kind;

import java.util.function.Function;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.MoveForm;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A layer that puts zeros around sequences, images or volumes.
 *
 * @param configuration the configuration
 * @param integers its integer form
 */
record ZeroPaddingKind(Layer configuration, IntegerSupport integers) implements LayerKind {

    static LayerKind of(ZeroPadding1DLayer layer) {
        return new ZeroPaddingKind(layer, MoveForm.of(layer, 2, padded(1, layer.getPadding())));
    }

    static LayerKind of(ZeroPaddingLayer layer) {
        return new ZeroPaddingKind(
                layer,
                MoveForm.ofImages(layer, layer.getDataFormat(), padded(2, layer.getPadding())));
    }

    static LayerKind of(ZeroPadding3DLayer layer) {
        return new ZeroPaddingKind(layer, MoveForm.of(layer, 4, padded(3, layer.getPadding())));
    }

    /* DL4J gives the zeros before and after each axis in turn. */
    private static Function<Shape, IndexMap> padded(int axes, int[] padding) {
        return MoveForm.ofLastAxes(
                axes,
                (axis, size) -> AxisIndices.padded(size, padding[2 * axis], padding[2 * axis + 1]));
    }

    @Override
    public CodeFlow flow() {
        return CodeFlow.MOVES;
    }
}
