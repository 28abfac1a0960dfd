// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.model;

import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * A network of depthwise separable convolutions for small images: a convolution with stride 2, four
 * times a convolution of each channel by itself and one of single pixels, an average pool, and a
 * dense layer; ten layers with weights.
 *
 * <p>Such networks lose accuracy with few bits: the convolutions of single channels sum up nine
 * products only, so that nothing averages out what rounding does. They have few weights, too, so
 * more bits cost little there.
 *
 * @see <a href="https://arxiv.org/abs/1704.04861">Howard et al., MobileNets, 2017</a>
 */
public final class MobileNet {

    /**
     * Adam's first learning rate in float. With eight channels ten times the usual rate trains
     * digits to 96 % in six epochs, the usual one to 71 %.
     */
    public static final double LEARNING_RATE = 1e-2;

    private static final int KERNEL = 3;
    private static final double WEIGHT_DECAY = 1e-4;

    private MobileNet() {}

    /**
     * {@return a network with random weights}
     *
     * @param images says how large its input is and how many classes there are
     * @param channels of the first convolution, above 0; the last has eight times as many
     * @param seed decides over the weights
     * @param learningRate Adam's, by iteration or epoch
     */
    public static ComputationGraph create(
            LabelledImages images, int channels, long seed, ISchedule learningRate) {
        Shape shape = images.shape();
        InputType input = InputType.convolutional(shape.size(1), shape.size(2), shape.size(0));
        ImageNetworkBuilder network =
                new ImageNetworkBuilder(input, seed, new Adam(learningRate), WEIGHT_DECAY);
        network.convolution("stem", channels, KERNEL, 2).activation("stem-relu", Activation.RELU);
        separable(network, "1", 2 * channels, 1);
        separable(network, "2", 4 * channels, 2);
        separable(network, "3", 4 * channels, 1);
        separable(network, "4", 8 * channels, 2);
        return network.mean("pool").classes(images.classes().size());
    }

    private static void separable(
            ImageNetworkBuilder network, String name, int channels, int stride) {
        network.depthwise("depthwise" + name, stride)
                .activation("depthwise" + name + "-relu", Activation.RELU)
                .convolution("pointwise" + name, channels, 1, 1)
                .activation("pointwise" + name + "-relu", Activation.RELU);
    }
}
