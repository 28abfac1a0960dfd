// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.model;

import java.io.IOException;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * The network of the examples: two convolutions with batch normalization, ReLU and max pooling,
 * then two dense layers; 431,220 parameters for digits of 28 x 28 pixels.
 *
 * @see <a href="https://doi.org/10.1109/5.726791">LeCun et al., Gradient-based learning applied to
 *     document recognition, 1998</a>
 */
public final class LeNet {

    private static final int KERNEL = 5;
    private static final int POOL = 2;
    private static final int FIRST_CHANNELS = 20;
    private static final int SECOND_CHANNELS = 50;
    private static final int HIDDEN = 500;

    /* (16 - 4) / 2 = 6 after the first pooling, (6 - 4) / 2 = 1 after the second. */
    private static final int SMALLEST_SIDE = 16;

    private static final double WEIGHT_DECAY = 1e-4;

    private LeNet() {}

    /**
     * Refuses images that vanish in the poolings.
     *
     * @throws IOException if one side is too short; the message says by what
     */
    public static void requireLargeEnough(Shape shape) throws IOException {
        if (Math.min(shape.size(1), shape.size(2)) < SMALLEST_SIDE) {
            throw new IOException(
                    "the images have %d x %d pixels; LeNet needs %d x %d at least"
                            .formatted(shape.size(1), shape.size(2), SMALLEST_SIDE, SMALLEST_SIDE));
        }
    }

    /**
     * {@return a network with random weights}
     *
     * @param images says how large its input is and how many classes there are
     * @param seed decides over the weights
     * @param learningRate Adam's, by iteration or epoch
     */
    public static MultiLayerNetwork create(
            LabelledImages images, long seed, ISchedule learningRate) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(configuration(images, seed, learningRate));
        network.init();
        return network;
    }

    /** {@return the same network as a graph} */
    public static ComputationGraph graph(LabelledImages images, long seed, ISchedule learningRate) {
        NeuralNetConfiguration.ListBuilder list = list(images, seed, learningRate);
        ComputationGraphConfiguration.GraphBuilder graph =
                defaults(seed, learningRate).graphBuilder().addInputs("image");
        String last = "image";
        for (NeuralNetConfiguration conf : list.build().getConfs()) {
            String name = conf.getLayer().getLayerName();
            graph.addLayer(name, conf.getLayer(), last);
            last = name;
        }
        ComputationGraph network =
                new ComputationGraph(
                        graph.setOutputs(last).setInputTypes(input(images.shape())).build());
        network.init();
        return network;
    }

    private static MultiLayerConfiguration configuration(
            LabelledImages images, long seed, ISchedule learningRate) {
        return list(images, seed, learningRate).build();
    }

    private static InputType input(Shape shape) {
        return InputType.convolutional(shape.size(1), shape.size(2), shape.size(0));
    }

    private static NeuralNetConfiguration.Builder defaults(long seed, ISchedule learningRate) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(new Adam(learningRate))
                .weightInit(WeightInit.XAVIER)
                .l2(WEIGHT_DECAY)
                .activation(Activation.IDENTITY);
    }

    private static NeuralNetConfiguration.ListBuilder list(
            LabelledImages images, long seed, ISchedule learningRate) {
        return defaults(seed, learningRate)
                .list()
                .layer(convolution("conv1", FIRST_CHANNELS))
                .layer(new BatchNormalization.Builder().name("norm1").build())
                .layer(relu("relu1"))
                .layer(maxPool("pool1"))
                .layer(convolution("conv2", SECOND_CHANNELS))
                .layer(new BatchNormalization.Builder().name("norm2").build())
                .layer(relu("relu2"))
                .layer(maxPool("pool2"))
                .layer(
                        new DenseLayer.Builder()
                                .name("dense1")
                                .nOut(HIDDEN)
                                .activation(Activation.RELU)
                                .build())
                .layer(
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .name("output")
                                .nOut(images.classes().size())
                                .activation(Activation.SOFTMAX)
                                .build())
                .setInputType(input(images.shape()));
    }

    private static ConvolutionLayer convolution(String name, int channels) {
        return new ConvolutionLayer.Builder(KERNEL, KERNEL).name(name).nOut(channels).build();
    }

    private static ActivationLayer relu(String name) {
        return new ActivationLayer.Builder().name(name).activation(Activation.RELU).build();
    }

    private static SubsamplingLayer maxPool(String name) {
        return new SubsamplingLayer.Builder()
                .name(name)
                .kernelSize(POOL, POOL)
                .stride(POOL, POOL)
                .build();
    }
}
