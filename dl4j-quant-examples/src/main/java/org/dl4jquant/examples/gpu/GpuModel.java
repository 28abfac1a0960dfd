// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.model.ImageNetworkBuilder;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.numeric.Shape;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.schedule.FixedSchedule;

/** The networks whose speed on a GPU is measured; their weights are random. */
enum GpuModel {
    /**
     * He et al., Deep residual learning for image recognition, 2015, with bottlenecks, whose stride
     * is in the convolution of 3 x 3 ("v1.5").
     *
     * @see <a href="https://arxiv.org/abs/1512.03385">the paper</a>
     */
    RESNET50 {
        @Override
        ComputationGraph create(int size, int divisor) {
            ImageNetworkBuilder net = stem(size, divisor);
            int[] blocks = {3, 4, 6, 3};
            for (int stage = 0; stage < blocks.length; stage++) {
                for (int block = 0; block < blocks[stage]; block++) {
                    int stride = block == 0 && stage > 0 ? 2 : 1;
                    String name = "s" + (stage + 1) + (char) ('a' + block);
                    bottleneck(net, name, (64 << stage) / divisor, stride, block == 0);
                }
            }
            return net.mean("mean").classes(CLASSES);
        }
    },
    /** The smallest of the same paper, with two convolutions of 3 x 3 in a block. */
    RESNET18 {
        @Override
        ComputationGraph create(int size, int divisor) {
            ImageNetworkBuilder net = stem(size, divisor);
            for (int stage = 0; stage < 4; stage++) {
                for (int block = 0; block < 2; block++) {
                    int stride = block == 0 && stage > 0 ? 2 : 1;
                    String name = "s" + (stage + 1) + (char) ('a' + block);
                    basic(net, name, (64 << stage) / divisor, stride);
                }
            }
            return net.mean("mean").classes(CLASSES);
        }
    },
    /**
     * Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, 2018, table 2.
     *
     * @see <a href="https://arxiv.org/abs/1801.04381">the paper</a>
     */
    MOBILENETV2 {
        @Override
        ComputationGraph create(int size, int divisor) {
            ImageNetworkBuilder net = new ImageNetworkBuilder(images(3, size), SEED);
            net.convolution("stem", 32 / divisor, 3, 2).activation("stem-relu", Activation.RELU6);
            int channels = inverted(net, "s0a", 32 / divisor, 1, 16 / divisor, 1);
            int[] stages = {24, 32, 64, 96, 160, 320};
            int[] blocks = {2, 3, 4, 3, 3, 1};
            int[] strides = {2, 2, 2, 1, 2, 1};
            for (int stage = 0; stage < stages.length; stage++) {
                for (int block = 0; block < blocks[stage]; block++) {
                    String name = "s" + (stage + 1) + (char) ('a' + block);
                    int stride = block == 0 ? strides[stage] : 1;
                    channels = inverted(net, name, channels, 6, stages[stage] / divisor, stride);
                }
            }
            net.convolution("head", 1280 / divisor, 1, 1).activation("head-relu", Activation.RELU6);
            return net.mean("mean").classes(CLASSES);
        }
    },
    /** The network of the examples for digits of 28 x 28, whatever the size that is asked for. */
    LENET {
        @Override
        ComputationGraph create(int size, int divisor) {
            Shape shape = input(size, divisor);
            List<String> classes = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
            LabelledImages images =
                    LabelledImages.of(shape, new byte[shape.elements()], new byte[1], classes);
            return LeNet.graph(images, SEED, new FixedSchedule(0));
        }

        @Override
        Shape input(int size, int divisor) {
            return Shape.of(1, 28, 28);
        }
    },
    /** Eight dense layers of 4096. */
    DENSE8X4096 {
        @Override
        ComputationGraph create(int size, int divisor) {
            ImageNetworkBuilder net = vectors(4096 / divisor);
            for (int layer = 1; layer <= 8; layer++) {
                net.dense("dense" + layer, 4096 / divisor);
            }
            return net.classes(10);
        }

        @Override
        Shape input(int size, int divisor) {
            return Shape.of(4096 / divisor);
        }

        @Override
        List<Integer> batches() {
            return List.of(1, 8, 32, 256, 2048);
        }
    },
    /** One dense layer of 8192: with a batch of 8192, a product of square matrices. */
    GEMM8192 {
        @Override
        ComputationGraph create(int size, int divisor) {
            return vectors(8192 / divisor).dense("dense", 8192 / divisor).classes(10);
        }

        @Override
        Shape input(int size, int divisor) {
            return Shape.of(8192 / divisor);
        }

        @Override
        List<Integer> batches() {
            return List.of(8192);
        }
    };

