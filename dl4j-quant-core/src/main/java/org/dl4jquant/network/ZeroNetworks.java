// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Initializes networks with parameters of 0, for those whose parameters are copied afterwards.
 * DL4J's {@code init()} sets the seed of ND4J's random numbers and draws from them, so that what a
 * program draws next would depend on it.
 */
final class ZeroNetworks {

    private ZeroNetworks() {}

    static void init(MultiLayerNetwork network) {
        long length = 0;
        for (NeuralNetConfiguration conf : network.getLayerWiseConfigurations().getConfs()) {
            length += conf.getLayer().initializer().numParams(conf);
        }
        if (length == 0) {
            network.init();
        } else {
            network.init(zeros(network.getLayerWiseConfigurations().getDataType(), length), false);
        }
    }

    static void init(ComputationGraph network) {
        long length = 0;
        for (GraphVertex vertex : network.getConfiguration().getVertices().values()) {
            length += vertex.numParams(true);
        }
        if (length == 0) {
            network.init();
        } else {
            network.init(zeros(network.getConfiguration().getDataType(), length), false);
        }
    }

    private static INDArray zeros(DataType type, long length) {
        return Nd4j.zeros(type, 1, length);
    }
}
