// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
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
final class LeNet {

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
     * Refuses pictures that vanish in the poolings.
     *
     * @throws IOException if one side is too short; the message says by what
     */
    static void requireLargeEnough(Shape shape) throws IOException {
        if (Math.min(shape.size(1), shape.size(2)) < SMALLEST_SIDE) {
            throw new IOException(
                    "the pictures have %d x %d pixels; LeNet needs %d x %d at least"
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
    static MultiLayerNetwork create(LabelledImages images, long seed, ISchedule learningRate) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(configuration(images, seed, learningRate));
        network.init();
        return network;
    }

    private static MultiLayerConfiguration configuration(
            LabelledImages images, long seed, ISchedule learningRate) {
        Shape shape = images.shape();
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(new Adam(learningRate))
                .weightInit(WeightInit.XAVIER)
                .l2(WEIGHT_DECAY)
                .activation(Activation.IDENTITY)
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
                .setInputType(InputType.convolutional(shape.size(1), shape.size(2), shape.size(0)))
                .build();
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
