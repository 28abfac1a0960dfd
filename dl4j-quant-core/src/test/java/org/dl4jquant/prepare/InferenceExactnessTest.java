// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.LayerIntegers;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.ScalarLayers;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** A prepared network returns the results of plain integer loops over its parameters. */
class InferenceExactnessTest {

    private static final InputType IMAGES = InputType.convolutional(9, 8, 3);

    @ParameterizedTest
    @EnumSource(
            value = Activation.class,
            names = {"IDENTITY", "RELU", "RELU6", "LEAKYRELU", "SIGMOID", "TANH", "GELU", "SWISH"})
    void aConvolutionReturnsTheValuesOfItsIntegerCodes(Activation function) {
        requireExact(
                Networks.of(
                        IMAGES,
                        convolution(function).stride(2, 1).padding(1, 2).build(),
                        convolution(function).convolutionMode(ConvolutionMode.Same).build(),
                        output()));
    }

    @Test
    void aDilatedStridedConvolutionIsExact() {
        requireExact(
                Networks.of(
                        IMAGES,
                        convolution(Activation.RELU)
                                .padding(2, 0)
                                .stride(2, 2)
                                .dilation(2, 3)
                                .build(),
                        output()));
    }

    @Test
    void aDepthwiseConvolutionWithAMultiplierIsExact() {
        requireExact(
                Networks.of(
                        IMAGES,
                        new DepthwiseConvolution2D.Builder(3, 2)
                                .depthMultiplier(2)
                                .activation(Activation.RELU)
                                .build(),
                        output()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void batchNormalizationIsFoldedWithNegativeAndZeroFactors(boolean hasBias) {
        MultiLayerNetwork network =
                Networks.of(
                        IMAGES,
                        convolution(Activation.IDENTITY).hasBias(hasBias).build(),
                        new BatchNormalization.Builder().build(),
                        new ActivationLayer(Activation.RELU),
                        new DenseLayer.Builder().nOut(7).activation(Activation.IDENTITY).build(),
                        new BatchNormalization.Builder().build(),
                        output());
        for (int normalization : new int[] {1, 4}) {
            INDArray gamma = network.getLayer(normalization).getParam("gamma");
            gamma.assign(Networks.normal(3, gamma.length()));
            gamma.putScalar(1, 0);
            gamma.putScalar(2, -1e-12);
            INDArray beta = network.getLayer(normalization).getParam("beta");
            beta.assign(Networks.normal(4, beta.length()));
            INDArray mean = network.getLayer(normalization).getParam("mean");
            mean.assign(Networks.normal(5, mean.length()).muli(0.3));
        }
        requireExact(network);
    }

    @Test
    void asymmetricActivationsAreExact() {
        LayerScheme scheme =
                new LayerScheme(
                        LayerScheme.INT8.weights(),
                        LayerScheme.INT8.activations().withSymmetry(Symmetry.ASYMMETRIC));
        requireExact(
                Networks.of(
                        IMAGES,
                        convolution(Activation.TANH).convolutionMode(ConvolutionMode.Same).build(),
                        new DenseLayer.Builder().nOut(7).activation(Activation.IDENTITY).build(),
                        output()),
                scheme);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 6})
    void narrowWidthsAreExact(int bits) {
        requireExact(
                Networks.of(
                        IMAGES,
                        convolution(Activation.RELU).build(),
                        new DenseLayer.Builder().nOut(7).activation(Activation.RELU).build(),
                        output()),
                LayerScheme.ofBits(bits, bits));
    }

    private static ConvolutionLayer.Builder convolution(Activation function) {
        return new ConvolutionLayer.Builder(3, 2).nOut(5).activation(function).biasInit(0.1);
    }

    private static Layer output() {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static void requireExact(MultiLayerNetwork network) {
        requireExact(network, LayerScheme.INT8);
    }

    private static void requireExact(MultiLayerNetwork network, LayerScheme scheme) {
        var data = Networks.data(12, 3, 9, 8);
        MultiLayerNetwork prepared =
                Preparation.prepare(network, QuantSpec.of(scheme), Networks.batches(data))
                        .network();
        prepared.fit(data);
        List<INDArray> activations = prepared.feedForward(data.getFeatures(), false);
        for (int i = 0; i < prepared.getnLayers(); i++) {
            QuantizedLayer conf = QuantizedLayers.configuration(prepared.getLayer(i)).orElseThrow();
            LayerIntegers integers = LayerIntegers.of(prepared.getLayer(i)).orElseThrow();
            assertNotNull(integers.weights());
            requireExact(conf, integers, activations.get(i), activations.get(i + 1));
        }
    }

    private static void requireExact(
            QuantizedLayer conf, LayerIntegers integers, INDArray in, INDArray out) {
        int examples = (int) in.size(0);
        int length = (int) in.length() / examples;
        float[] inputs = RowMajor.floats(in);
        float[] results = RowMajor.floats(out);
        int resultLength = results.length / examples;
        assertEquals(length, integers.inputShape().elements());
        for (int example = 0; example < examples; example++) {
            float[] expected =
                    ScalarLayers.run(
                            integers,
                            conf.getUnderlying(),
                            Arrays.copyOfRange(inputs, example * length, (example + 1) * length));
            float[] found =
                    Arrays.copyOfRange(
                            results, example * resultLength, (example + 1) * resultLength);
            assertArrayEquals(expected, found, "layer " + conf.getLayerName());
        }
    }
}
