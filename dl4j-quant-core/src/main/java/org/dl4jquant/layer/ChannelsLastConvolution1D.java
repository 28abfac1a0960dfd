// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.Convolution1DLayer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.Convolution1DUtils;
import org.deeplearning4j.util.ConvolutionUtils;
import org.dl4jquant.nd.Detached;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.Conv1DDerivative;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv1DConfig;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A convolution of sequences in format NWC, as imports of Keras models have it. DL4J's own cannot
 * train: its backward pass takes the gradient, and makes the input's, as if they were in format
 * NCW, which ND4J refuses. The quantized layer has moved its activation function out.
 */
final class ChannelsLastConvolution1D extends Convolution1DLayer {

    private static final long serialVersionUID = 1L;

    private ChannelsLastConvolution1D(NeuralNetConfiguration conf, DataType type) {
        super(conf, type);
    }

    /**
     * {@return whether a layer is one that this class computes}
     *
     * @param layer a layer's configuration
     */
    static boolean computes(org.deeplearning4j.nn.conf.layers.Layer layer) {
        return layer.getClass() == org.deeplearning4j.nn.conf.layers.Convolution1DLayer.class
                && layer instanceof org.deeplearning4j.nn.conf.layers.Convolution1DLayer sequences
                && sequences.getRnnDataFormat() == RNNFormat.NWC;
    }

    /**
     * {@return the running layer}
     *
     * @param conf the configuration with the layer in it, without an activation function
     * @param index its index
     * @param view its parameters, not initialized
     * @param type the network's floating-point type
     */
    static ChannelsLastConvolution1D of(
            NeuralNetConfiguration conf, int index, INDArray view, DataType type) {
        ChannelsLastConvolution1D layer = new ChannelsLastConvolution1D(conf, type);
        layer.setIndex(index);
        layer.setParamsViewArray(view);
        layer.setParamTable(conf.getLayer().initializer().init(conf, view, false));
        layer.setConf(conf);
        return layer;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr mgr) {
        assertInputSet(true);
        INDArray toInput = Detached.compute(() -> backward(epsilon));
        Gradient gradient = new DefaultGradient();
        if (layerConf().hasBias()) {
            gradient.setGradientFor(
                    ConvolutionParamInitializer.BIAS_KEY,
                    gradientView(ConvolutionParamInitializer.BIAS_KEY));
        }
        gradient.setGradientFor(
                ConvolutionParamInitializer.WEIGHT_KEY,
                gradientView(ConvolutionParamInitializer.WEIGHT_KEY),
                'c');
        INDArray own = mgr.dup(ArrayType.ACTIVATION_GRAD, toInput);
        return new Pair<>(gradient, backpropDropOutIfPresent(own));
    }

    /* Writes the gradients of the parameters; returns that of the input, in the input's format. */
    private INDArray backward(INDArray epsilon) {
        INDArray x = turned(input.castTo(dataType));
        INDArray toInput = Nd4j.createUninitialized(x.dataType(), x.shape(), 'c');
        INDArray weights =
                Convolution1DUtils.reshapeWeightArrayOrGradientForFormat(
                        getParam(ConvolutionParamInitializer.WEIGHT_KEY), RNNFormat.NCW);
        INDArray toWeights =
                Convolution1DUtils.reshapeWeightArrayOrGradientForFormat(
                        gradientView(ConvolutionParamInitializer.WEIGHT_KEY), RNNFormat.NCW);
        boolean biased = layerConf().hasBias();
        INDArray delta = turned(epsilon);
        Nd4j.exec(
                new Conv1DDerivative(
                        biased
                                ? new INDArray[] {
                                    x,
                                    weights,
                                    flat(getParam(ConvolutionParamInitializer.BIAS_KEY)),
                                    delta
                                }
                                : new INDArray[] {x, weights, delta},
                        biased
                                ? new INDArray[] {
                                    toInput,
                                    toWeights,
                                    flat(gradientView(ConvolutionParamInitializer.BIAS_KEY))
                                }
                                : new INDArray[] {toInput, toWeights},
                        window()));
        return turned(toInput);
    }

    private Conv1DConfig window() {
        org.deeplearning4j.nn.conf.layers.ConvolutionLayer conf = layerConf();
        return Conv1DConfig.builder()
                .k(conf.getKernelSize()[0])
                .s(conf.getStride()[0])
                .d(conf.getDilation()[0])
                .p(conf.getPadding()[0])
                .dataFormat(Conv1DConfig.NCW)
                .paddingMode(ConvolutionUtils.paddingModeForConvolutionMode(convolutionMode))
                .build();
    }

    /* Between [N, T, C] and [N, C, T]. */
    private static INDArray turned(INDArray sequences) {
        return sequences.permute(0, 2, 1).dup('c');
    }

    private static INDArray flat(INDArray bias) {
        return bias.reshape(bias.length());
    }

    private INDArray gradientView(String key) {
        return Objects.requireNonNull(gradientViews.get(key), key);
    }
}
