// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of transposed convolutions of volumes, {@link TransposedWindows}.
 *
 * @param layer DL4J's configuration
 */
public record TransposedVolumeForm(Deconvolution3D layer) implements WeightedArithmetic {

    private static final int RANK = 4;

    /**
     * Returns the support of a transposed convolution of volumes.
     *
     * @param layer its configuration
     * @return a form
     */
    public static IntegerSupport of(Deconvolution3D layer) {
        TransposedVolumeForm form = new TransposedVolumeForm(Require.given(layer, "layer"));
        return ChannelsLastForm.of(
                VolumeSpans.haveChannelsLast(layer.getDataFormat()), WeightedForm.of(form, layer));
    }

    @Override
    public Layer sums() {
        return ConvolutionForm.sums(layer);
    }

    /* DL4J's weight is [depth, height, width, out, in]. */
    @Override
    public INDArray outputFirst(INDArray weight) {
        return weight.permute(3, 4, 0, 1, 2);
    }

    @Override
    public int channelAxis() {
        return VolumeSpans.channelAxis(layer.getDataFormat());
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        return TransposedWindows.over(layer, Dimensions.require(graph, input, RANK))
                .convolution(graph, name, input, weights, output);
    }

    @Override
    public List<IndexMap> rearranged(Shape input, int channels) {
        return TransposedWindows.over(layer, input).rearranged(channels, RANK);
    }
}
