// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of convolutions of volumes, {@link VolumeWindows}.
 *
 * @param layer DL4J's configuration
 */
public record VolumeConvolutionForm(Convolution3D layer) implements WeightedArithmetic {

    private static final int RANK = 4;

    /**
     * Returns the support of a convolution of volumes.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(Convolution3D layer) {
        VolumeConvolutionForm form = new VolumeConvolutionForm(Require.given(layer, "layer"));
        return ChannelsLastForm.of(
                VolumeSpans.haveChannelsLast(layer.getDataFormat()), WeightedForm.of(form, layer));
    }

    @Override
    public Layer sums() {
        return ConvolutionForm.sums(layer);
    }

    /* DL4J's weight is [out, in, depth, height, width]. */
    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight;
    }

    @Override
    public int channelAxis() {
        return VolumeSpans.channelAxis(layer.getDataFormat());
    }

    private VolumeWindows windows(Shape volume) {
        return VolumeSpans.over(layer, volume);
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
