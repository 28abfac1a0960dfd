// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.dl4jquant.numeric.Shape;

/** DL4J's formats of volumes, and the windows that its layers slide over them. */
final class VolumeSpans {

    private static final int CHANNELS_LAST = 4;

    private VolumeSpans() {}

    /**
     * {@return whether the channels of a format are the last dimension}
     *
     * @param format where the channels are
     */
    static boolean haveChannelsLast(DataFormat format) {
        return format == DataFormat.NDHWC;
    }

    /**
     * {@return the dimension that numbers the channels}
     *
     * @param format where the channels are
     */
    static int channelAxis(DataFormat format) {
        return haveChannelsLast(format) ? CHANNELS_LAST : 1;
    }

    /**
     * {@return the windows of a convolution over a volume}
     *
     * @param layer the convolution, with three numbers for each option
     * @param volume channels, depth, height, width
     * @throws IntegerRefusal if its mode is Causal
     */
    static VolumeWindows over(ConvolutionLayer layer, Shape volume) {
        requireNotCausal(layer.getConvolutionMode());
        return new VolumeWindows(
                span(layer, 0, volume), span(layer, 1, volume), span(layer, 2, volume));
    }

    /**
     * {@return the windows of a pool over a volume}
     *
     * @param layer the pool, with three numbers for each option
     * @param volume channels, depth, height, width
     * @throws IntegerRefusal if its mode is Causal
     */
    static VolumeWindows over(Subsampling3DLayer layer, Shape volume) {
        requireNotCausal(layer.getConvolutionMode());
        return new VolumeWindows(
                span(layer, 0, volume), span(layer, 1, volume), span(layer, 2, volume));
    }

    private static WindowSpan span(Subsampling3DLayer layer, int axis, Shape volume) {
        return WindowSpan.of(
                layer.getConvolutionMode(),
                volume.size(axis + 1),
                layer.getKernelSize()[axis],
                layer.getStride()[axis],
                layer.getDilation()[axis],
                layer.getPadding()[axis]);
    }

    private static WindowSpan span(ConvolutionLayer layer, int axis, Shape volume) {
        return WindowSpan.of(
                layer.getConvolutionMode(),
                volume.size(axis + 1),
                layer.getKernelSize()[axis],
                layer.getStride()[axis],
                layer.getDilation()[axis],
                layer.getPadding()[axis]);
    }

    /**
     * Refuses the mode of sequences.
     *
     * @param mode how a layer of images or volumes pads
     */
    static void requireNotCausal(ConvolutionMode mode) {
        if (mode == ConvolutionMode.Causal) {
            throw new IntegerRefusal(
                    "its convolution mode is Causal, which is for sequences",
                    "use ConvolutionMode.Same, Truncate or Strict");
        }
    }
}
