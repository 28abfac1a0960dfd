// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;

/** DL4J's kernel, stride, padding and mode as a {@link Window} with explicit padding. */
final class Windows {

    /** Channels, height, width. */
    private static final int IMAGE_RANK = 3;

    private Windows() {}

    static Window of(String name, ConvolutionLayer layer, Shape image) {
        requireChannelsFirst(name, layer.getCnn2dDataFormat());
        return window(
                name,
                layer.getConvolutionMode(),
                new Extents(
                        extent(layer.getKernelSize()),
                        extent(layer.getStride()),
                        extent(layer.getDilation()),
                        extent(layer.getPadding())),
                image);
    }

    static Window of(String name, SubsamplingLayer layer, Shape image) {
        requireChannelsFirst(name, layer.getCnn2dDataFormat());
        Window window =
                window(
                        name,
                        layer.getConvolutionMode(),
                        new Extents(
                                extent(layer.getKernelSize()),
                                extent(layer.getStride()),
                                extent(layer.getDilation()),
                                extent(layer.getPadding())),
                        image);
        if (layer.getPoolingType() == PoolingType.AVG && !window.dilation().equals(Extent.ONE)) {
            throw new LoweringException(
                    name,
                    "it averages elements at a distance, its dilation being " + window.dilation(),
                    "average without dilation; DL4J itself ignores it with oneDNN");
        }
        return window;
    }

    static void requireChannelsFirst(String name, CNN2DFormat format) {
        if (format != CNN2DFormat.NCHW) {
            throw new LoweringException(
                    name,
                    "its images are in format " + format,
                    "build the network with CNN2DFormat.NCHW; a convolution has the same weights in both"
                            + " formats");
        }
    }

    /**
     * Refuses what pools anything but the height and width of images.
     *
     * @param name the layer's name
     * @param pool the layer
     * @param image the shape of one example
     */
    static void requireImages(String name, GlobalPoolingLayer pool, Shape image) {
        int[] pooled = pool.getPoolingDimensions();
        requireChannelsFirst(
                name,
                Arrays.equals(pooled, new int[] {1, 2}) ? CNN2DFormat.NHWC : CNN2DFormat.NCHW);
        boolean heightAndWidth = pooled == null || Arrays.equals(pooled, new int[] {2, 3});
        if (image.rank() != IMAGE_RANK || !heightAndWidth) {
            throw new LoweringException(
                    name,
                    "it pools "
                            + (pooled == null
                                    ? ""
                                    : "dimensions " + Arrays.toString(pooled) + " of ")
                            + "examples of shape "
                            + image,
                    "pool the height and width of images, which are dimensions 2 and 3");
        }
    }

    private record Extents(Extent kernel, Extent stride, Extent dilation, Extent padding) {

        /** The dilation where it makes a difference: a kernel of one element has none. */
        Extent steps() {
            return new Extent(
                    kernel.height() == 1 ? 1 : dilation.height(),
                    kernel.width() == 1 ? 1 : dilation.width());
        }
    }

    private static Window window(String name, ConvolutionMode mode, Extents given, Shape image) {
        if (mode == ConvolutionMode.Causal) {
            throw new LoweringException(
                    name,
                    "its convolution mode is Causal, which is for sequences",
                    "use ConvolutionMode.Same, Truncate or Strict");
        }
        if (mode != ConvolutionMode.Same) {
            return new Window(
                    given.kernel, given.stride, given.steps(), given.padding, given.padding);
        }
        int height =
                samePadding(
                        image.size(1),
                        given.kernel.height(),
                        given.stride.height(),
                        given.dilation.height());
        int width =
                samePadding(
                        image.size(2),
                        given.kernel.width(),
                        given.stride.width(),
                        given.dilation.width());
        requireFromTheEdge(name, given.stride, height, width);
        return new Window(
                given.kernel,
                given.stride,
                given.steps(),
                new Extent(height / 2, width / 2),
                new Extent((height + 1) / 2, (width + 1) / 2));
    }

    /* Where strides leave so many elements out that DL4J centres the windows, nothing pads them. */
    private static void requireFromTheEdge(String name, Extent stride, int height, int width) {
        if (height / 2 < 0 || width / 2 < 0) {
            throw new LoweringException(
                    name,
                    "in mode Same its strides "
                            + stride
                            + " are so long that its first window begins inside the image",
                    "use ConvolutionMode.Truncate, or strides that are at most one longer than the"
                            + " kernel");
        }
    }

    /* Mode Same makes ceil(size / stride) results. An odd sum of padding has its larger half after;
     * -1 is an element that no window sees. */
    private static int samePadding(int size, int kernel, int stride, int dilation) {
        int results = (size + stride - 1) / stride;
        int reach = dilation * (kernel - 1) + 1;
        return (results - 1) * stride + reach - size;
    }

    private static Extent extent(int[] heightAndWidth) {
        return new Extent(heightAndWidth[0], heightAndWidth[1]);
    }
}
