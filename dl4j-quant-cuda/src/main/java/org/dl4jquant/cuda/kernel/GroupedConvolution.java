// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/**
 * A convolution of several groups: its kernel and its constants.
 *
 * <p>The kernel is that of {@code depthwise.cu} if each filter sees one channel (and the window is
 * not enormous), else that of {@code grouped.cu}; they differ in the order of the weights.
 *
 * <p>The kernel's arguments: input, weights, bias, multipliers, output, examples.
 */
public final class GroupedConvolution {

    private static final int BYTE = 0xff;
    private static final int WORD = Integer.BYTES;

    private final Convolution node;
    private final ImageLayout image;
    private final QuantParams input;
    private final Window.Extent result;
    private final boolean depthwise;

    private GroupedConvolution(Convolution node, ImageLayout image, QuantParams input) {
        this.node = node;
        this.image = image;
        this.input = input;
        this.result = node.window().over(new Window.Extent(image.height(), image.width()));
        this.depthwise = node.weights().shape().size(1) == 1 && DepthwiseTile.suits(node.window());
    }

    /**
     * {@return a convolution of groups}
     *
     * @param node the convolution
     * @param image where its input lies
     * @param input how the input's codes stand for values
     * @throws IllegalArgumentException if the image does not have the node's channels
     */
    public static GroupedConvolution of(Convolution node, ImageLayout image, QuantParams input) {
        Require.argument(
                node.weights().shape().size(1) * node.groups() == image.channels(),
                "convolution '%s' has weights %s in %d groups for an image of %d channels",
                node.name(),
                node.weights().shape(),
                node.groups(),
                image.channels());
        return new GroupedConvolution(node, image, input);
    }

    /**
     * {@return the kernel; whatever the batch that it is meant for, it serves all}
     *
     * @param pitch bytes from one pixel of the output codes to the next; float32 values are never
     *     padded
     * @param examples the batch that it is mostly run with
     */
    public KernelSpec kernel(int pitch, int examples) {
        Constants constants = constants(pitch);
        long words = ElementKernels.over(node.weights().channels(), WORD);
        if (depthwise) {
            return DepthwiseTile.best(node.window(), result, words, examples)
                    .kernel(constants, node.window(), result, words);
        }
        return ElementKernels.kernel(
                "grouped.cu", constants, words * result.height() * result.width(), 0);
    }

    private Constants constants(int pitch) {
        int filters = node.weights().channels();
        Window window = node.window();
        Constants constants =
                new Constants()
                        .put("HEIGHT", image.height())
                        .put("WIDTH", image.width())
                        .put("IN_PITCH", image.pitch())
                        .put("IN_UNSIGNED", !input.range().signed())
                        .put("PAD_CODE", input.zeroPoint() & BYTE)
                        .put("KERNEL", window.kernel())
                        .put("STRIDE", window.stride())
                        .put("DILATION", window.dilation())
                        .put("OUT", result)
                        .put("PAD_TOP", window.before().height())
                        .put("PAD_LEFT", window.before().width())
                        .put("GROUP_CHANNELS", node.weights().shape().size(1))
                        .put("GROUP_FILTERS", filters / node.groups())
                        .put("FILTERS", filters)
                        .put("FILTER_PITCH", ImageLayout.padded(filters))
                        .put("OUT_PITCH", pitch)
                        .put("FLOAT_OUTPUT", node.output() instanceof Output.Floats);
        if (node.output() instanceof Output.Codes codes) {
            int zero = codes.params().zeroPoint();
            constants.put("ZERO", zero);
            ElementKernels.bounds(constants, codes.bounds(), -zero);
        }
        return constants;
    }

    /**
     * {@return the weights, as the kernel's source documents them; 0 where there is no filter or no
     * column}
     */
    public byte[] weights() {
        WeightTensor weights = node.weights();
        Window.Extent kernel = node.window().kernel();
        int channels = weights.shape().size(1);
        int columns = depthwise ? runs(kernel) * WORD : kernel.width();
        int pitch = ImageLayout.padded(weights.channels());
        byte[] codes = new byte[kernel.height() * columns * channels * pitch];
        int from = 0;
        for (int filter = 0; filter < weights.channels(); filter++) {
            for (int channel = 0; channel < channels; channel++) {
                for (int y = 0; y < kernel.height(); y++) {
                    for (int x = 0; x < kernel.width(); x++) {
                        int to =
                                depthwise
                                        ? placeInRuns(filter, y, x)
                                        : ((y * columns + x) * channels + channel) * pitch + filter;
                        codes[to] = (byte) weights.code(from++);
                    }
                }
            }
        }
        return codes;
    }

    /* [filter / 4][row][column / 4][filter % 4][column % 4] */
    private int placeInRuns(int filter, int y, int x) {
        Window.Extent kernel = node.window().kernel();
        int run = (filter / WORD * kernel.height() + y) * runs(kernel) + x / WORD;
        return (run * WORD + filter % WORD) * WORD + x % WORD;
    }

    private static int runs(Window.Extent kernel) {
        return (kernel.width() + WORD - 1) / WORD;
    }

    /** {@return the biases, with the part of the input's zero point} */
    public int[] bias() {
        return GemmWeights.bias(input, node.weights());
    }

    /** {@return the multipliers} */
    public float[] multipliers() {
        return GemmWeights.multipliers(input, node.weights(), node.output());
    }
}
