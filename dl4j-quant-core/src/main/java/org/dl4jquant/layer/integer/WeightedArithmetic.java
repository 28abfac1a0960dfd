// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The sums of products of one kind of layer: as DL4J's own layer, and as a node. */
interface WeightedArithmetic {

    /** {@return the configuration of a DL4J layer that computes the sums, with a bias, alone} */
    Layer sums();

    /**
     * {@return a view of the weight with the output channels first, in the order in which {@link
     * #node} takes it}
     *
     * @param weight the weight as DL4J has it
     */
    INDArray outputFirst(INDArray weight);

    /** {@return the name of the weight's parameter} */
    default String weightKey() {
        return DefaultParamInitializer.WEIGHT_KEY;
    }

    /**
     * {@return the axis of the input that a row of inputs lies along, if the layer is a product of
     * such rows with its weights alone; below 0 if it is not}
     */
    default int rowAxis() {
        return -1;
    }

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
     * {@return the maps, one after the other, from the result of the node to that of the layer;
     * none if they are the same}
     *
     * @param input the shape of one example of the layer's input
     * @param channels the number of output channels
     */
    default List<IndexMap> rearranged(Shape input, int channels) {
        return List.of();
    }

    /** {@return whether the last function goes along the channels of each step of a sequence} */
    default boolean isSequence() {
        return false;
    }

    /** {@return the use that the layer makes of the mask of its input} */
    default MaskUse maskUse() {
        return MaskUse.REFUSED;
    }

    /**
     * {@return the node of the sums, after those that move its input}
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
