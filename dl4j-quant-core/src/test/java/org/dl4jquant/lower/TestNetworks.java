// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks of the usual architectures, and data that they can learn something from. */
public final class TestNetworks {

    public static final int SIDE = 12;
    public static final int CLASSES = 4;

    private TestNetworks() {}

    /** Images whose class is the quadrant that is brightest. */
    public static DataSet images(int count, int channels, long seed) {
        Nd4j.getRandom().setSeed(seed);
        INDArray features = Nd4j.randn(count, channels, SIDE, SIDE).muli(0.5);
        INDArray labels = Nd4j.zeros(count, CLASSES);
        int half = SIDE / 2;
        for (int i = 0; i < count; i++) {
            int label = i % CLASSES;
            labels.putScalar(i, label, 1);
            for (int y = 0; y < half; y++) {
                for (int x = 0; x < half; x++) {
                    int[] at = {i, 0, y + half * (label / 2), x + half * (label % 2)};
                    features.putScalar(at, features.getDouble(at) + 1);
                }
            }
        }
        return new DataSet(features, labels);
    }

    private static NeuralNetConfiguration.Builder common() {
        return new NeuralNetConfiguration.Builder()
                .seed(12)
                .updater(new Adam(2e-3))
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.IDENTITY);
    }

    private static ConvolutionLayer convolution(int channels, int kernel, int stride) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nOut(channels)
                .stride(stride, stride)
                .convolutionMode(ConvolutionMode.Same)
                .hasBias(false)
                .build();
    }

    private static ActivationLayer relu() {
        return new ActivationLayer(new ActivationReLU());
    }

    private static OutputLayer softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /** Convolution, batch normalization, ReLU and max pool twice, then dense. */
    public static MultiLayerNetwork leNet() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common().list()
                                .layer(convolution(6, 5, 1))
                                .layer(new BatchNormalization())
                                .layer(relu())
                                .layer(
                                        new SubsamplingLayer.Builder()
                                                .kernelSize(2, 2)
                                                .stride(2, 2)
                                                .build())
                                .layer(convolution(8, 3, 1))
                                .layer(new BatchNormalization())
                                .layer(relu())
                                .layer(
                                        new SubsamplingLayer.Builder()
                                                .kernelSize(2, 2)
                                                .stride(2, 2)
                                                .build())
                                .layer(
                                        new DenseLayer.Builder()
                                                .nOut(16)
                                                .activation(Activation.RELU)
                                                .build())
                                .layer(new DropoutLayer(0.8))
                                .layer(softmax())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                                .build());
        network.init();
        return network;
    }

    /** Biases, a truncating stride, padding, dilation, an average pool, and this activation. */
    public static MultiLayerNetwork plain(IActivation activation) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common().list()
                                .layer(
                                        new ConvolutionLayer.Builder(3, 4)
                                                .nOut(5)
                                                .stride(2, 1)
                                                .padding(1, 2)
                                                .convolutionMode(ConvolutionMode.Truncate)
                                                .activation(activation)
                                                .build())
                                .layer(
                                        new SubsamplingLayer.Builder(
                                                        SubsamplingLayer.PoolingType.AVG)
                                                .kernelSize(2, 2)
                                                .stride(1, 2)
                                                .convolutionMode(ConvolutionMode.Truncate)
                                                .build())
                                .layer(
                                        new ConvolutionLayer.Builder(3, 3)
                                                .nOut(6)
                                                .dilation(2, 2)
                                                .padding(2, 2)
                                                .convolutionMode(ConvolutionMode.Truncate)
                                                .activation(activation)
                                                .build())
                                .layer(
                                        new DenseLayer.Builder()
                                                .nOut(10)
                                                .activation(activation)
                                                .build())
                                .layer(softmax())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                                .build());
        network.init();
        return network;
    }

    /** A ResNet of two residual blocks, the second with a strided shortcut convolution. */
    public static ComputationGraph resNet() {
        GraphBuilder graph =
                common().graphBuilder()
                        .addInputs("image")
                        .setInputTypes(InputType.convolutional(SIDE, SIDE, 3));
        String stem = unit(graph, "stem", "image", convolution(8, 3, 1));
        String first = block(graph, "first", stem, 8, 1);
        String second = block(graph, "second", first, 12, 2);
        graph.addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), second)
                .addLayer("output", softmax(), "pool")
                .setOutputs("output");
        ComputationGraph network = new ComputationGraph(graph.build());
        network.init();
        return network;
    }

    private static String unit(
            GraphBuilder graph, String name, String input, ConvolutionLayer convolution) {
        graph.addLayer(name, convolution, input)
                .addLayer(name + "-norm", new BatchNormalization(), name)
                .addLayer(name + "-relu", relu(), name + "-norm");
        return name + "-relu";
    }

    private static String block(
            GraphBuilder graph, String name, String input, int channels, int stride) {
        String inner = unit(graph, name + "-a", input, convolution(channels, 3, stride));
        graph.addLayer(name + "-b", convolution(channels, 3, 1), inner)
                .addLayer(name + "-b-norm", new BatchNormalization(), name + "-b");
        String shortcut = input;
        if (stride > 1) {
            graph.addLayer(name + "-short", convolution(channels, 1, stride), input)
                    .addLayer(name + "-short-norm", new BatchNormalization(), name + "-short");
            shortcut = name + "-short-norm";
        }
        graph.addVertex(
                        name + "-add",
                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                        name + "-b-norm",
                        shortcut)
                .addLayer(name + "-relu", relu(), name + "-add");
        return name + "-relu";
    }

    /** Depthwise and pointwise convolutions with ReLU6, a linear residual, a concatenation. */
    public static ComputationGraph mobileNet() {
        GraphBuilder graph =
                common().graphBuilder()
                        .addInputs("image")
                        .setInputTypes(InputType.convolutional(SIDE, SIDE, 3));
        graph.addLayer("stem", convolution(8, 3, 2), "image")
                .addLayer("stem-norm", new BatchNormalization(), "stem")
                .addLayer("stem-relu", new ActivationLayer(new ActivationReLU6()), "stem-norm")
                .addLayer(
                        "depthwise",
                        new DepthwiseConvolution2D.Builder(3, 3)
                                .depthMultiplier(2)
                                .convolutionMode(ConvolutionMode.Same)
                                .build(),
                        "stem-relu")
                .addLayer("depthwise-norm", new BatchNormalization(), "depthwise")
                .addLayer(
                        "depthwise-relu",
                        new ActivationLayer(new ActivationReLU6()),
                        "depthwise-norm")
                .addLayer("project", convolution(8, 1, 1), "depthwise-relu")
                .addLayer("project-norm", new BatchNormalization(), "project")
                .addVertex(
                        "add",
                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                        "project-norm",
                        "stem-relu")
                .addVertex("join", new MergeVertex(), "add", "depthwise-relu", "project-norm")
                .addLayer("mix", convolution(10, 1, 1), "join")
                .addLayer("mix-relu", relu(), "mix")
                .addLayer("top", new GlobalPoolingLayer(PoolingType.MAX), "mix-relu")
                .addLayer("output", softmax(), "top")
                .setOutputs("output");
        ComputationGraph network = new ComputationGraph(graph.build());
        network.init();
        return network;
    }

    /** A residual block and a concatenation right on the image, which a convolution reads too. */
    public static ComputationGraph residualOnInput() {
        GraphBuilder graph =
                common().graphBuilder()
                        .addInputs("image")
                        .setInputTypes(InputType.convolutional(SIDE, SIDE, 3));
        graph.addLayer("inner", convolution(3, 3, 1), "image")
                .addLayer("inner-norm", new BatchNormalization(), "inner")
                .addVertex(
                        "add",
                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                        "inner-norm",
                        "image")
                .addLayer("add-relu", relu(), "add")
                .addVertex("join", new MergeVertex(), "image", "add-relu")
                .addLayer("mix", convolution(8, 3, 2), "join")
                .addLayer("mix-relu", relu(), "mix")
                .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "mix-relu")
                .addLayer("output", softmax(), "pool")
                .setOutputs("output");
        ComputationGraph network = new ComputationGraph(graph.build());
        network.init();
        return network;
    }

    /** A clamp, then an average pool, before any layer with weights. */
    public static MultiLayerNetwork clampThenPool() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common().list()
                                .layer(new ActivationLayer(new ActivationReLU6()))
                                .layer(
                                        new SubsamplingLayer.Builder(
                                                        SubsamplingLayer.PoolingType.AVG)
                                                .kernelSize(3, 3)
                                                .stride(2, 2)
                                                .convolutionMode(ConvolutionMode.Same)
                                                .build())
                                .layer(convolution(6, 3, 1))
                                .layer(relu())
                                .layer(new GlobalPoolingLayer(PoolingType.AVG))
                                .layer(softmax())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                                .build());
        network.init();
        return network;
    }

    /** An average pool first of all, where nothing has rounded the image yet. */
    public static MultiLayerNetwork poolFirst() {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        common().list()
                                .layer(
                                        new SubsamplingLayer.Builder(
                                                        SubsamplingLayer.PoolingType.AVG)
                                                .kernelSize(3, 2)
                                                .stride(2, 1)
                                                .padding(1, 0)
                                                .convolutionMode(ConvolutionMode.Truncate)
                                                .build())
                                .layer(convolution(6, 3, 1))
                                .layer(relu())
                                .layer(softmax())
                                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                                .build());
        network.init();
        return network;
    }
}
