// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

/** The layers that lower, for messages. */
public final class SupportedLayers {

    /** The last part of a remedy. */
    public static final String LIST =
            "layers that lower are ConvolutionLayer, DepthwiseConvolution2D, DenseLayer,"
                    + " OutputLayer, SubsamplingLayer (max, average), GlobalPoolingLayer (max,"
                    + " average), ActivationLayer, DropoutLayer, layers that only move elements, such"
                    + " as ZeroPaddingLayer, and losses";

    private SupportedLayers() {}
}
