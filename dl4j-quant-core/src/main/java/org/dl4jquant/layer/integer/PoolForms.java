// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.check.Require;

/** The forms of pools, by what they make of a window: its maximum or its mean. */
public final class PoolForms {

    private PoolForms() {}

    /**
     * Returns the support of a pool of windows.
     *
     * @param layer its configuration: a {@link SubsamplingLayer} or its alias {@code Pooling2D}
     * @return a form of maxima or means, or the refusal of another pooling type
     */
    public static IntegerSupport of(SubsamplingLayer layer) {
        Require.given(layer, "layer");
        return ChannelsLastForm.of(layer.getCnn2dDataFormat(), channelsFirst(layer));
    }

    private static IntegerSupport channelsFirst(SubsamplingLayer layer) {
        int[] kernel = layer.getKernelSize();
        int[] padding = layer.getPadding();
        if (padding[0] >= kernel[0] || padding[1] >= kernel[1]) {
            return IntegerSupport.refused(
                    "its padding of "
                            + Arrays.toString(padding)
                            + " is not below its kernel of "
                            + Arrays.toString(kernel)
                            + ", so that windows hold padding only",
                    "give it a padding below its kernel");
        }
        if (layer.getPoolingType() == PoolingType.MAX) {
            return IntegerSupport.of(
                    tensors ->
                            tensors.isQuantized()
                                    ? RefusedForm.ofQuantizers(layer)
                                    : new MaxPoolForm(layer));
        }
        return layer.getPoolingType() == PoolingType.AVG
                ? IntegerSupport.of(tensors -> new AveragePoolForm(layer, tensors))
                : refusal(layer, layer.getPoolingType());
    }

    /**
     * Returns the support of a pool of whole images.
     *
     * @param layer its configuration
     * @return a form of maxima or means, or the refusal of another pooling type
     */
    public static IntegerSupport of(GlobalPoolingLayer layer) {
        Require.given(layer, "layer");
        return ChannelsLastForm.of(WholeImages.haveChannelsLast(layer), channelsFirst(layer));
    }

    private static IntegerSupport channelsFirst(GlobalPoolingLayer layer) {
        if (layer.getPoolingType() == PoolingType.MAX) {
            return IntegerSupport.of(
                    tensors ->
                            tensors.isQuantized()
                                    ? RefusedForm.ofQuantizers(layer)
                                    : new GlobalMaxPoolForm(layer));
        }
        return layer.getPoolingType() == PoolingType.AVG
                ? IntegerSupport.of(tensors -> new GlobalAveragePoolForm(layer, tensors))
                : refusal(layer, layer.getPoolingType());
    }

    private static IntegerSupport.Refusal refusal(Layer layer, PoolingType type) {
        return IntegerSupport.refused(
                "there is no integer form of type "
                        + layer.getClass().getSimpleName()
                        + " with pooling type "
                        + type,
                "pooling types that lower are MAX and AVG");
    }
}
