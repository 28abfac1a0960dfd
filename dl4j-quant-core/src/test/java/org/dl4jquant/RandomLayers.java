// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
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
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
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
@SuppressWarnings({"deprecation", "rawtypes"}) // GravesLSTM; a builder that nobody can name
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
    private static final List<IActivation> FUNCTIONS = ActivationFunctions.all().toList();

    private final Random random;

    RandomLayers(long seed) {
        this.random = new Random(seed);
    }

    /** A network, and inputs for it. */
    record Drawn(MultiLayerNetwork network, INDArray features, INDArray labels) {}

    /** A user's function, and one that DL4J's own class would not compute. */
    private static final class Shifted extends ActivationReLU {
        @Override
        public INDArray getActivation(INDArray in, boolean training) {
            return super.getActivation(in, training).addi(0.5);
        }
    }

    private int from(int least, int most) {
        return least + random.nextInt(most - least + 1);
    }

    private boolean one(int in) {
        return random.nextInt(in) == 0;
    }

    @SafeVarargs
    private <T> T pick(T... values) {
        return values[random.nextInt(values.length)];
    }

    private int[] pair(int least, int most) {
        return new int[] {from(least, most), from(least, most)};
    }

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
                continue;
            }
        }
    }

    /* DL4J's maximum of a window of nothing but padding is the least float. */
    private static boolean isUsable(INDArray values) {
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

    private IActivation function() {
        return switch (random.nextInt(12)) {
            case 0, 1 -> new ActivationIdentity();
            case 2, 3 -> new ActivationReLU();
            case 4 -> one(2) ? FUNCTIONS.get(0) : one(3) ? new Shifted() : new ActivationSoftmax();
            default -> FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
        };
    }

    /** Of a recurrence, whose states would grow without bounds or jump. */
    private Activation bounded() {
        return pick(Activation.TANH, Activation.SIGMOID, Activation.SOFTSIGN, Activation.HARDTANH);
    }

    // ---- images ---------------------------------------------------------------------------------

    private Drawn image(List<Layer> layers) {
        CNN2DFormat format = one(4) ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        int channels = from(1, 3);
        int[] size = pair(3, 9);
        if (!one(3)) {
            layers.add(
                    new ConvolutionLayer.Builder(1, 1)
                            .nOut(channels)
                            .dataFormat(format)
                            .activation(function())
                            .build());
        }
        addImageLayer(layers, format, channels);
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

    private void addImageLayer(List<Layer> layers, CNN2DFormat format, int channels) {
        switch (random.nextInt(16)) {
            case 0, 1, 2, 3 -> arithmetic(layers, convolution(format));
            case 4, 5 -> arithmetic(layers, depthwise(format));
            case 6 -> arithmetic(layers, separable(format));
            case 7 -> arithmetic(layers, transposed(format));
            case 8, 9, 10, 11 -> layers.add(pool(format));
            case 12 -> layers.add(globalPool(format));
            case 13 -> {
                ActivationLayer layer = new ActivationLayer(function());
                layer.setLayerName(NAME);
                layers.add(layer);
            }
            default -> layers.add(imageMove(format, channels));
        }
    }

    private <B extends ConvolutionLayer.BaseConvBuilder<B>> B windows(B builder) {
        builder.setKernelSize(pair(1, 3));
        builder.setStride(one(3) ? pair(1, 4) : new int[] {1, 1});
        builder.setDilation(one(3) ? pair(1, 3) : new int[] {1, 1});
        ConvolutionMode mode = mode();
        builder.convolutionMode(mode);
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(one(2) ? pair(0, 3) : new int[] {0, 0});
        }
        return builder;
    }

    private ConvolutionMode mode() {
        return pick(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict);
    }

    private Layer convolution(CNN2DFormat format) {
        ConvolutionLayer.Builder builder =
                windows(one(2) ? new ConvolutionLayer.Builder() : new Convolution2D.Builder());
        return builder.nOut(from(1, 4))
                .dataFormat(format)
                .hasBias(!one(3))
                .activation(function())
                .name(NAME)
                .build();
    }

    private Layer depthwise(CNN2DFormat format) {
        DepthwiseConvolution2D.Builder builder = new DepthwiseConvolution2D.Builder();
        windows(builder);
        builder.depthMultiplier(from(1, 3)).dataFormat(format);
        builder.hasBias(!one(3)).activation(function()).name(NAME);
        return builder.build();
    }

    private Layer separable(CNN2DFormat format) {
        SeparableConvolution2D.Builder builder = new SeparableConvolution2D.Builder();
        windows(builder);
        builder.depthMultiplier(from(1, 2)).dataFormat(format);
        builder.nOut(from(1, 4)).hasBias(!one(3)).activation(function()).name(NAME);
        return builder.build();
    }

    private Layer transposed(CNN2DFormat format) {
        Deconvolution2D.Builder builder = new Deconvolution2D.Builder();
        windows(builder);
        builder.dataFormat(format);
        builder.nOut(from(1, 4)).hasBias(!one(3)).activation(function()).name(NAME);
        return builder.build();
    }

    private Layer pool(CNN2DFormat format) {
        PoolingType type =
                pick(
                        PoolingType.MAX,
                        PoolingType.MAX,
                        PoolingType.AVG,
                        PoolingType.AVG,
                        PoolingType.SUM,
                        PoolingType.PNORM);
        ConvolutionMode mode = mode();
        SubsamplingLayer.Builder builder =
                new SubsamplingLayer.Builder(type)
                        .kernelSize(pair(1, 4))
                        .stride(pair(1, 4))
                        .dilation(one(3) ? pair(1, 3) : new int[] {1, 1})
                        .convolutionMode(mode)
                        .dataFormat(format)
                        .name(NAME);
        builder.setAvgPoolIncludePadInDivisor(one(2));
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(one(2) ? pair(0, 3) : new int[] {0, 0});
        }
        return type == PoolingType.PNORM ? builder.pnorm(from(1, 3)).build() : builder.build();
    }

    private Layer globalPool(CNN2DFormat format) {
        PoolingType type = pick(PoolingType.values());
        GlobalPoolingLayer.Builder builder =
                new GlobalPoolingLayer.Builder(type).collapseDimensions(!one(3));
        if (type == PoolingType.PNORM) {
            builder.pnorm(from(1, 3));
        }
        if (one(2)) {
            boolean last = format == CNN2DFormat.NHWC;
            builder.poolingDimensions(last ? new int[] {1, 2} : new int[] {2, 3});
        }
        GlobalPoolingLayer pool = builder.build();
        pool.setLayerName(NAME);
        return pool;
    }

    private Layer imageMove(CNN2DFormat format, int channels) {
        return switch (random.nextInt(9)) {
            case 0 ->
                    new Upsampling2D.Builder(1)
                            .size(pair(1, 3))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 1 ->
                    new ZeroPaddingLayer.Builder(from(0, 2), from(0, 2), from(0, 2), from(0, 2))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 2 ->
                    new Cropping2D.Builder(from(0, 1), from(0, 1), from(0, 1), from(0, 1))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 3 -> new SpaceToDepthLayer.Builder(2, format).name(NAME).build();
            case 4 -> new LocalResponseNormalization.Builder().name(NAME).build();
            case 5 ->
                    new LocallyConnected2D.Builder()
                            .kernelSize(pair(1, 3))
                            .nOut(from(1, 3))
                            .hasBias(!one(3))
                            .activation(Activation.TANH)
                            .name(NAME)
                            .build();
            case 6 -> new DropoutLayer.Builder(0.5).name(NAME).build();
            case 7 -> normalization();
            default -> new PReLULayer.Builder().sharedAxes(2, 3).nOut(channels).name(NAME).build();
        };
    }

    private BatchNormalization normalization() {
        BatchNormalization.Builder builder =
                new BatchNormalization.Builder().eps(pick(1e-5, 1e-3)).useLogStd(one(2));
        if (one(4)) {
            builder.lockGammaBeta(true).gamma(pick(1.0, -0.7)).beta(pick(0.0, 0.4));
        }
        return builder.build();
    }

    /* With what is joined to it: a batch normalization, an activation layer, or both. */
    private void arithmetic(List<Layer> layers, Layer layer) {
        layers.add(layer);
        if (one(4)) {
            ((BaseLayer) layer).setActivationFn(new ActivationIdentity());
            if (!one(3)) {
                layers.add(normalization());
            }
            if (!one(3)) {
                layers.add(new ActivationLayer(function()));
            }
        }
    }

    // ---- vectors, sequences, volumes, indices ---------------------------------------------------

    private DenseLayer dense(IActivation function, boolean normalizes) {
        return new DenseLayer.Builder()
                .nOut(from(1, 7))
                .hasBias(!one(3))
                .hasLayerNorm(normalizes)
                .activation(function)
                .build();
    }

    private Drawn vector(List<Layer> layers) {
        int size = from(1, 8);
        if (!one(3)) {
            layers.add(dense(function(), false));
        }
        Layer layer =
                switch (random.nextInt(10)) {
                    case 0, 1, 2 -> new ActivationLayer(function());
                    case 3 ->
                            new ElementWiseMultiplicationLayer.Builder()
                                    .nOut(size)
                                    .activation(function())
                                    .build();
                    case 4 -> new AutoEncoder.Builder().nOut(4).activation(function()).build();
                    default -> dense(function(), one(8));
                };
        layer.setLayerName(NAME);
        if (layer instanceof DenseLayer) {
            arithmetic(layers, layer);
        } else {
            layers.add(layer);
        }
        return network(layers, InputType.feedForward(size), features(new long[] {EXAMPLES, size}));
    }

    private Drawn sequence(List<Layer> layers) {
        int size = from(1, 4);
        int times = from(3, 7);
        Layer layer =
                switch (random.nextInt(9)) {
                    case 0 -> new LSTM.Builder().nOut(3).activation(bounded()).build();
                    case 1 -> new GravesLSTM.Builder().nOut(3).build();
                    case 2 ->
                            new SimpleRnn.Builder()
                                    .nOut(3)
                                    .hasLayerNorm(one(4))
                                    .activation(bounded())
                                    .build();
                    case 3 ->
                            new Bidirectional(
                                    pick(Bidirectional.Mode.values()),
                                    new LSTM.Builder().nOut(3).build());
                    case 4 -> new LastTimeStep(new LSTM.Builder().nOut(3).build());
                    case 5 ->
                            new SelfAttentionLayer.Builder()
                                    .nOut(4)
                                    .nHeads(2)
                                    .projectInput(true)
                                    .build();
                    case 6 ->
                            new Subsampling1DLayer.Builder(pick(PoolingType.MAX, PoolingType.AVG))
                                    .kernelSize(from(1, 3))
                                    .stride(from(1, 2))
                                    .build();
                    default ->
                            new Convolution1DLayer.Builder(from(1, 3))
                                    .stride(from(1, 2))
                                    .dilation(from(1, 2))
                                    .convolutionMode(pick(ConvolutionMode.Causal, mode()))
                                    .nOut(3)
                                    .hasBias(!one(3))
                                    .activation(function())
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
        if (one(3)) {
            layers.add(
                    new EmbeddingLayer.Builder()
                            .nIn(5)
                            .nOut(3)
                            .hasBias(one(2))
                            .activation(function())
                            .name(NAME)
                            .build());
            INDArray indices = Nd4j.createFromArray(0f, 4f, 2f).reshape(EXAMPLES, 1);
            return network(layers, InputType.feedForward(5), indices);
        }
        if (one(2)) {
            layers.add(
                    new Convolution3D.Builder(from(1, 2), from(1, 3), from(1, 2))
                            .nOut(2)
                            .stride(from(1, 2), 1, from(1, 2))
                            .dilation(1, from(1, 2), 1)
                            .convolutionMode(mode())
                            .hasBias(!one(3))
                            .activation(function())
                            .name(NAME)
                            .build());
        } else {
            layers.add(
                    new Subsampling3DLayer.Builder(pick(PoolingType.MAX, PoolingType.AVG))
                            .kernelSize(from(1, 2), from(1, 3), from(1, 2))
                            .stride(from(1, 2), 1, from(1, 2))
                            .convolutionMode(mode())
                            .name(NAME)
                            .build());
        }
        return network(
                layers,
                InputType.convolutional3D(4, 4, 4, 2),
                features(new long[] {EXAMPLES, 2, 4, 4, 4}));
    }

    /** Some data are never negative, so that their codes are unsigned. */
    private INDArray features(long[] shape) {
        INDArray features = Nd4j.randn(shape);
        return one(3) ? Nd4j.rand(shape) : features;
    }

    private Drawn network(List<Layer> layers, InputType input, INDArray features) {
        boolean softmax = one(2);
        LossFunction loss = softmax ? LossFunction.MCXENT : LossFunction.MSE;
        IActivation function = softmax ? new ActivationSoftmax() : new ActivationIdentity();
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(random.nextInt()).list();
        layers.forEach(list::layer);
        InputType last = input;
        for (Layer layer : layers) {
            last = layer instanceof LastTimeStep ? InputType.feedForward(1) : last;
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
