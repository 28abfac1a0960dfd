// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.util.Locale;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.examples.model.ImageNetworkBuilder;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The networks of {@link NetworkLatencyBenchmark}, with random weights. */
@SuppressWarnings("ImmutableEnumChecker") // nobody changes the shapes
enum SpeedNetwork {
    /** Bottlenecks of 3, 4, 6 and 3, as in ResNet-50. */
    RESNET50_64(() -> resNet50(64), 3, 64, 64),
    /** The same on larger images. */
    RESNET50_224(() -> resNet50(224), 3, 224, 224),
    /** Depthwise separable convolutions on 96 x 96 pixels. */
    MOBILENET(SpeedNetwork::mobileNet, 3, 96, 96),
    /** Three levels down and up on 64 x 64 pixels. */
    UNET(SpeedNetwork::uNet, 3, 64, 64),
    /** Six convolutions over 256 steps of 16 features. */
    CONVOLUTION_1D(SpeedNetwork::convolution1D, 16, 256),
    /** 128 units over 64 steps of 64 features. */
    LSTM_128(SpeedNetwork::lstm, 64, 64),
    /** Self-attention of 4 heads, two dense layers on each of 64 steps of 64 features. */
    ATTENTION(SpeedNetwork::attention, 64, 64);

    private static final int CLASSES = 10;
    private static final long SEED = 1;

    private final Supplier<ComputationGraph> network;
    private final long[] shape;

    SpeedNetwork(Supplier<ComputationGraph> network, long... shape) {
        this.network = network;
        this.shape = shape;
    }

    /** {@return a new network} */
    ComputationGraph create() {
        return network.get();
    }

    /**
     * {@return the shape of a batch of its input}
     *
     * @param examples how many
     */
    long[] shape(int examples) {
        long[] batch = new long[shape.length + 1];
        batch[0] = examples;
        System.arraycopy(shape, 0, batch, 1, shape.length);
        return batch;
    }

    /** {@return the name as an option} */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static ComputationGraph resNet50(int side) {
        ImageNetworkBuilder net =
                new ImageNetworkBuilder(InputType.convolutional(side, side, 3), SEED);
        net.convolution("stem", 64, 7, 2).activation("stem-relu", Activation.RELU).maxPool("pool");
        int[] blocks = {3, 4, 6, 3};
        for (int stage = 0; stage < blocks.length; stage++) {
            for (int block = 0; block < blocks[stage]; block++) {
                bottleneck(net, stage + "-" + block, 64 << stage, block, stage);
            }
        }
        return net.mean("mean").classes(CLASSES);
    }

    private static void bottleneck(
            ImageNetworkBuilder net, String name, int channels, int block, int stage) {
        int stride = block == 0 && stage > 0 ? 2 : 1;
        String from = net.last();
        String shortcut = from;
        if (block == 0) {
            shortcut = net.convolution(name + "-cut", 4 * channels, 1, stride).last();
        }
        net.from(from)
                .convolution(name + "-a", channels, 1, 1)
                .activation(name + "-a-relu", Activation.RELU)
                .convolution(name + "-b", channels, 3, stride)
                .activation(name + "-b-relu", Activation.RELU)
                .convolution(name + "-c", 4 * channels, 1, 1)
                .plus(name + "-sum", shortcut)
                .activation(name + "-relu", Activation.RELU);
    }

    private static ComputationGraph mobileNet() {
        ImageNetworkBuilder net = new ImageNetworkBuilder(InputType.convolutional(96, 96, 3), SEED);
        net.convolution("stem", 32, 3, 2).activation("stem-relu", Activation.RELU);
        int[] channels = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 1024};
        for (int i = 0; i < channels.length; i++) {
            boolean halves = i > 0 && channels[i] > channels[i - 1];
            net.depthwise("depth" + i, halves ? 2 : 1)
                    .activation("depth" + i + "-relu", Activation.RELU)
                    .convolution("point" + i, channels[i], 1, 1)
                    .activation("point" + i + "-relu", Activation.RELU);
        }
        return net.mean("mean").classes(CLASSES);
    }

    private static GraphBuilder graph(InputType input) {
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Sgd(0))
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .graphBuilder()
                .addInputs("input")
                .setInputTypes(input);
    }

    private static ComputationGraph created(GraphBuilder graph) {
        ComputationGraph network = new ComputationGraph(graph.setOutputs("output").build());
        network.init();
        return network;
    }

    private static ConvolutionLayer same(int kernel, int channels) {
        return new ConvolutionLayer.Builder(kernel, kernel)
                .nOut(channels)
                .convolutionMode(ConvolutionMode.Same)
                .build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static ComputationGraph uNet() {
        GraphBuilder graph = graph(InputType.convolutional(64, 64, 3));
        graph.addLayer("down0", same(3, 32), "input");
        graph.addLayer("down0b", same(3, 32), "down0");
        for (int level = 1; level <= 2; level++) {
            String above = "down" + (level - 1) + "b";
            graph.addLayer(
                    "pool" + level,
                    new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build(),
                    above);
            graph.addLayer("down" + level, same(3, 32 << level), "pool" + level);
            graph.addLayer("down" + level + "b", same(3, 32 << level), "down" + level);
        }
        String last = "down2b";
        for (int level = 1; level >= 0; level--) {
            graph.addLayer("up" + level, new Upsampling2D.Builder(2).build(), last);
            graph.addLayer("thin" + level, same(3, 32 << level), "up" + level);
            graph.addVertex(
                    "both" + level, new MergeVertex(), "thin" + level, "down" + level + "b");
            graph.addLayer("wide" + level, same(3, 32 << level), "both" + level);
            last = "wide" + level;
        }
        graph.addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), last);
        return created(graph.addLayer("output", output(), "mean"));
    }

    private static ComputationGraph convolution1D() {
        GraphBuilder graph = graph(InputType.recurrent(16, 256));
        String last = "input";
        for (int i = 0; i < 6; i++) {
            graph.addLayer(
                    "conv" + i,
                    new Convolution1DLayer.Builder(5)
                            .nOut(64)
                            .convolutionMode(ConvolutionMode.Same)
                            .build(),
                    last);
            last = "conv" + i;
        }
        graph.addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), last);
        return created(graph.addLayer("output", output(), "mean"));
    }

    private static RnnOutputLayer stepwise(String activation, int units) {
        return new RnnOutputLayer.Builder(LossFunction.MSE)
                .nOut(units)
                .activation(Activation.valueOf(activation))
                .build();
    }

    private static ComputationGraph lstm() {
        GraphBuilder graph = graph(InputType.recurrent(64, 64));
        graph.addLayer(
                "lstm", new LSTM.Builder().nOut(128).activation(Activation.TANH).build(), "input");
        return created(graph.addLayer("output", stepwise("IDENTITY", CLASSES), "lstm"));
    }

    private static ComputationGraph attention() {
        GraphBuilder graph = graph(InputType.recurrent(64, 64));
        graph.addLayer(
                "attention",
                new SelfAttentionLayer.Builder().nOut(64).nHeads(4).projectInput(true).build(),
                "input");
        graph.addLayer(
                "wide",
                new Convolution1DLayer.Builder(1).nOut(256).activation(Activation.RELU).build(),
                "attention");
        return created(graph.addLayer("output", stepwise("IDENTITY", 64), "wide"));
    }
}
