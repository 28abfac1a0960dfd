// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Draws small networks around one layer of DL4J, with every option that the layer has. What DL4J
 * itself refuses or cannot run is drawn again.
 */
@SuppressWarnings("deprecation") // GravesLSTM
final class RandomLayers {

    /** The name of the layer of interest. */
    static final String NAME = "it";

    private static final Pattern OPTION =
            Pattern.compile(
                    "(activationFn|[a-z]*onvolutionMode|dilation|kernelSize|stride|padding|[a-zA-Z]*"
                            + "Format|poolingType|pnorm|avgPoolIncludePadInDivisor|hasBias|hasLayerNorm"
                            + "|nIn|nOut|depthMultiplier|sharedAxes|useLogStd|lockGammaBeta"
                            + "|collapseDimensions)=(\\[[^]]*]|[^,()]+(\\([^)]*\\))?)");

    private static final Set<String> USUAL =
            Set.of(
                    "hasBias=true",
                    "hasLayerNorm=false",
                    "cnn2dDataFormat=NCHW",
                    "timeDistributedFormat=null",
                    "activationFn=identity",
                    "dilation=[1, 1]",
                    "padding=[0, 0]",
                    "stride=[1, 1]",
                    "avgPoolIncludePadInDivisor=false",
                    "convolutionMode=Truncate",
                    "pnorm=0",
                    "useLogStd=false",
                    "lockGammaBeta=false");

    private static final int EXAMPLES = 3;
    private static final int CLASSES = 3;

    private final Dice dice;

    RandomLayers(long seed) {
        this.dice = new Dice(seed);
    }

    /** A network, and inputs for it. */
    record Drawn(MultiLayerNetwork network, INDArray features, INDArray labels) {}

    /**
     * {@return a network that DL4J runs}
     *
     * @param kind which kind of layer, any number
     */
    Drawn next(int kind) {
        while (true) {
            try {
                Drawn drawn = draw(kind);
                if (drawn.network.feedForward(drawn.features.dup(), false).stream()
                        .allMatch(RandomLayers::isUsable)) {
                    return drawn;
                }
            } catch (RuntimeException refusedByDl4j) {
                // Options that do not go together: the next try has others.
            }
        }
    }

    /* DL4J's maximum of a window of nothing but padding is the least float. */
    static boolean isUsable(INDArray values) {
        return values.amaxNumber().doubleValue() < 1e30;
    }

    private Drawn draw(int kind) {
        List<Layer> layers = new ArrayList<>();
        switch (kind % 16) {
            case 0, 1, 2, 3, 4, 5, 6, 7, 8 -> {
                return image(layers);
            }
            case 9, 10, 11, 12 -> {
                return vector(layers);
            }
            case 13, 14 -> {
                return sequence(layers);
            }
            default -> {
                return other(layers);
            }
        }
    }

    private Drawn image(List<Layer> layers) {
        CNN2DFormat format = dice.one(4) ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        int channels = dice.from(1, 3);
        int[] size = dice.pair(3, 9);
        if (!dice.one(3)) {
            layers.add(
                    new ConvolutionLayer.Builder(1, 1)
                            .nOut(channels)
                            .dataFormat(format)
                            .activation(dice.function())
                            .build());
        }
        new RandomImageLayers(dice, format, channels, size).addTo(layers);
        boolean last = format == CNN2DFormat.NCHW;
        long[] shape =
                last
                        ? new long[] {EXAMPLES, channels, size[0], size[1]}
                        : new long[] {EXAMPLES, size[0], size[1], channels};
        return network(
                layers,
                InputType.convolutional(size[0], size[1], channels, format),
                features(shape));
    }

    private DenseLayer dense(IActivation function, boolean normalizes) {
        return new DenseLayer.Builder()
                .nOut(dice.from(1, 7))
                .hasBias(!dice.one(3))
                .hasLayerNorm(normalizes)
                .activation(function)
                .build();
    }

