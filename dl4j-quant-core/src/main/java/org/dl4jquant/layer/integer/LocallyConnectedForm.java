// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of locally connected layers, which have filters of their own for each place of a window:
 * what a window covers becomes channels of one pixel (im2col), one group of them for each place,
 * and a grouped convolution multiplies each group by its filters.
 *
 * @param sums the layer without its activation function, and with a bias
 * @param rows the windows along the height; one place for sequences
 * @param columns the windows along the width, or the steps of sequences
 * @param rank the number of dimensions of an example: 3 for images, 2 for sequences
 * @param channelsLast whether the channels are the last dimension of the layer's own examples
 */
public record LocallyConnectedForm(
        SameDiffLayer sums, WindowSpan rows, WindowSpan columns, int rank, boolean channelsLast)
        implements WeightedArithmetic {

    /* DL4J multiplies the windows column by column, and lays the results out row by row: the layer of
     * a square image is transposed, and other places change as well. Weights have that order, too. */

    private static final int SEQUENCE_RANK = 2;

    /**
     * Returns the support of a locally connected layer of images.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(LocallyConnected2D layer) {
        Require.given(layer, "layer");
        if (layer.getOutputSize() == null) {
            return withoutSize(layer);
        }
        LocallyConnected2D sums = (LocallyConnected2D) layer.clone();
        sums.setActivation(Activation.IDENTITY);
        sums.setHasBias(true);
        return support(
                layer,
                new LocallyConnectedForm(
                        alone(sums),
                        axis(layer, 0),
                        axis(layer, 1),
                        Shape.IMAGE_RANK,
                        layer.getFormat() == CNN2DFormat.NHWC));
    }

    /**
     * Returns the support of a locally connected layer of sequences.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(LocallyConnected1D layer) {
        Require.given(layer, "layer");
        if (layer.getOutputSize() == 0) {
            return withoutSize(layer);
        }
        LocallyConnected1D sums = (LocallyConnected1D) layer.clone();
        sums.setActivation(Activation.IDENTITY);
        sums.setHasBias(true);
        WindowSpan steps =
                span(
                        layer.getInputSize(),
                        layer.getKernel(),
                        layer.getStride(),
                        layer.getPadding(),
                        layer.getOutputSize());
        return support(
                layer,
                new LocallyConnectedForm(
                        alone(sums), WindowSpan.single(), steps, SEQUENCE_RANK, false));
    }

    private static IntegerSupport withoutSize(Layer layer) {
        return IntegerSupport.refused(
                "the size of its input is not known, which its weights depend on",
                "build the network with its input type, or give the layer its input size: "
                        + layer.getClass().getSimpleName()
                        + ".Builder.setInputSize");
    }

    private static IntegerSupport support(Layer layer, LocallyConnectedForm form) {
        return ChannelsLastForm.of(form.channelsLast(), WeightedForm.of(form, layer));
    }

    /* Copies share the description of their parameters, which is made anew if there is none. */
    private static SameDiffLayer alone(SameDiffLayer sums) {
        sums.setLayerParams(null);
        sums.setIDropout(null);
        sums.setConstraints(null);
        return sums;
    }

    private static WindowSpan axis(LocallyConnected2D layer, int axis) {
        return span(
                layer.getInputSize()[axis],
                layer.getKernel()[axis],
                layer.getStride()[axis],
                layer.getPadding()[axis],
                layer.getOutputSize()[axis]);
    }

    /* DL4J's windows have no dilation, although it counts them as if they had. */
    private static WindowSpan span(int size, int kernel, int stride, int padding, int results) {
        int after = (results - 1) * stride + kernel - size - padding;
        return new WindowSpan(size, kernel, stride, 1, padding, after);
    }

    /* [place, in * kernel, out] */
    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight.permute(2, 0, 1);
    }

    @Override
    public int channelAxis() {
        return channelsLast ? rank : 1;
    }

    private int places() {
        return rows.results() * columns.results();
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        Shape shape = Dimensions.require(graph, input, rank);
        VolumeWindows windows = new VolumeWindows(WindowSpan.single(), rows, columns);
        String at = input;
        for (IndexMap map : Moves.of(windows.pixels(shape.size(0))).maps()) {
            at = Moves.add(graph, "windows", at, map);
        }
        return new Convolution(
                name,
                at,
                filters(weights),
                Window.of(Window.Extent.ONE, Window.Extent.ONE),
                places(),
                output);
    }

    /* [out, place, in * kernel] to [place * out, in * kernel, 1, 1] */
    private WeightTensor filters(WeightTensor weights) {
        int channels = weights.channels();
        int length = weights.weightsPerChannel() / places();
        int[] codes = new int[channels * weights.weightsPerChannel()];
        float[] scales = new float[places() * channels];
        long[] bias = new long[scales.length];
        for (int filter = 0; filter < scales.length; filter++) {
            int channel = filter % channels;
            int from = (channel * places() + filter / channels) * length;
            for (int i = 0; i < length; i++) {
                codes[filter * length + i] = weights.code(from + i);
            }
            scales[filter] = weights.scale(channel);
            bias[filter] = weights.longBias(channel);
        }
        return WeightTensor.ofCodes(
                Shape.of(scales.length, length, 1, 1), weights.range(), codes, scales, bias);
    }

    @Override
    public List<IndexMap> rearranged(Shape input, int channels) {
        Shape result =
                rank == SEQUENCE_RANK
                        ? Shape.of(channels, columns.results())
                        : Shape.of(channels, rows.results(), columns.results());
        return List.of(
                IndexMap.permute(Shape.of(places(), channels), List.of(1, 0)).reshaped(result));
    }
}
