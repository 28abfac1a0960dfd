// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * A transposed convolution as a sub-pixel convolution: one with a filter for each output channel
 * and each place of a block of results, whose results are then laid out as blocks (depth to space).
 * Each result is the same sum of products, so that the codes are those of the transposed
 * convolution.
 *
 * @param depth the dimension of depth
 * @param rows the dimension of height
 * @param columns the dimension of width
 * @see <a href="https://arxiv.org/abs/1609.07009">Shi et al., 2016: Is the deconvolution layer the
 *     same as a convolutional layer?</a>
 */
record TransposedWindows(TransposedSpan depth, TransposedSpan rows, TransposedSpan columns) {

    /**
     * {@return the windows of a transposed convolution of images or volumes}
     *
     * @param layer its configuration
     * @param input channels, and the sizes that the configuration has options of
     * @throws IntegerRefusal if its mode is Causal
     */
    static TransposedWindows over(ConvolutionLayer layer, Shape input) {
        VolumeSpans.requireNotCausal(layer.getConvolutionMode());
        boolean volumes = input.rank() > Shape.IMAGE_RANK;
        int first = volumes ? 1 : 0;
        return new TransposedWindows(
                volumes ? span(layer, 0, input) : TransposedSpan.single(),
                span(layer, first, input),
                span(layer, first + 1, input));
    }

    private static TransposedSpan span(ConvolutionLayer layer, int axis, Shape input) {
        return TransposedSpan.of(
                layer.getConvolutionMode(),
                input.size(axis + 1),
                layer.getKernelSize()[axis],
                layer.getStride()[axis],
                layer.getDilation()[axis],
                layer.getPadding()[axis]);
    }

    private VolumeWindows windows() {
        return new VolumeWindows(depth.windows(), rows.windows(), columns.windows());
    }

    private int phases() {
        return depth.stride() * rows.stride() * columns.stride();
    }

    /**
     * {@return the sub-pixel convolution, after the nodes that move its input}
     *
     * @param graph takes those nodes
     * @param name the convolution's name
     * @param input the codes of an image or a volume
     * @param weights [out, in, depth, height, width], without depth for images
     * @param output codes or float32 values
     */
    Convolution convolution(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        return windows().convolution(graph, name, input, subPixel(weights), 1, output);
    }

    /* The channels of one phase are next to each other. */
    private WeightTensor subPixel(WeightTensor weights) {
        int inputs =
                weights.weightsPerChannel() / (depth.kernel() * rows.kernel() * columns.kernel());
        int channels = weights.channels();
        int taps = depth.taps() * rows.taps() * columns.taps();
        int[] codes = new int[phases() * channels * inputs * taps];
        float[] scales = new float[phases() * channels];
        long[] bias = new long[scales.length];
        int to = 0;
        for (int filter = 0; filter < scales.length; filter++) {
            int channel = filter % channels;
            scales[filter] = weights.scale(channel);
            bias[filter] = weights.longBias(channel);
            for (int in = 0; in < inputs; in++) {
                for (int tap = 0; tap < taps; tap++) {
                    int element = element(filter / channels, tap);
                    int kernel = weights.weightsPerChannel() / inputs;
                    codes[to++] =
                            element < 0
                                    ? 0
                                    : weights.code((channel * inputs + in) * kernel + element);
                }
            }
        }
        Shape shape = Shape.of(scales.length, inputs, depth.taps(), rows.taps(), columns.taps());
        return WeightTensor.ofCodes(shape, weights.range(), codes, scales, bias);
    }

    /* The number of the kernel's element in its row-major order; -1 if there is none. */
    private int element(int phase, int tap) {
        int z =
                depth.element(
                        phase / (rows.stride() * columns.stride()),
                        tap / (rows.taps() * columns.taps()));
        int y =
                rows.element(
                        phase / columns.stride() % rows.stride(),
                        tap / columns.taps() % rows.taps());
        int x = columns.element(phase % columns.stride(), tap % columns.taps());
        return z < 0 || y < 0 || x < 0 ? -1 : (z * rows.kernel() + y) * columns.kernel() + x;
    }

    /**
     * {@return the maps from the result of {@link #convolution} to the layer's}
     *
     * @param channels the number of output channels
     * @param rank the number of dimensions of the result: 4 for volumes, 3 for images
     */
    List<IndexMap> rearranged(int channels, int rank) {
        if (phases() == 1) {
            return windows().unfold(channels, rank);
        }
        IndexMap blocks =
                windows()
                        .depthToSpace(
                                new int[] {depth.stride(), rows.stride(), columns.stride()},
                                channels);
        IndexMap cut =
                IndexMap.select(
                        blocks.shape(), 1, List.of(depth.rest(), rows.rest(), columns.rest()));
        Shape result =
                rank == Shape.IMAGE_RANK
                        ? Shape.of(channels, rows.results(), columns.results())
                        : cut.shape();
        return List.of(blocks, cut.reshaped(result));
    }
}
