// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/**
 * A convolution without groups, or a dense layer, as one product of matrices with what is fused to
 * it.
 *
 * <p>A dense layer is a convolution whose kernel is the whole image: so it reads an image that the
 * graph flattens in its own order, although the image lies channels last in memory.
 *
 * @param image where the input's codes lie
 * @param input how they stand for values
 * @param window kernel, stride, dilation, padding
 * @param filters output channels
 * @param output codes or float32 values
 * @param outputPitch bytes from one pixel of the output codes to the next, at least {@code filters}
 *     rounded up to 16; float32 values are never padded
 * @param residual what is added to the codes; null if nothing is
 * @param packedWeights whether weights of 4 bits lie two to a byte
 * @param shortSums whether the weights are such that every sum, with its bias, is known to be
 *     inside (-2^22, 2^22): older GPUs then need no conversion, see {@link
 *     GemmWeights#sumsAreShort}
 * @param gaps how many of the filters are none, but make the next layer's filters begin at a
 *     multiple of 16; above 0 only in a product of stacked layers
 * @param second what the codes of the later ones of stacked layers are, if they have other zero
 *     points or bounds than {@code output}; null if they have not
 * @param pool of which windows of codes the largest is stored; null if all codes are stored
 */
public record GemmProblem(
        ImageLayout image,
        QuantParams input,
        Window window,
        int filters,
        Output output,
        int outputPitch,
        @Nullable Residual residual,
        boolean packedWeights,
        boolean shortSums,
        int gaps,
        @Nullable Second second,
        @Nullable Window pool) {

    /* The sums of packed weights are computed 16 times too large. */
    private static final long PACKED_LIMIT = 1L << 27;
    private static final int LARGEST_PACKED = 8;

    /** Checks that the parts fit one another. */
    public GemmProblem {
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(output, "output");
        requireWindow(image, window);
        Require.argument(filters > 0, "a product of %d filters", filters);
        requirePitch("an output", outputPitch, filters);
        if (residual != null) {
            Require.argument(
                    output instanceof Output.Codes,
                    "a residual is added to codes, not to float32 values");
            requirePitch("a residual", residual.pitch(), filters);
        }
        Require.argument(gaps >= 0 && gaps < filters, "%d gaps in %d filters", gaps, filters);
        if (second != null) {
            Require.argument(
                    output instanceof Output.Codes && residual == null,
                    "layers with codes of two kinds have codes as outputs, and no residual");
            Require.argument(
                    second.column() % ImageLayout.CHUNK == 0 && second.column() < filters,
                    "codes of another kind from filter %d of %d on; a multiple of 16 below is"
                            + " allowed",
                    second.column(),
                    filters);
        }
        if (packedWeights) {
            requireShortSum(image, window);
        }
        if (pool != null) {
            Require.argument(
                    output instanceof Output.Codes && residual == null && second == null,
                    "a product that is pooled has codes of one kind, and no residual");
            pool.over(window.over(new Window.Extent(image.height(), image.width())));
        }
    }

    /**
     * What the codes of the later ones of stacked layers are.
     *
     * @param column the first filter of these layers
     * @param output their zero point and bounds; scales are the filters' own
     */
    public record Second(int column, Output.Codes output) {

        /** Checks the numbers. */
        public Second {
            Objects.requireNonNull(output, "output");
            Require.argument(column > 0, "another kind of codes from filter %d on", column);
        }
    }

    private static void requireWindow(ImageLayout image, Window window) {
        window.over(new Window.Extent(image.height(), image.width()));
    }

    private static void requirePitch(String name, int pitch, int filters) {
        Require.argument(
                pitch % ImageLayout.CHUNK == 0 && pitch >= ImageLayout.padded(filters),
                "%s pitch of %d bytes for %d filters; a multiple of 16 from %d on is allowed",
                name,
                pitch,
                filters,
                ImageLayout.padded(filters));
    }

    static boolean isShortSum(ImageLayout image, Window window) {
        return products(image, window) * LARGEST_PACKED * 255 < PACKED_LIMIT;
    }

    private static long products(ImageLayout image, Window window) {
        return (long) image.channels() * window.kernel().height() * window.kernel().width();
    }

    private static void requireShortSum(ImageLayout image, Window window) {
        Require.argument(
                isShortSum(image, window),
                "sums of %d products are too long for packed weights; at most %d are allowed, use"
                        + " weights of one byte",
                products(image, window),
                (PACKED_LIMIT - 1) / (LARGEST_PACKED * 255));
    }

    /**
     * {@return the product that a convolution is}
     *
     * @param node the convolution, of one group
     * @param image where its input lies
     * @param input how the input's codes stand for values
     */
    public static GemmProblem of(Convolution node, ImageLayout image, QuantParams input) {
        Require.argument(
                node.groups() == 1,
                "convolution '%s' has %d groups; a product of matrices has one",
                node.name(),
                node.groups());
        Require.argument(
                node.weights().shape().size(1) == image.channels(),
                "convolution '%s' has weights %s for an image of %d channels",
                node.name(),
                node.weights().shape(),
                image.channels());
        return plain(image, input, node.window(), node.weights().channels(), node.output());
    }

    /**
     * {@return the product that a dense layer is}
     *
     * @param node the layer
     * @param image where its input lies: a vector, or the image that the graph flattens
     * @param input how the input's codes stand for values
     */
    public static GemmProblem of(Dense node, ImageLayout image, QuantParams input) {
        Require.argument(
                node.weights().weightsPerChannel()
                        == image.channels() * image.height() * image.width(),
                "dense '%s' has weights %s for an image of %d x %d x %d",
                node.name(),
                node.weights().shape(),
                image.channels(),
                image.height(),
                image.width());
        Window whole =
                Window.of(new Window.Extent(image.height(), image.width()), Window.Extent.ONE);
        return plain(image, input, whole, node.weights().channels(), node.output());
    }

    /**
     * {@return a product of one layer, with codes side by side and nothing fused to it}
     *
     * @param image where the input's codes lie
     * @param input how they stand for values
     * @param window kernel, stride, dilation, padding
     * @param filters output channels
     * @param output codes or float32 values
     */
    public static GemmProblem plain(
            ImageLayout image, QuantParams input, Window window, int filters, Output output) {
        int pitch = ImageLayout.padded(filters);
        return new GemmProblem(
                image, input, window, filters, output, pitch, null, false, false, 0, null, null);
    }

    /**
     * {@return the same product, whose codes are added to another tensor's}
     *
     * @param added the other tensor
     */
    public GemmProblem withResidual(Residual added) {
        Copy copy = new Copy(this);
        copy.residual = added;
        return copy.build();
    }

    /**
     * {@return the same product with another distance of the output's pixels: a slice of channels}
     *
     * @param pitch bytes from one pixel to the next
     */
    public GemmProblem withOutputPitch(int pitch) {
        Copy copy = new Copy(this);
        copy.outputPitch = pitch;
        return copy.build();
    }

    /** {@return the same product with two weights of 4 bits in a byte} */
    public GemmProblem withPackedWeights() {
        Copy copy = new Copy(this);
        copy.packedWeights = true;
        return copy.build();
    }

    /** {@return the same product, whose weights are known to give short sums} */
    public GemmProblem withShortSums() {
        Copy copy = new Copy(this);
        copy.shortSums = true;
        return copy.build();
    }

    /**
     * {@return the same product, of whose codes the largest of each window are stored}
     *
     * @param largest the pool's window, which sees at least one pixel wherever it is
     */
    public GemmProblem withPool(Window largest) {
        Copy copy = new Copy(this);
        copy.pool = largest;
        return copy.build();
    }

    /* A product to be, alike but for what is set. */
    private static final class Copy {
        private final GemmProblem from;
        private int outputPitch;
        private @Nullable Residual residual;
        private boolean packedWeights;
        private boolean shortSums;
        private @Nullable Window pool;

        Copy(GemmProblem from) {
            this.from = from;
            this.outputPitch = from.outputPitch;
            this.residual = from.residual;
            this.packedWeights = from.packedWeights;
            this.shortSums = from.shortSums;
            this.pool = from.pool;
        }

        GemmProblem build() {
            return new GemmProblem(
                    from.image,
                    from.input,
                    from.window,
                    from.filters,
                    from.output,
                    outputPitch,
                    residual,
                    packedWeights,
                    shortSums,
                    from.gaps,
                    from.second,
                    pool);
        }
    }

    /** {@return the height and width of what is stored} */
    public Window.Extent stored() {
        return pool == null ? result() : pool.over(result());
    }

    /** {@return the result's height and width, before it is pooled} */
    public Window.Extent result() {
        return window.over(new Window.Extent(image.height(), image.width()));
    }

    /** {@return the result's dimensions, before it is pooled} */
    public Shape resultShape() {
        return Shape.of(filters, result().height(), result().width());
    }

    /** {@return whether some window reaches outside the image} */
    boolean padded() {
        Window.Extent result = result();
        return window.before().height() > 0
                || window.before().width() > 0
                || reach(
                                result.height(),
                                window.stride().height(),
                                window.dilation().height(),
                                window.kernel().height())
                        > image.height()
                || reach(
                                result.width(),
                                window.stride().width(),
                                window.dilation().width(),
                                window.kernel().width())
                        > image.width();
    }

    private static int reach(int results, int stride, int dilation, int kernel) {
        return (results - 1) * stride + dilation * (kernel - 1) + 1;
    }

    /** {@return bytes of the weights of one kernel row of one filter} */
    int weightsOfRow() {
        int columns = window.kernel().width();
        return image.pitch() == ImageLayout.SMALL_PITCH
                ? ImageLayout.padded(columns * ImageLayout.SMALL_PITCH)
                : columns * ImageLayout.padded(image.channels());
    }

    /** {@return bytes of one pixel's weights} */
    int weightsOfPixel() {
        return image.pitch() == ImageLayout.SMALL_PITCH
                ? ImageLayout.SMALL_PITCH
                : ImageLayout.padded(image.channels());
    }
}
