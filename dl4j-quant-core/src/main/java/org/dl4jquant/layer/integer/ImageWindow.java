// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.Shape;

/**
 * DL4J's kernel, stride, padding and mode of images: as a {@link Window} with explicit padding, and
 * as spans of single dimensions.
 *
 * @param mode how DL4J pads
 * @param kernel the kernel's extent
 * @param stride the step
 * @param dilation the distance of the kernel's elements
 * @param padding the configured padding
 */
public record ImageWindow(
        ConvolutionMode mode, Extent kernel, Extent stride, Extent dilation, Extent padding) {

    /**
     * {@return the windows of a convolution}
     *
     * @param layer its configuration
     */
    public static ImageWindow of(ConvolutionLayer layer) {
        return new ImageWindow(
                layer.getConvolutionMode(),
                extent(layer.getKernelSize()),
                extent(layer.getStride()),
                extent(layer.getDilation()),
                extent(layer.getPadding()));
    }

    /**
     * {@return the windows of a pool}
     *
     * @param layer its configuration
     */
    public static ImageWindow of(SubsamplingLayer layer) {
        return new ImageWindow(
                layer.getConvolutionMode(),
                extent(layer.getKernelSize()),
                extent(layer.getStride()),
                extent(layer.getDilation()),
                extent(layer.getPadding()));
    }

    /* DL4J gives sequences two numbers, too. */
    static ImageWindow of(Subsampling1DLayer layer) {
        return new ImageWindow(
                layer.getConvolutionMode(),
                new Extent(layer.getKernelSize()[0], 1),
                new Extent(layer.getStride()[0], 1),
                new Extent(layer.getDilation()[0], 1),
                new Extent(layer.getPadding()[0], 0));
    }

    private static Extent extent(int[] heightAndWidth) {
        return new Extent(heightAndWidth[0], heightAndWidth[1]);
    }

    /** {@return whether the elements of a window lie apart: in windows of one they do not} */
    boolean isDilated() {
        return !steps().equals(Extent.ONE);
    }

    WindowSpan rows(int height) {
        return WindowSpan.of(
                mode,
                height,
                kernel.height(),
                stride.height(),
                dilation.height(),
                padding.height());
    }

    WindowSpan columns(int width) {
        return WindowSpan.of(
                mode, width, kernel.width(), stride.width(), dilation.width(), padding.width());
    }

    /**
     * {@return the window of a node}
     *
     * @param image channels, height, width
     * @throws IntegerRefusal if no padding is the mode's
     */
    public Window over(Shape image) {
        VolumeSpans.requireNotCausal(mode);
        WindowSpan rows = rows(mode == ConvolutionMode.Same ? image.size(1) : 1);
        WindowSpan columns = columns(mode == ConvolutionMode.Same ? image.size(2) : 1);
        if (mode == ConvolutionMode.Same && (rows.before() < 0 || columns.before() < 0)) {
            throw new IntegerRefusal(
                    "in mode Same its strides "
                            + stride
                            + " are so long that its first window begins inside the image",
                    "use ConvolutionMode.Truncate, or strides that are at most one longer than the"
                            + " kernel");
        }
        return new Window(
                kernel,
                stride,
                steps(),
                new Extent(rows.before(), columns.before()),
                new Extent(rows.after(), columns.after()));
    }

    /** The dilation where it makes a difference: a kernel of one element has none. */
    private Extent steps() {
        return new Extent(
                kernel.height() == 1 ? 1 : dilation.height(),
                kernel.width() == 1 ? 1 : dilation.width());
    }
}
