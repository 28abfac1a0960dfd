// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.Shape;

/** The forms of pools, by what they make of a window: its maximum, mean or sum. */
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
        int[] kernel = layer.getKernelSize();
        int[] padding = layer.getPadding();
        return padding[0] >= kernel[0] || padding[1] >= kernel[1]
                ? ofPadding(kernel, padding)
                : windows(layer, ImageWindow.of(layer), Shape.IMAGE_RANK);
    }

    /**
     * Returns the support of a pool of windows of sequences.
     *
     * @param layer its configuration: a {@link Subsampling1DLayer} or its alias {@code Pooling1D}
     * @return a form of maxima or means, or the refusal of another pooling type
     */
    public static IntegerSupport ofSequences(Subsampling1DLayer layer) {
        Require.given(layer, "layer");
        if (layer.getConvolutionMode() != ConvolutionMode.Same && layer.getPadding()[0] > 0) {
            return IntegerSupport.refused(
                    "it pads sequences, and DL4J itself then pads a second dimension, too, whose"
                            + " padding it returns",
                    "put a ZeroPadding1DLayer before it, or use ConvolutionMode.Same");
        }
        return windows(layer, ImageWindow.of(layer), 2);
    }

    private static IntegerSupport windows(SubsamplingLayer layer, ImageWindow window, int rank) {
        IntegerSupport support =
                switch (layer.getPoolingType()) {
                    case MAX -> unquantized(layer, new MaxPoolForm(window, rank));
                    case AVG ->
                            IntegerSupport.of(
                                    tensors -> new AveragePoolForm(layer, window, rank, tensors));
                    case PNORM ->
                            layer.getPnorm() == 1
                                    ? IntegerSupport.of(
                                            tensors ->
                                                    new MagnitudePoolForm(
                                                            layer, window, rank, tensors))
                                    : ofPowers(layer, layer.getPnorm());
                    case SUM -> refusal(layer, layer.getPoolingType(), "MAX and AVG");
                };
        return ChannelsLastForm.of(layer.getCnn2dDataFormat(), support);
    }

    private static IntegerSupport ofPadding(int[] kernel, int[] padding) {
        return IntegerSupport.refused(
                "its padding of "
                        + Arrays.toString(padding)
                        + " is not below its kernel of "
                        + Arrays.toString(kernel)
                        + ", so that windows hold padding only",
                "give it a padding below its kernel");
    }

    private static IntegerSupport unquantized(Layer layer, IntegerForm form) {
        return IntegerSupport.of(
                tensors -> tensors.isQuantized() ? RefusedForm.ofQuantizers(layer) : form);
    }

    /**
     * Returns the support of a pool of windows of volumes.
     *
     * @param layer its configuration
     * @return a form of maxima or means
     */
    public static IntegerSupport of(Subsampling3DLayer layer) {
        int[] kernel = Require.given(layer, "layer").getKernelSize();
        int[] padding = layer.getPadding();
        if (IntStream.range(0, kernel.length).anyMatch(axis -> padding[axis] >= kernel[axis])) {
            return ofPadding(kernel, padding);
        }
        IntegerSupport support =
                switch (layer.getPoolingType()) {
                    case MAX -> unquantized(layer, new VolumeMaxPoolForm(layer));
                    case AVG ->
                            IntegerSupport.of(tensors -> new VolumeAveragePoolForm(layer, tensors));
                    case SUM, PNORM -> refusal(layer, layer.getPoolingType(), "MAX and AVG");
                };
        return ChannelsLastForm.of(VolumeSpans.haveChannelsLast(layer.getDataFormat()), support);
    }

    /**
     * Returns the support of a pool of whole images.
     *
     * @param layer its configuration
     * @return a form of maxima, means or sums, or the refusal of another pooling type
     */
    public static IntegerSupport of(GlobalPoolingLayer layer) {
        Require.given(layer, "layer");
        return ChannelsLastForm.of(WholeImages.haveChannelsLast(layer), channelsFirst(layer));
    }

    private static IntegerSupport channelsFirst(GlobalPoolingLayer layer) {
        return switch (layer.getPoolingType()) {
            case MAX -> unquantized(layer, new GlobalMaxPoolForm(layer));
            case AVG -> IntegerSupport.of(tensors -> new GlobalAveragePoolForm(layer, tensors));
            case SUM -> IntegerSupport.of(tensors -> new GlobalSumPoolForm(layer, tensors));
            case PNORM ->
                    layer.getPnorm() == 1
                            ? IntegerSupport.of(tensors -> new GlobalSumPoolForm(layer, tensors))
                            : ofPowers(layer, layer.getPnorm());
        };
    }

    private static IntegerSupport.Refusal ofPowers(Layer layer, int power) {
        return IntegerSupport.refused(
                "there is no integer form of type "
                        + layer.getClass().getSimpleName()
                        + " with pooling type PNORM and p = "
                        + power
                        + ", because sums of powers have more bits than codes",
                "pool with p = 1, which adds magnitudes, or with MAX or AVG");
    }

    private static IntegerSupport.Refusal refusal(Layer layer, PoolingType type, String others) {
        return IntegerSupport.refused(
                "there is no integer form of type "
                        + layer.getClass().getSimpleName()
                        + " with pooling type "
                        + type,
                "pooling types that lower are " + others);
    }
}
