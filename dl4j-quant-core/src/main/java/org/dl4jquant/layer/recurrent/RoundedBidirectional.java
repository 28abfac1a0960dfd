// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's two recurrences in opposite directions, each of which can be reached. */
final class RoundedBidirectional extends BidirectionalLayer {

    private final Layer forwards;
    private final Layer backwards;

    RoundedBidirectional(
            NeuralNetConfiguration conf, Layer forwards, Layer backwards, INDArray view) {
        super(conf, forwards, backwards, view);
        this.forwards = forwards;
        this.backwards = backwards;
    }

    Layer forwards() {
        return forwards;
    }

    Layer backwards() {
        return backwards;
    }
}
