// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The sums of products of one kind of layer: as DL4J's own layer, and as a node. */
interface WeightedArithmetic {

    /** {@return the configuration of a DL4J layer that computes the sums, with a bias, alone} */
    BaseLayer sums();

    /**
     * {@return a view of the weight as nodes have it: [out, in / groups, height, width] or [out,
     * in]}
     *
     * @param weight the weight as DL4J has it
     */
    INDArray outputFirst(INDArray weight);

    /** {@return the axis of the sums that numbers the output channels} */
    int channelAxis();

    /**
     * {@return the function that the layer applies itself because it ends a network; null if its
     * result goes on}
     */
    default @Nullable IActivation lastFunction() {
        return null;
    }

    /**
     * {@return the node of the sums}
     *
     * @param graph the graph, for the type of the input
     * @param name the node's name
     * @param input the node of the input's codes
     * @param weights the weights
     * @param output the form of the result
     * @throws IntegerRefusal if an option of the layer has no integer form
     */
    Weighted node(
            NodeEmitter graph, String name, String input, WeightTensor weights, Output output);
}