    private static final int CLASSES = 1000;
    private static final long SEED = 1;

    /**
     * {@return the network, batch normalizations not fitted yet}
     *
     * @param size height and width of images
     * @param divisor of channels and units: 1 for the network, a power of two for a quick try
     */
    abstract ComputationGraph create(int size, int divisor);

    /**
     * {@return the shape of the network's input}
     *
     * @param size as for {@link #create}
     * @param divisor as for {@link #create}
     */
    Shape input(int size, int divisor) {
        return Shape.of(3, size, size);
    }

    /** {@return the batches that are timed} */
    List<Integer> batches() {
        return Trial.BATCHES;
    }

    /** {@return the batch that the engine is mostly run with} */
    int mostly() {
        return Math.max(256, batches().get(0));
    }

    /** {@return the name of its files} */
    String file() {
        return name().toLowerCase(Locale.ROOT);
    }

    private static InputType images(int channels, int size) {
        return InputType.convolutional(size, size, channels);
    }

    private static ImageNetworkBuilder vectors(int length) {
        return new ImageNetworkBuilder(InputType.feedForward(length), SEED);
    }

    private static ImageNetworkBuilder stem(int size, int divisor) {
        return new ImageNetworkBuilder(images(3, size), SEED)
                .convolution("stem", 64 / divisor, 7, 2)
                .activation("stem-relu", Activation.RELU)
                .maxPool("pool");
    }

    private static void bottleneck(
            ImageNetworkBuilder net, String name, int width, int stride, boolean project) {
        String before = net.last();
        String shortcut =
                project ? net.convolution(name + "-short", 4 * width, 1, stride).last() : before;
        net.from(before)
                .convolution(name + "1", width, 1, 1)
                .activation(name + "1-relu", Activation.RELU)
                .convolution(name + "2", width, 3, stride)
                .activation(name + "2-relu", Activation.RELU)
                .convolution(name + "3", 4 * width, 1, 1)
                .plus(name + "-add", shortcut)
                .activation(name + "-relu", Activation.RELU);
    }

    private static void basic(ImageNetworkBuilder net, String name, int channels, int stride) {
        String before = net.last();
        String shortcut =
                stride > 1 ? net.convolution(name + "-short", channels, 1, stride).last() : before;
        net.from(before)
                .convolution(name + "1", channels, 3, stride)
                .activation(name + "1-relu", Activation.RELU)
                .convolution(name + "2", channels, 3, 1)
                .plus(name + "-add", shortcut)
                .activation(name + "-relu", Activation.RELU);
    }

    private static int inverted(
            ImageNetworkBuilder net, String name, int in, int expansion, int out, int stride) {
        String before = net.last();
        if (expansion > 1) {
            net.convolution(name + "1", in * expansion, 1, 1)
                    .activation(name + "1-relu", Activation.RELU6);
        }
        net.depthwise(name + "2", stride).activation(name + "2-relu", Activation.RELU6);
        net.convolution(name + "3", out, 1, 1);
        if (stride == 1 && in == out) {
            net.plus(name + "-add", before);
        }
        return out;
    }
}
