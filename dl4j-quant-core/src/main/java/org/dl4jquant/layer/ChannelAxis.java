// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;

/** Where DL4J's layers have the channels of their results. */
final class ChannelAxis {

    private ChannelAxis() {}

    /**
     * {@return the dimension of a layer's result that its output channels lie along}
     *
     * @param layer the layer's configuration
     */
    static int of(Layer layer) {
        if (layer instanceof Convolution1DLayer convolution) {
            return convolution.getRnnDataFormat() == RNNFormat.NWC ? 2 : 1;
        }
        if (layer instanceof Convolution3D convolution) {
            return convolution.getDataFormat() == Convolution3D.DataFormat.NDHWC ? 4 : 1;
        }
        return layer instanceof ConvolutionLayer convolution
                        && convolution.getCnn2dDataFormat() == CNN2DFormat.NHWC
                ? 3
                : 1;
    }
}