    private Drawn vector(List<Layer> layers) {
        int size = dice.from(1, 8);
        if (!dice.one(3)) {
            layers.add(dense(dice.function(), false));
        }
        Layer layer =
                switch (dice.next(10)) {
                    case 0, 1, 2 -> new ActivationLayer(dice.function());
                    case 3 ->
                            new ElementWiseMultiplicationLayer.Builder()
                                    .nOut(size)
                                    .activation(dice.function())
                                    .build();
                    case 4 -> new PReLULayer.Builder().inputShape(size).build();
                    case 5 -> new AutoEncoder.Builder().nOut(4).activation(dice.function()).build();
                    default -> dense(dice.function(), dice.one(8));
                };
        layer.setLayerName(NAME);
        if (layer instanceof DenseLayer) {
            dice.arithmetic(layers, layer);
        } else {
            layers.add(layer);
        }
        return network(layers, InputType.feedForward(size), features(new long[] {EXAMPLES, size}));
    }

    private Drawn sequence(List<Layer> layers) {
        int size = dice.from(1, 4);
        int times = dice.from(3, 7);
        Layer layer =
                switch (dice.next(16)) {
                    case 0 -> new LSTM.Builder().nOut(3).activation(dice.bounded()).build();
                    case 1 -> new GravesLSTM.Builder().nOut(3).build();
                    case 2 ->
                            new SimpleRnn.Builder()
                                    .nOut(3)
                                    .hasLayerNorm(dice.one(4))
                                    .activation(dice.bounded())
                                    .build();
                    case 3 ->
                            new Bidirectional(
                                    dice.pick(Bidirectional.Mode.values()),
                                    new LSTM.Builder().nOut(3).build());
                    case 4 -> new LastTimeStep(new LSTM.Builder().nOut(3).build());
                    case 5 ->
                            new SelfAttentionLayer.Builder()
                                    .nOut(4)
                                    .nHeads(2)
                                    .projectInput(true)
                                    .build();
                    case 6 ->
                            new Subsampling1DLayer.Builder()
                                    .poolingType(dice.pick(PoolingType.MAX, PoolingType.AVG))
                                    .kernelSize(dice.from(1, 3))
                                    .stride(dice.from(1, 2))
                                    .build();
                    case 7 -> new TimeDistributed(dense(dice.function(), false));
                    case 8 -> new Upsampling1D.Builder(dice.from(1, 3)).build();
                    case 9 -> new ZeroPadding1DLayer.Builder(dice.pair(0, 2)).build();
                    case 10 -> new Cropping1D.Builder(dice.from(0, 1), dice.from(0, 1)).build();
                    case 11 ->
                            new RecurrentAttentionLayer.Builder()
                                    .nOut(4)
                                    .nHeads(2)
                                    .projectInput(true)
                                    .hasBias(dice.one(2))
                                    .build();
                    case 12 ->
                            new LocallyConnected1D.Builder()
                                    .kernelSize(dice.from(1, 3))
                                    .nOut(2)
                                    .hasBias(!dice.one(3))
                                    .build();
                    case 13 -> {
                        GlobalPoolingLayer.Builder pool =
                                new GlobalPoolingLayer.Builder(dice.pick(PoolingType.values()));
                        yield pool.pnorm(2).build();
                    }
                    default ->
                            new Convolution1DLayer.Builder(dice.from(1, 3))
                                    .stride(dice.from(1, 2))
                                    .dilation(dice.from(1, 2))
                                    .convolutionMode(dice.pick(ConvolutionMode.Causal, dice.mode()))
                                    .nOut(3)
                                    .hasBias(!dice.one(3))
                                    .activation(dice.function())
                                    .build();
                };
        layer.setLayerName(NAME);
        layers.add(layer);
        return network(
                layers,
                InputType.recurrent(size, times),
                features(new long[] {EXAMPLES, size, times}));
    }

