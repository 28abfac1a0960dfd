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
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * A residual network for small images: a convolution, three residual blocks of two convolutions,
 * each block but the first with half the side and twice the channels, an average pool, and a dense
 * layer. With the two convolutions of the shortcuts it has ten layers with weights.
 *
 * @see <a href="https://arxiv.org/abs/1512.03385">He et al., Deep residual learning for image
 *     recognition, 2015, section 4.2</a>
 */
public final class ResNet {

    private static final double WEIGHT_DECAY = 1e-4;

    private ResNet() {}

    /**
     * {@return a network with random weights}
     *
     * @param images says how large its input is and how many classes there are
     * @param channels of the first block, above 0; the paper has 16
     * @param stemStride stride of the first convolution, above 0; the paper has 1
     * @param seed decides over the weights
     * @param learningRate Adam's, by iteration or epoch
     */
    public static ComputationGraph create(
            LabelledImages images,
            int channels,
            int stemStride,
            long seed,
            ISchedule learningRate) {
        Shape shape = images.shape();
        GraphBuilder graph =
                new NeuralNetConfiguration.Builder()
                        .seed(seed)
                        .updater(new Adam(learningRate))
                        .weightInit(WeightInit.RELU)
                        .l2(WEIGHT_DECAY)
                        .activation(Activation.IDENTITY)
                        .graphBuilder()
                        .addInputs("image")
                        .setInputTypes(
                                InputType.convolutional(
                                        shape.size(1), shape.size(2), shape.size(0)));
        String last = unit(graph, "stem", "image", convolution(channels, 3, stemStride));
        last = block(graph, "block1", last, channels, 1);
        last = block(graph, "block2", last, 2 * channels, 2);
        last = block(graph, "block3", last, 4 * channels, 2);
        graph.addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), last)
                .addLayer("output", output(images.classes().size()), "pool")
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

    private static ConvolutionLayer convolution(int channels, int kernel, int stride) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nOut(channels)
                .stride(stride, stride)
                .convolutionMode(ConvolutionMode.Same)
                .hasBias(false)
                .build();
    }

    private static ActivationLayer relu() {
        return new ActivationLayer.Builder().activation(Activation.RELU).build();
    }

    private static OutputLayer output(int classes) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(classes)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.SOFTMAX)
                .build();
    }
}
