// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Local response normalizations: network, reference and runtime compute the same codes. */
class LocalResponseTest {

    private static final int EXAMPLES = 2;

    private static LocalResponseNormalization layer(double n, double beta) {
        return new LocalResponseNormalization.Builder().n(n).alpha(0.3).beta(beta).k(1.5).build();
    }

    private static MultiLayerNetwork network(
            Random random, CNN2DFormat format, LocalResponseNormalization layer, boolean first) {
        int channels = 3 + random.nextInt(7);
        layer.setDataFormat(format);
        NeuralNetConfiguration.ListBuilder layers =
                new NeuralNetConfiguration.Builder().seed(random.nextInt()).list();
        if (!first) {
            layers.layer(
                    new ConvolutionLayer.Builder(2, 2)
                            .nOut(3 + random.nextInt(9))
                            .dataFormat(format)
                            .activation(random.nextBoolean() ? Activation.RELU : Activation.TANH)
                            .build());
        }
        layers.layer(layer)
                .layer(
                        new ConvolutionLayer.Builder(1, 1)
                                .nOut(3)
                                .dataFormat(format)
                                .activation(Activation.IDENTITY)
                                .build())
                .layer(new ActivationLayer(Activation.RELU))
                .layer(
                        format == CNN2DFormat.NCHW
                                ? new CnnLossLayer.Builder(LossFunction.MSE)
                                        .activation(Activation.IDENTITY)
                                        .build()
                                : new OutputLayer.Builder(LossFunction.MSE)
                                        .nOut(2)
                                        .activation(Activation.IDENTITY)
                                        .build());
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        layers.setInputType(InputType.convolutional(4, 5, channels, format))
                                .build());
        network.init();
        return network;
    }

    private static INDArray features(MultiLayerNetwork network, CNN2DFormat format) {
        long channels =
                network.getLayerWiseConfigurations().getConf(0).getLayer()
                                instanceof ConvolutionLayer convolution
                        ? convolution.getNIn()
                        : ((ConvolutionLayer)
                                        network.getLayerWiseConfigurations().getConf(1).getLayer())
                                .getNIn();
        return format == CNN2DFormat.NCHW
                ? Nd4j.randn(EXAMPLES, channels, 4, 5).muli(2)
                : Nd4j.randn(EXAMPLES, 4, 5, channels).muli(2);
    }

    private static MultiLayerNetwork prepared(MultiLayerNetwork network, INDArray features) {
        return Quantization.prepare(
                network,
                QuantSpec.of(LayerScheme.INT8),
                new SingletonDataSetIterator(
                        new DataSet(features, Nd4j.zerosLike(network.output(features)))));
    }

    @Test
    void networkReferenceAndRuntimeComputeTheSameCodes() {
        double[] betas = {0.75, 0.5, 1, 0.3};
        for (int seed = 0; seed < 6; seed++) {
            Nd4j.getRandom().setSeed(seed);
            Random random = new Random(seed);
            CNN2DFormat format = seed % 3 == 2 ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
            MultiLayerNetwork network =
                    network(
                            random,
                            format,
                            layer(seed % 6, betas[seed % betas.length]),
                            seed % 4 == 0);
            INDArray features = features(network, format);
            INDArray labels = Nd4j.rand(network.output(features).shape());
            IntGraph graph =
                    EqualIntegers.of(
                            network, QuantSpec.of(LayerScheme.INT8), new DataSet(features, labels));
            assertTrue(
                    graph.nodes().stream().anyMatch(Normalize.class::isInstance),
                    () -> graph.nodes().toString());
        }
    }

    /** Codes of 8 bits have about 40 dB; four of them follow one another. */
    @ParameterizedTest
    @ValueSource(doubles = {0.75, 0.4, 1.25})
    void resultsAreNearTheFloatNetworks(double beta) {
        Nd4j.getRandom().setSeed(5);
        MultiLayerNetwork network = network(new Random(5), CNN2DFormat.NCHW, layer(3, beta), false);
        INDArray features = features(network, CNN2DFormat.NCHW);
        INDArray expected = network.output(features);
        INDArray found = prepared(network, features).output(features);
        double noise = expected.sub(found).norm2Number().doubleValue();
        double signal = expected.norm2Number().doubleValue();
        assertTrue(noise < 0.03 * signal, () -> "noise " + noise + " of " + signal);
    }

    /** A window with NaN is NaN, and whoever reads it. */
    @Test
    void anExampleWithNanIsNanAndOthersAreNot() {
        MultiLayerNetwork network = network(new Random(2), CNN2DFormat.NCHW, layer(5, 0.75), true);
        INDArray features = features(network, CNN2DFormat.NCHW);
        MultiLayerNetwork quantized = prepared(network, features);
        float[] expected = RowMajor.floats(quantized.output(features));
        features.putScalar(new int[] {1, 0, 2, 3}, Float.NaN);
        float[] found = RowMajor.floats(quantized.output(features));
        int lost = 0;
        for (int i = 0; i < found.length; i++) {
            if (Float.isNaN(found[i])) {
                lost++;
            } else {
                assertEquals(expected[i], found[i]);
            }
        }
        assertEquals(3, lost, "the channels of one place");
    }

    @Test
    void refusesPowersWithoutAnExactForm() {
        for (double beta : new double[] {0, -0.5, 5}) {
            MultiLayerNetwork network =
                    network(new Random(2), CNN2DFormat.NCHW, layer(3, beta), false);
            MultiLayerNetwork quantized = prepared(network, features(network, CNN2DFormat.NCHW));
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> Quantization.lower(quantized))
                            .getMessage();
            assertTrue(message.contains("its beta is " + beta + ", and no exact form"), message);
        }
    }
}
