// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Draws networks around one layer that slides a kernel over sequences, images or volumes, with all
 * its options, such that all of the network lowers.
 */
final class RandomConvolutions {

    private static final int EXAMPLES = 3;
    private static final int CLASSES = 3;

    private final Dice dice;

    RandomConvolutions(long seed) {
        this.dice = new Dice(seed);
    }

    /** The kinds of layers. */
    enum Kind {
        CONVOLUTION_1D,
        LOCALLY_CONNECTED_1D,
        SEPARABLE_2D,
        TRANSPOSED_2D,
        LOCALLY_CONNECTED_2D,
        CONVOLUTION_3D,
        TRANSPOSED_3D,
        POOL_1D,
        POOL_2D,
        POOL_3D
    }

    /** {@return a network around a layer of a kind, and inputs for it} */
    RandomLayers.Drawn next(Kind kind) {
        while (true) {
            try {
                RandomLayers.Drawn drawn = draw(kind);
                if (drawn.network().feedForward(drawn.features().dup(), false).stream()
                        .allMatch(RandomLayers::isUsable)) {
                    return drawn;
                }
            } catch (RuntimeException refusedByDl4j) {
                // Options that do not go together: the next try has others.
            }
        }
    }

    private RandomLayers.Drawn draw(Kind kind) {
        int channels = dice.from(1, 4);
        return switch (kind) {
            case CONVOLUTION_1D -> {
                RNNFormat format = dice.pick(RNNFormat.NCW, RNNFormat.NCW, RNNFormat.NWC);
                yield sequences(
                        channels, format, dice.one(2) ? null : convolution1d(), convolution1d());
            }
            case LOCALLY_CONNECTED_1D ->
                    sequences(
                            channels,
                            RNNFormat.NCW,
                            dice.one(2) ? null : convolution1d(),
                            local1d());
            case SEPARABLE_2D -> {
                CNN2DFormat format = format();
                SeparableConvolution2D.Builder builder = new SeparableConvolution2D.Builder();
                windows(builder, 2, dice.mode()).dataFormat(format);
                builder.depthMultiplier(dice.from(1, 3));
                yield images(channels, format, builder.build());
            }
            case TRANSPOSED_2D -> {
                CNN2DFormat format = format();
                Deconvolution2D.Builder builder = new Deconvolution2D.Builder();
                windows(builder, 2, dice.mode()).dataFormat(format);
                yield images(channels, format, builder.build());
            }
            case LOCALLY_CONNECTED_2D -> {
                CNN2DFormat format = format();
                yield images(channels, format, local2d(format));
            }
            case CONVOLUTION_3D -> {
                Convolution3D.DataFormat format = volumeFormat();
                yield volumes(channels, format, convolution3d(format));
            }
            case TRANSPOSED_3D -> {
                Convolution3D.DataFormat format = volumeFormat();
                Deconvolution3D.Builder builder = new Deconvolution3D.Builder();
                builder.dataFormat(format);
                yield volumes(channels, format, windows(builder, 3, dice.mode()).build());
            }
            case POOL_1D ->
                    sequences(
                            channels,
                            RNNFormat.NCW,
                            new Convolution1DLayer.Builder(1)
                                    .nOut(dice.from(1, 4))
                                    .activation(function())
                                    .build(),
                            pool1d());
            case POOL_2D -> {
                CNN2DFormat format = format();
                yield images(channels, format, pool2d(format));
            }
            case POOL_3D -> {
                Convolution3D.DataFormat format = volumeFormat();
                yield volumes(
                        channels,
                        format,
                        new Convolution3D.Builder(1, 1, 1)
                                .nOut(dice.from(1, 3))
                                .dataFormat(format)
                                .activation(function())
                                .build(),
                        pool3d(format));
            }
        };
    }

    private Layer pool1d() {
        ConvolutionMode mode = dice.mode();
        Subsampling1DLayer.Builder builder =
                new Subsampling1DLayer.Builder()
                        // DL4J forgets a type that is given to the constructor.
                        .poolingType(poolingType())
                        .kernelSize(dice.from(1, 3))
                        .stride(dice.from(1, 3))
                        .convolutionMode(mode);
        builder.setPnorm(1);
        builder.setAvgPoolIncludePadInDivisor(dice.one(2));
        return builder.build();
    }

