// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The form of convolutions of images, full and depthwise.
 *
 * @param layer DL4J's configuration
 */
public record ConvolutionForm(ConvolutionLayer layer) implements WeightedArithmetic {

    /**
     * Returns the support of a convolution.
     *
     * @param layer its configuration: a {@link ConvolutionLayer}, its alias {@code Convolution2D}
     *     or a {@link DepthwiseConvolution2D}
     * @return a form
     */
    public static IntegerSupport of(ConvolutionLayer layer) {
        ConvolutionForm form = new ConvolutionForm(Require.given(layer, "layer"));
        return ChannelsLastForm.of(layer.getCnn2dDataFormat(), WeightedForm.of(form, layer));
    }

    @Override
    public Layer sums() {
        return sums(layer);
    }

    /**
     * {@return the sums of a convolution of any kind: without an activation function, and without
     * what happens in training only}
     *
     * @param layer its configuration
     */
    static Layer sums(ConvolutionLayer layer) {
        ConvolutionLayer sums = layer.clone();
        sums.setActivationFn(new ActivationIdentity());
        sums.setIDropout(null);
        sums.setWeightNoise(null);
        sums.setConstraints(null);
        sums.setHasBias(true);
        return sums;
    }

    /* A depthwise weight is [height, width, in, multiplier]. */
    @Override
    public INDArray outputFirst(INDArray weight) {
        if (layer instanceof DepthwiseConvolution2D) {
            long out = weight.size(2) * weight.size(3);
            return weight.reshape('c', weight.size(0), weight.size(1), out, 1).permute(2, 3, 0, 1);
        }
        return weight;
    }

    @Override
    public int channelAxis() {
        return layer.getCnn2dDataFormat() == CNN2DFormat.NHWC ? 3 : 1;
    }

    @Override
    public Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output) {
        Shape image = graph.type(input).shape();
        int groups = image.size(0) / weights.shape().size(1);
        return new Convolution(
                name, input, weights, ImageWindow.of(layer).over(image), groups, output);
    }
}
