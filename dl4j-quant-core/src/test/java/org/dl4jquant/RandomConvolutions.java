// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
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
        TRANSPOSED_2D,
        CONVOLUTION_3D,
        TRANSPOSED_3D
    }

    /** {@return a network around a layer of a kind, and inputs for it} */
    RandomLayers.Drawn next(Kind kind) {
        while (true) {
            try {
                RandomLayers.Drawn drawn = draw(kind);
                drawn.network().output(drawn.features().dup());
                return drawn;
            } catch (RuntimeException refusedByDl4j) {
                // Options that do not go together: the next try has others.
            }
        }
    }

    private RandomLayers.Drawn draw(Kind kind) {
        int channels = dice.from(1, 4);
        return switch (kind) {
            case CONVOLUTION_1D -> {
                int times = dice.from(3, 9);
                yield network(
                        InputType.recurrent(channels, times),
                        new long[] {EXAMPLES, channels, times},
                        dice.one(2) ? null : convolution1d(),
                        convolution1d());
            }
            case TRANSPOSED_2D -> {
                int[] size = dice.pair(2, 7);
                yield network(
                        InputType.convolutional(size[0], size[1], channels),
                        new long[] {EXAMPLES, channels, size[0], size[1]},
                        pixels(),
                        transposed(new Deconvolution2D.Builder(), 2, dice.mode()).build());
            }
            case CONVOLUTION_3D -> volumes(channels, convolution3d());
            case TRANSPOSED_3D -> {
                Deconvolution3D.Builder builder = new Deconvolution3D.Builder();
                builder.dataFormat(Convolution3D.DataFormat.NCDHW);
                yield volumes(channels, transposed(builder, 3, dice.mode()).build());
            }
        };
    }

    private RandomLayers.Drawn volumes(int channels, Layer layer) {
        int depth = dice.from(1, 5);
        int[] size = dice.pair(2, 6);
        return network(
                InputType.convolutional3D(
                        Convolution3D.DataFormat.NCDHW, depth, size[0], size[1], channels),
                new long[] {EXAMPLES, channels, depth, size[0], size[1]},
                layer);
    }

    private Layer pixels() {
        return dice.one(3)
                ? null
                : new ConvolutionLayer.Builder(1, 1)
                        .nOut(dice.from(1, 4))
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

    private <B extends ConvolutionLayer.BaseConvBuilder<B>> B transposed(
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

    private Layer convolution3d() {
        ConvolutionMode mode = dice.mode();
        Convolution3D.Builder builder =
                new Convolution3D.Builder(sizes(3, 1, 3))
                        .dataFormat(Convolution3D.DataFormat.NCDHW)
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

    private RandomLayers.Drawn network(InputType input, long[] shape, Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(dice.next(Integer.MAX_VALUE)).list();
        List<Layer> all = new ArrayList<>();
        for (Layer layer : layers) {
            if (layer != null) {
                all.add(layer);
            }
        }
        all.add(new GlobalPoolingLayer(dice.pick(PoolingType.AVG, PoolingType.MAX)));
        all.add(
                new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(CLASSES)
                        .activation(Activation.IDENTITY)
                        .build());
        all.forEach(list::layer);
        MultiLayerConfiguration conf = list.setInputType(input).build();
        // Where pooling has made vectors, DL4J still puts what makes vectors of sequences.
        conf.getInputPreProcessors().remove(all.size() - 1);
        MultiLayerNetwork network = new MultiLayerNetwork(conf);
        network.init();
        for (org.deeplearning4j.nn.api.Layer layer : network.getLayers()) {
            layer.paramTable()
                    .forEach(
                            (key, values) -> {
                                if (key.equals("b")) {
                                    values.addi(Nd4j.randn(values.shape()).muli(0.2));
                                }
                            });
        }
        INDArray features = dice.one(3) ? Nd4j.rand(shape) : Nd4j.randn(shape);
        return new RandomLayers.Drawn(network, features, Nd4j.zeros(EXAMPLES, CLASSES));
    }
}
