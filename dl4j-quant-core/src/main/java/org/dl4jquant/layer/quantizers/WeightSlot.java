// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.params.SeparableConvolutionParamInitializer;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.scheme.Granularity;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One weight of a layer and the scales that belong to it.
 *
 * @param key the weight's parameter name
 * @param scaleKey the scales' parameter name
 * @param channels which of the weight's axes number its scales
 * @param scales how many scales there are
 * @param reversed whether the layer reads the weight's memory with its dimensions in reverse
 * @param groups how its inputs are split into groups; null if they are not
 */
public record WeightSlot(
        String key,
        String scaleKey,
        Channels channels,
        int scales,
        boolean reversed,
        @Nullable InputGroups groups) {

    private static final int MATRIX_RANK = 2;

    /** Checks that the parts are there. */
    public WeightSlot {
        Objects.requireNonNull(channels, "channels");
    }

    /**
     * {@return the scales that a weight needs}
     *
     * @param layer the layer's configuration, without its quantizers
     * @param key the weight's parameter name
     * @param weight an array of the weight's shape and order, as the parameter table has it; its
     *     values are not read
     * @param granularity which parts of the weight share a scale
     * @throws IllegalArgumentException if its inputs cannot be grouped as asked; the message names
     *     layer and weight
     */
    public static WeightSlot of(Layer layer, String key, INDArray weight, Granularity granularity) {
        Require.given(layer, "layer");
        Require.given(weight, "weight");
        Require.given(granularity, "granularity");
        // DL4J splits names at the last underscore.
        String scaleKey = TensorRole.SCALE + Require.given(key, "key").replace("_", "");
        boolean reversed = layer instanceof Convolution1DLayer;
        INDArray arranged = arranged(weight, reversed);
        Channels channels =
                granularity == Granularity.PER_TENSOR
                        ? Channels.NONE
                        : outputChannels(layer, key, weight);
        InputGroups groups = null;
        if (granularity instanceof Granularity.PerGroup perGroup) {
            groups = InputGroups.of(layer, key, arranged, channels, perGroup.size());
            channels = groups.channels(channels);
            arranged = groups.split(arranged);
        }
        int scales = channels.count(arranged.shape());
        return new WeightSlot(key, scaleKey, channels, scales, reversed, groups);
    }

    /**
     * {@return the weight with the dimensions that {@link #channels} numbers: itself, or a view}
     *
     * @param weight the weight, its rounded image or its gradient, as the parameter table has it
     */
    public INDArray arranged(INDArray weight) {
        INDArray arranged = arranged(weight, reversed);
        return groups == null ? arranged : groups.split(arranged);
    }

    private static INDArray arranged(INDArray weight, boolean reversed) {
        return reversed
                ? weight.reshape('c', weight.size(2), weight.size(1), weight.size(0))
                : weight;
    }

    /* DL4J has no word for "output channel"; these are its layouts:
     * convolution [out, in, kernel...], deconvolution [in, out, kernel...] or [kernel..., out, in],
     * depthwise [kernel height, kernel width, in, multiplier] with output channel in * multiplier + m,
     * the depthwise half of a separable one [multiplier, in, kernel height, kernel width],
     * convolution 1D says [out, in, kernel, 1] but computes with the same memory as [kernel, in, out],
     * all others that are known [in, out]. */
    private static Channels outputChannels(Layer layer, String key, INDArray weight) {
        if (layer instanceof DepthwiseConvolution2D) {
            return Channels.merged(2, 3);
        }
        if (layer instanceof SeparableConvolution2D
                && key.equals(SeparableConvolutionParamInitializer.DEPTH_WISE_WEIGHT_KEY)) {
            return Channels.merged(1, 0);
        }
        if (layer instanceof Convolution1DLayer) {
            return Channels.axis(2);
        }
        if (layer instanceof Deconvolution3D) {
            return Channels.axis(3);
        }
        if (layer instanceof Deconvolution2D) {
            return Channels.axis(1);
        }
        if (layer instanceof ConvolutionLayer) {
            return Channels.axis(0);
        }
        boolean unknownLayout =
                layer instanceof PReLULayer
                        || layer instanceof ElementWiseMultiplicationLayer
                        || layer instanceof AbstractSameDiffLayer;
        return weight.rank() == MATRIX_RANK && !unknownLayout ? Channels.axis(1) : Channels.NONE;
    }
}
