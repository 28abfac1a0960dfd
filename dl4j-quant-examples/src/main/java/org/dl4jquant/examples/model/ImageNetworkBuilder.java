// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.model;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Builds a network layer by layer, each after the last one. */
public final class ImageNetworkBuilder {

    private final GraphBuilder graph;
    private String last = "input";

    /**
     * Begins a network that learns.
     *
     * @param input the type of its input
     * @param seed decides over the weights
     * @param updater how it learns
     * @param weightDecay the factor of the weights' squares in the loss
     */
    public ImageNetworkBuilder(InputType input, long seed, IUpdater updater, double weightDecay) {
        graph =
                new NeuralNetConfiguration.Builder()
                        .seed(seed)
                        .updater(updater)
                        .l2(weightDecay)
                        .weightInit(WeightInit.RELU)
                        .activation(Activation.IDENTITY)
                        .graphBuilder()
                        .addInputs(last)
                        .setInputTypes(input);
    }

    /**
     * Begins a network that learns nothing.
     *
     * @param input the type of its input
     * @param seed decides over the weights
     */
    public ImageNetworkBuilder(InputType input, long seed) {
        this(input, seed, new Sgd(0), 0);
    }

    /** {@return the layer or vertex that was added last} */
    public String last() {
        return last;
    }

    /** Continues after another layer or vertex. */
    public ImageNetworkBuilder from(String layer) {
        last = layer;
        return this;
    }

    /** Adds a convolution with batch normalization; odd kernels keep the side but for strides. */
    public ImageNetworkBuilder convolution(String name, int channels, int kernel, int stride) {
        ConvolutionLayer layer =
                new ConvolutionLayer.Builder(kernel, kernel)
                        .nOut(channels)
                        .stride(stride, stride)
                        .padding(kernel / 2, kernel / 2)
                        .convolutionMode(ConvolutionMode.Truncate)
                        .hasBias(false)
                        .build();
        return add(name, layer).normalized(name);
    }

    /** Adds a convolution of 3 x 3 for each channel, with batch normalization. */
    public ImageNetworkBuilder depthwise(String name, int stride) {
        DepthwiseConvolution2D layer =
                new DepthwiseConvolution2D.Builder(3, 3)
                        .depthMultiplier(1)
                        .stride(stride, stride)
                        .padding(1, 1)
                        .convolutionMode(ConvolutionMode.Truncate)
                        .hasBias(false)
                        .build();
        return add(name, layer).normalized(name);
    }

    private ImageNetworkBuilder normalized(String name) {
        return add(name + "-norm", new BatchNormalization());
    }

    /** Adds an activation. */
    public ImageNetworkBuilder activation(String name, Activation activation) {
        return add(name, new ActivationLayer.Builder().activation(activation).build());
    }

    /** Adds the sum of the last and another. */
    public ImageNetworkBuilder plus(String name, String other) {
        graph.addVertex(name, new ElementWiseVertex(ElementWiseVertex.Op.Add), last, other);
        last = name;
        return this;
    }

    /** Adds a max pool of 3 x 3 that halves the sides. */
    public ImageNetworkBuilder maxPool(String name) {
        return add(
                name,
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .kernelSize(3, 3)
                        .stride(2, 2)
                        .padding(1, 1)
                        .convolutionMode(ConvolutionMode.Truncate)
                        .build());
    }

    /** Adds the mean of each channel. */
    public ImageNetworkBuilder mean(String name) {
        return add(name, new GlobalPoolingLayer(PoolingType.AVG));
    }

    /** Adds a dense layer with ReLU. */
    public ImageNetworkBuilder dense(String name, int units) {
        return add(name, new DenseLayer.Builder().nOut(units).activation(Activation.RELU).build());
    }

    private ImageNetworkBuilder add(String name, Layer layer) {
        graph.addLayer(name, layer, last);
        last = name;
        return this;
    }

    /**
     * Adds the last layer, a softmax.
     *
     * @param classes how many
     * @return the network with random weights
     */
    public ComputationGraph classes(int classes) {
        add(
                "output",
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(classes)
                        .weightInit(WeightInit.XAVIER)
                        .activation(Activation.SOFTMAX)
                        .build());
        ComputationGraph network = new ComputationGraph(graph.setOutputs(last).build());
        network.init();
        return network;
    }
}
