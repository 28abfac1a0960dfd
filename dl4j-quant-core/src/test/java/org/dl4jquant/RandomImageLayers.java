// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant;

import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.nd4j.linalg.activations.Activation;

/** Draws layers of images with all their options. */
@SuppressWarnings("rawtypes") // a builder that nobody can name
final class RandomImageLayers {

    private static final String NAME = RandomLayers.NAME;

    private final Dice dice;
    private final CNN2DFormat format;
    private final int channels;
    private final int height;
    private final int width;

    RandomImageLayers(Dice dice, CNN2DFormat format, int channels, int[] size) {
        this.dice = dice;
        this.format = format;
        this.channels = channels;
        this.height = size[0];
        this.width = size[1];
    }

    /** Adds one of them, with what is joined to it. */
    void addTo(List<Layer> layers) {
        switch (dice.next(16)) {
            case 0, 1, 2, 3 -> dice.arithmetic(layers, convolution());
            case 4, 5 -> dice.arithmetic(layers, depthwise());
            case 6 -> dice.arithmetic(layers, separable());
            case 7 -> dice.arithmetic(layers, transposed());
            case 8, 9, 10, 11 -> layers.add(pool());
            case 12 -> layers.add(globalPool());
            case 13 -> {
                ActivationLayer layer = new ActivationLayer(dice.function());
                layer.setLayerName(NAME);
                layers.add(layer);
            }
            default -> {
                Layer layer = imageMove();
                layers.add(layer);
                if (layer instanceof PReLULayer) {
                    // DL4J cannot flatten what it makes of images.
                    layers.add(new GlobalPoolingLayer(PoolingType.AVG));
                }
            }
        }
    }

    private <B extends ConvolutionLayer.BaseConvBuilder<B>> B windows(B builder) {
        builder.setKernelSize(dice.pair(1, 3));
        builder.setStride(dice.one(3) ? dice.pair(1, 4) : new int[] {1, 1});
        builder.setDilation(dice.one(3) ? dice.pair(1, 3) : new int[] {1, 1});
        ConvolutionMode mode = dice.mode();
        builder.convolutionMode(mode);
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(dice.one(2) ? dice.pair(0, 3) : new int[] {0, 0});
        }
        return builder;
    }

    private Layer convolution() {
        return windows(new ConvolutionLayer.Builder())
                .nOut(dice.from(1, 4))
                .dataFormat(format)
                .hasBias(!dice.one(3))
                .activation(dice.function())
                .name(NAME)
                .build();
    }

    private Layer depthwise() {
        DepthwiseConvolution2D.Builder builder = new DepthwiseConvolution2D.Builder();
        windows(builder);
        builder.depthMultiplier(dice.from(1, 3)).dataFormat(format);
        builder.hasBias(!dice.one(3)).activation(dice.function()).name(NAME);
        return builder.build();
    }

    private Layer separable() {
        SeparableConvolution2D.Builder builder = new SeparableConvolution2D.Builder();
        windows(builder);
        builder.depthMultiplier(dice.from(1, 2)).dataFormat(format);
        builder.nOut(dice.from(1, 4)).hasBias(!dice.one(3)).activation(dice.function()).name(NAME);
        return builder.build();
    }

    private Layer transposed() {
        Deconvolution2D.Builder builder = new Deconvolution2D.Builder();
        windows(builder);
        builder.dataFormat(format);
        builder.nOut(dice.from(1, 4)).hasBias(!dice.one(3)).activation(dice.function()).name(NAME);
        return builder.build();
    }

    private Layer pool() {
        PoolingType type =
                dice.pick(
                        PoolingType.MAX,
                        PoolingType.MAX,
                        PoolingType.AVG,
                        PoolingType.AVG,
                        PoolingType.SUM,
                        PoolingType.PNORM);
        ConvolutionMode mode = dice.mode();
        SubsamplingLayer.Builder builder =
                new SubsamplingLayer.Builder(type)
                        .kernelSize(dice.pair(1, 4))
                        .stride(dice.pair(1, 4))
                        .dilation(dice.one(3) ? dice.pair(1, 3) : new int[] {1, 1})
                        .convolutionMode(mode)
                        .dataFormat(format)
                        .name(NAME);
        builder.setAvgPoolIncludePadInDivisor(dice.one(2));
        if (mode != ConvolutionMode.Same) {
            builder.setPadding(dice.one(2) ? dice.pair(0, 3) : new int[] {0, 0});
        }
        return type == PoolingType.PNORM ? builder.pnorm(dice.from(1, 3)).build() : builder.build();
    }

    private Layer globalPool() {
        PoolingType type = dice.pick(PoolingType.values());
        GlobalPoolingLayer.Builder builder =
                new GlobalPoolingLayer.Builder(type).collapseDimensions(!dice.one(3));
        if (type == PoolingType.PNORM) {
            builder.pnorm(dice.from(1, 3));
        }
        if (dice.one(2)) {
            boolean last = format == CNN2DFormat.NHWC;
            builder.poolingDimensions(last ? new int[] {1, 2} : new int[] {2, 3});
        }
        GlobalPoolingLayer pool = builder.build();
        pool.setLayerName(NAME);
        return pool;
    }

    private Layer imageMove() {
        return switch (dice.next(9)) {
            case 0 ->
                    new Upsampling2D.Builder(1)
                            .size(dice.pair(1, 3))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 1 ->
                    new ZeroPaddingLayer.Builder(
                                    dice.from(0, 2),
                                    dice.from(0, 2),
                                    dice.from(0, 2),
                                    dice.from(0, 2))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 2 ->
                    new Cropping2D.Builder(
                                    dice.from(0, 1),
                                    dice.from(0, 1),
                                    dice.from(0, 1),
                                    dice.from(0, 1))
                            .dataFormat(format)
                            .name(NAME)
                            .build();
            case 3 -> new SpaceToDepthLayer.Builder(2, format).name(NAME).build();
            case 4 -> new LocalResponseNormalization.Builder().name(NAME).build();
            case 5 ->
                    new LocallyConnected2D.Builder()
                            .kernelSize(dice.pair(1, 3))
                            .nOut(dice.from(1, 3))
                            .hasBias(!dice.one(3))
                            .activation(Activation.TANH)
                            .name(NAME)
                            .build();
            case 6 -> new DropoutLayer.Builder(0.5).name(NAME).build();
            case 7 -> dice.normalization();
            default ->
                    new PReLULayer.Builder()
                            .inputShape(channels, height, width)
                            .sharedAxes(dice.one(2) ? new long[] {2, 3} : new long[] {1})
                            .name(NAME)
                            .build();
        };
    }
}
