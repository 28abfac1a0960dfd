// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of convolutions of sequences: those of images of one row.
 *
 * @param layer DL4J's configuration
 */
public record SequenceConvolutionForm(Convolution1DLayer layer) implements WeightedArithmetic {

    private static final int RANK = 2;

    /**
     * Returns the support of a convolution of sequences.
     *
     * @param layer its configuration: a {@link Convolution1DLayer} or its alias {@code
     *     Convolution1D}
     * @return a form
     */
    public static IntegerSupport of(Convolution1DLayer layer) {
        SequenceConvolutionForm form = new SequenceConvolutionForm(Require.given(layer, "layer"));
        return ChannelsLastForm.of(layer.getRnnDataFormat(), WeightedForm.of(form, layer));
    }

    @Override
    public Layer sums() {
        return ConvolutionForm.sums(layer);
    }

    /* DL4J declares [out, in, kernel, 1], but reads the memory as [kernel, in, out]. */
    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight.reshape('c', weight.size(2), weight.size(1), weight.size(0)).permute(2, 1, 0);
    }

    @Override
    public int channelAxis() {
        return layer.getRnnDataFormat() == RNNFormat.NWC ? 2 : 1;
    }

    private VolumeWindows windows(Shape sequence) {
        WindowSpan steps =
                WindowSpan.of(
                        layer.getConvolutionMode(),
                        sequence.size(1),
                        layer.getKernelSize()[0],
                        layer.getStride()[0],
                        layer.getDilation()[0],
                        layer.getPadding()[0]);
        return new VolumeWindows(WindowSpan.single(), WindowSpan.single(), steps);
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        return windows(Dimensions.require(graph, input, RANK))
                .convolution(graph, name, input, weights, 1, output);
    }

    @Override
    public List<IndexMap> rearranged(Shape input, int channels) {
        return windows(input).unfold(channels, RANK);
    }
}