    private Drawn other(List<Layer> layers) {
        if (dice.one(3)) {
            layers.add(
                    new EmbeddingLayer.Builder()
                            .nIn(5)
                            .nOut(3)
                            .hasBias(dice.one(2))
                            .activation(dice.function())
                            .name(NAME)
                            .build());
            INDArray indices = Nd4j.createFromArray(0f, 4f, 2f).reshape(EXAMPLES, 1);
            return network(layers, InputType.feedForward(5), indices);
        }
        Layer layer = volumeLayer();
        layer.setLayerName(NAME);
        layers.add(layer);
        if (dice.one(2)) {
            layers.add(new GlobalPoolingLayer(PoolingType.AVG));
        }
        return network(
                layers,
                InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 2),
                features(new long[] {EXAMPLES, 2, 4, 4, 4}));
    }

    private Layer volumeLayer() {
        int[] kernel = {dice.from(1, 2), dice.from(1, 3), dice.from(1, 2)};
        int[] stride = {dice.from(1, 2), 1, dice.from(1, 2)};
        return switch (dice.next(8)) {
            case 0 -> new Upsampling3D.Builder(dice.from(1, 2)).build();
            case 1 -> new ZeroPadding3DLayer.Builder(1, dice.from(0, 2), 0).build();
            case 2 -> new Cropping3D.Builder(dice.from(0, 1), 0, dice.from(0, 1)).build();
            case 3 ->
                    new Deconvolution3D.Builder()
                            .dataFormat(Convolution3D.DataFormat.NCDHW)
                            .nOut(2)
                            .kernelSize(kernel)
                            .stride(stride)
                            .hasBias(!dice.one(3))
                            .activation(dice.function())
                            .build();
            case 4, 5 ->
                    new Subsampling3DLayer.Builder(dice.pick(PoolingType.MAX, PoolingType.AVG))
                            .kernelSize(kernel)
                            .stride(stride)
                            .convolutionMode(dice.mode())
                            .build();
            default ->
                    new Convolution3D.Builder(kernel)
                            .dataFormat(Convolution3D.DataFormat.NCDHW)
                            .nOut(2)
                            .stride(stride)
                            .dilation(1, dice.from(1, 2), 1)
                            .convolutionMode(dice.mode())
                            .hasBias(!dice.one(3))
                            .activation(dice.function())
                            .build();
        };
    }

    /** Some data are never negative, so that their codes are unsigned. */
    private INDArray features(long[] shape) {
        INDArray features = Nd4j.randn(shape);
        return dice.one(3) ? Nd4j.rand(shape) : features;
    }

    private Drawn network(List<Layer> layers, InputType input, INDArray features) {
        boolean softmax = dice.one(2);
        LossFunction loss = softmax ? LossFunction.MCXENT : LossFunction.MSE;
        IActivation function = softmax ? new ActivationSoftmax() : new ActivationIdentity();
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(dice.next(Integer.MAX_VALUE)).list();
        layers.forEach(list::layer);
        InputType last = input;
        for (Layer layer : layers) {
            boolean joins = layer instanceof LastTimeStep || layer instanceof GlobalPoolingLayer;
            last = joins ? InputType.feedForward(1) : last;
        }
        list.layer(
                last.getType() == InputType.Type.RNN
                        ? new RnnOutputLayer.Builder(loss)
                                .nOut(CLASSES)
                                .activation(function)
                                .build()
                        : new OutputLayer.Builder(loss).nOut(CLASSES).activation(function).build());
        MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
        network.init();
        for (org.deeplearning4j.nn.api.Layer layer : network.getLayers()) {
            disturb(layer);
        }
        long[] shape = network.output(features.dup()).shape();
        return new Drawn(network, features, Nd4j.zeros(shape));
    }

    /** Biases and statistics that are not 0 and 1, as after a training. */
    private void disturb(org.deeplearning4j.nn.api.Layer layer) {
        layer.paramTable()
                .forEach(
                        (key, values) -> {
                            if (!List.of("W", "RW", "pW").contains(key) && values.length() > 0) {
                                values.addi(Nd4j.randn(values.shape()).muli(0.2));
                            }
                            if (key.equals("var")) {
                                values.assign(
                                        org.nd4j.linalg.ops.transforms.Transforms.abs(values));
                            }
                        });
    }

    static String describe(MultiLayerNetwork network) {
        return Arrays.stream(network.getLayers())
                .map(layer -> describe(layer.conf().getLayer()))
                .toList()
                .toString();
    }

    /** The options that say what is computed, without those that are as usual. */
    private static String describe(Layer layer) {
        List<String> options = new ArrayList<>();
        Matcher matcher = OPTION.matcher(layer.toString());
        while (matcher.find()) {
            options.add(matcher.group());
        }
        options.removeIf(USUAL::contains);
        IActivation function =
                layer instanceof ActivationLayer only
                        ? only.getActivationFn()
                        : layer instanceof BaseLayer base ? base.getActivationFn() : null;
        if (function instanceof ActivationReLU relu) {
            options.add(
                    List.of(
                                    String.valueOf(relu.getMax()),
                                    String.valueOf(relu.getThreshold()),
                                    String.valueOf(relu.getNegativeSlope()))
                            .toString());
        }
        return layer.getClass().getSimpleName() + options;
    }
}