    private PoolingType poolingType() {
        return dice.pick(PoolingType.MAX, PoolingType.AVG, PoolingType.PNORM);
    }

    private Layer pool2d(CNN2DFormat format) {
        ConvolutionMode mode = dice.mode();
        SubsamplingLayer.Builder builder =
                new SubsamplingLayer.Builder(poolingType())
                        .kernelSize(sizes(2, 1, 3))
                        .stride(sizes(2, 1, 3))
                        .dataFormat(format)
                        .convolutionMode(mode);
        builder.setPnorm(1);
        builder.setAvgPoolIncludePadInDivisor(dice.one(2));
        return builder.build();
    }

    private Layer pool3d(Convolution3D.DataFormat format) {
        ConvolutionMode mode = dice.mode();
        Subsampling3DLayer.Builder builder =
                new Subsampling3DLayer.Builder(dice.pick(PoolingType.MAX, PoolingType.AVG))
                        .kernelSize(sizes(3, 1, 3))
                        .stride(sizes(3, 1, 2))
                        .dataFormat(format)
                        .convolutionMode(mode);
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(sizes(3, 0, 1));
        }
        return builder.build();
    }

    private CNN2DFormat format() {
        return dice.pick(CNN2DFormat.NCHW, CNN2DFormat.NCHW, CNN2DFormat.NHWC);
    }

    private Convolution3D.DataFormat volumeFormat() {
        return dice.pick(
                Convolution3D.DataFormat.NCDHW,
                Convolution3D.DataFormat.NCDHW,
                Convolution3D.DataFormat.NDHWC);
    }

    private RandomLayers.Drawn sequences(int channels, RNNFormat format, Layer... layers) {
        int times = dice.from(3, 9);
        return network(
                InputType.recurrent(channels, times, format),
                format == RNNFormat.NCW
                        ? new long[] {EXAMPLES, channels, times}
                        : new long[] {EXAMPLES, times, channels},
                new RnnLossLayer.Builder(LossFunction.MSE)
                        .dataFormat(format)
                        .activation(lastFunction())
                        .build(),
                layers);
    }

    private RandomLayers.Drawn images(int channels, CNN2DFormat format, Layer layer) {
        int[] size = dice.pair(2, 7);
        Layer pixels =
                dice.one(3)
                        ? null
                        : new ConvolutionLayer.Builder(1, 1)
                                .nOut(dice.from(1, 4))
                                .dataFormat(format)
                                .activation(function())
                                .build();
        return network(
                InputType.convolutional(size[0], size[1], channels, format),
                format == CNN2DFormat.NCHW
                        ? new long[] {EXAMPLES, channels, size[0], size[1]}
                        : new long[] {EXAMPLES, size[0], size[1], channels},
                new CnnLossLayer.Builder(LossFunction.MSE)
                        .format(format)
                        .activation(lastFunction())
                        .build(),
                pixels,
                layer);
    }

    private RandomLayers.Drawn volumes(
            int channels, Convolution3D.DataFormat format, Layer... layers) {
        int depth = dice.from(1, 5);
        int[] size = dice.pair(2, 6);
        return network(
                InputType.convolutional3D(format, depth, size[0], size[1], channels),
                format == Convolution3D.DataFormat.NCDHW
                        ? new long[] {EXAMPLES, channels, depth, size[0], size[1]}
                        : new long[] {EXAMPLES, depth, size[0], size[1], channels},
                new Cnn3DLossLayer.Builder(format)
                        .lossFunction(LossFunction.MSE)
                        .activation(lastFunction())
                        .build(),
                layers);
    }

    private Layer local1d() {
        return new LocallyConnected1D.Builder()
                .kernelSize(dice.from(1, 3))
                .stride(dice.from(1, 2))
                .convolutionMode(dice.mode())
                .nOut(dice.from(1, 4))
                .hasBias(!dice.one(3))
                .activation(function())
                .build();
    }

    private Layer local2d(CNN2DFormat format) {
        return new LocallyConnected2D.Builder()
                .kernelSize(dice.pair(1, 3))
                .stride(dice.pair(1, 2))
                .convolutionMode(dice.mode())
                .dataFormat(format)
                .nOut(dice.from(1, 4))
                .hasBias(!dice.one(3))
                .activation(function())
                .build();
    }

    private Activation function() {
        return dice.pick(
                Activation.IDENTITY,
                Activation.RELU,
                Activation.RELU6,
                Activation.LEAKYRELU,
                Activation.TANH);
    }

    private Activation lastFunction() {
        return dice.pick(Activation.IDENTITY, Activation.RELU, Activation.SOFTMAX);
    }

    private Layer convolution1d() {
        ConvolutionMode mode = dice.pick(ConvolutionMode.Causal, dice.mode());
        Convolution1DLayer.Builder builder =
                new Convolution1DLayer.Builder(dice.from(1, 4))
                        .stride(dice.from(1, 3))
                        .dilation(dice.one(2) ? dice.from(1, 3) : 1)
                        .convolutionMode(mode)
                        .nOut(dice.from(1, 5))
                        .hasBias(!dice.one(3))
                        .activation(function());
        return mode == ConvolutionMode.Truncate
                ? builder.padding(dice.from(0, 2)).build()
                : builder.build();
    }

    private int[] sizes(int axes, int least, int most) {
        int[] sizes = new int[axes];
        for (int axis = 0; axis < axes; axis++) {
            sizes[axis] = dice.from(least, most);
        }
        return sizes;
    }

    private <B extends ConvolutionLayer.BaseConvBuilder<B>> B windows(
            B builder, int axes, ConvolutionMode mode) {
        builder.setKernelSize(sizes(axes, 1, 5));
        builder.setStride(sizes(axes, 1, 3));
        builder.setDilation(dice.one(3) ? sizes(axes, 1, 2) : sizes(axes, 1, 1));
        builder.convolutionMode(mode);
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(dice.one(2) ? sizes(axes, 0, 2) : new int[axes]);
        }
        return builder.nOut(dice.from(1, 4)).hasBias(!dice.one(3)).activation(function());
    }

    private Layer convolution3d(Convolution3D.DataFormat format) {
        ConvolutionMode mode = dice.mode();
        Convolution3D.Builder builder =
                new Convolution3D.Builder(sizes(3, 1, 3))
                        .dataFormat(format)
                        .nOut(dice.from(1, 4))
                        .stride(sizes(3, 1, 3))
                        .dilation(dice.one(3) ? sizes(3, 1, 2) : sizes(3, 1, 1))
                        .convolutionMode(mode)
                        .hasBias(!dice.one(3))
                        .activation(function());
        if (mode != ConvolutionMode.Same) {
            builder.padding(sizes(3, 0, 1));
        }
        return builder.build();
    }

    /* One network in three ends with a loss of what the layer makes, the others with a vector. */
    private RandomLayers.Drawn network(InputType input, long[] shape, Layer loss, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(dice.next(Integer.MAX_VALUE)).list();
        List<Layer> all = new ArrayList<>(Arrays.asList(layers));
        all.removeIf(Objects::isNull);
        boolean vectors = !dice.one(3);
        if (vectors) {
            PoolingType type = dice.pick(PoolingType.values());
            all.add(new GlobalPoolingLayer.Builder(type).pnorm(1).build());
            all.add(
                    new OutputLayer.Builder(LossFunction.MSE)
                            .nOut(CLASSES)
                            .activation(Activation.IDENTITY)
                            .build());
        } else {
            all.add(loss);
        }
        all.forEach(list::layer);
        MultiLayerConfiguration conf = list.setInputType(input).build();
        if (vectors) {
            // Where pooling has made vectors, DL4J still puts what makes vectors of sequences.
            conf.getInputPreProcessors().remove(all.size() - 1);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(conf);
        network.init();
        for (org.deeplearning4j.nn.api.Layer layer : network.getLayers()) {
            INDArray biases = layer.paramTable().get("b");
            if (biases != null) {
                biases.addi(Nd4j.randn(biases.shape()).muli(0.2));
            }
        }
        INDArray features = dice.one(3) ? Nd4j.rand(shape) : Nd4j.randn(shape);
        return new RandomLayers.Drawn(
                network, features, Nd4j.zeros(network.output(features.dup()).shape()));
    }
}
