// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.fakequant.FakeQuantizer;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeMean;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Means of codes: the network's inference computes what the engines compute, also where a float
 * mean is rounded to the neighbouring code.
 */
final class ExactMeansTest {

    private static final CodeRange INT8 = CodeRange.signed(8);
    private static final int SIDE = 8;
    private static final int CHANNELS = 3;
    private static final int TRIALS = 40;

    private static Layer average(
            int kernel, int stride, int padding, ConvolutionMode mode, boolean countPadding) {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                .kernelSize(kernel, kernel)
                .stride(stride, stride)
                .padding(padding, padding)
                .convolutionMode(mode)
                .avgPoolIncludePadInDivisor(countPadding)
                .build();
    }

    static Stream<Arguments> pools() {
        return Stream.of(
                Arguments.of("images", new GlobalPoolingLayer(PoolingType.AVG)),
                Arguments.of(
                        "images that keep their dimensions",
                        new GlobalPoolingLayer.Builder(PoolingType.AVG)
                                .collapseDimensions(false)
                                .build()),
                Arguments.of(
                        "a window that covers the image",
                        average(SIDE, 1, 0, ConvolutionMode.Truncate, false)),
                Arguments.of("windows", average(2, 2, 0, ConvolutionMode.Truncate, false)),
                Arguments.of(
                        "windows that overlap", average(3, 1, 1, ConvolutionMode.Truncate, false)),
                Arguments.of(
                        "windows that count padding",
                        average(4, 2, 2, ConvolutionMode.Truncate, true)),
                Arguments.of(
                        "windows of mode Same", average(4, 3, 0, ConvolutionMode.Same, false)));
    }

    private static MultiLayerNetwork prepared(Layer pool) {
        MultiLayerNetwork network =
                new MultiLayerNetwork(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .list()
                                .layer(pool)
                                .layer(
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nOut(2)
                                                .activation(Activation.IDENTITY)
                                                .build())
                                .setInputType(InputType.convolutional(SIDE, SIDE, CHANNELS))
                                .build());
        network.init();
        Nd4j.getRandom().setSeed(8);
        LayerScheme asymmetric =
                new LayerScheme(
                        TensorScheme.INT8_WEIGHTS,
                        TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC));
        return Quantization.prepare(
                network,
                QuantSpec.of(asymmetric),
                new SingletonDataSetIterator(
                        new DataSet(Nd4j.randn(8, CHANNELS, SIDE, SIDE), Nd4j.zeros(8, 2))));
    }

    private static void set(MultiLayerNetwork network, QuantParams input, QuantParams output) {
        org.deeplearning4j.nn.api.Layer pool = network.getLayer(0);
        pool.getParam(TensorRole.INPUT.scaleKey()).assign(input.scale());
        pool.getParam(TensorRole.INPUT.zeroKey()).assign(input.zeroPoint());
        pool.getParam(TensorRole.OUTPUT.scaleKey()).assign(output.scale());
        pool.getParam(TensorRole.OUTPUT.zeroKey()).assign(output.zeroPoint());
    }

    @ParameterizedTest(name = "of {0}")
    @MethodSource("pools")
    void inferenceAveragesAsTheEnginesDo(String name, Layer pool) {
        MultiLayerNetwork network = prepared(pool);
        Random random = new Random(9);
        for (int trial = 0; trial < TRIALS; trial++) {
            // A scale that is a power of two smaller makes ties: halves, quarters, eighths.
            float scale = (float) Math.exp(random.nextGaussian());
            float ratio =
                    trial % 2 == 0 ? 0.5f * (1 + random.nextInt(3)) : random.nextFloat() + 0.2f;
            QuantParams input = new QuantParams(scale, random.nextInt(256) - 128, INT8);
            QuantParams output = new QuantParams(scale * ratio, random.nextInt(256) - 128, INT8);
            set(network, input, output);
            INDArray features = Nd4j.rand(64, CHANNELS, SIDE, SIDE);
            features.muli(300 * scale).addi((-150 - input.zeroPoint()) * scale);
            IntGraph graph = Quantization.lower(network);
            try (Engine reference = Engine.open("reference", graph);
                    Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
                EqualityCheck.between(reference, onnxRuntime)
                        .over(EngineInputs.of(graph, features))
                        .requireEqual();
                SimulatorReport report = SimulatorCheck.between(network, reference).over(features);
                assertTrue(report.codes() >= 64 * CHANNELS, report::toString);
                assertEquals(0, report.differingCodes(), () -> input + " " + output + report);
            }
        }
    }

    /** A pair of codes in each window, all 65,536 of them, and the zero point odd. */
    @Test
    void theFloatMeanOfPairsIsRoundedOtherwise() {
        QuantParams input = new QuantParams(0.75f, 0, INT8);
        QuantParams output = new QuantParams(0.75f, 3, INT8);
        float[] means = new float[256 * 256];
        int differing = 0;
        for (int pair = 0; pair < means.length; pair++) {
            float sum = input.dequantize(pair / 256 - 128) + input.dequantize(pair % 256 - 128);
            means[pair] = sum / 2;
        }
        INDArray rounded = RowMajor.array(means, 256, 256);
        FakeQuantizer.of(INT8, output.zeroPoint(), Estimator.STE, Channels.NONE)
                .forward(rounded, Nd4j.scalar(output.scale()), rounded);
        float[] found = RowMajor.floats(rounded);
        for (int pair = 0; pair < means.length; pair++) {
            int code = CodeMean.ofWindow(means[pair] * 2, 2, output);
            differing += output.dequantize(code) == found[pair] ? 0 : 1;
        }
        assertTrue(differing > 10_000, "only " + differing + " of 65536 pairs are hard");
    }

    @Test
    void scalesTooFarApartAreSimulatedInFloatAndNotLowered() {
        MultiLayerNetwork network = prepared(new GlobalPoolingLayer(PoolingType.AVG));
        QuantParams input = new QuantParams(1, 0, INT8);
        set(network, input, new QuantParams(1e-7f, 0, INT8));
        INDArray features = Nd4j.ones(1, CHANNELS, SIDE, SIDE);
        INDArray clipped = network.feedForward(features, false).get(1);
        assertEquals(127 * 1e-7f, clipped.getFloat(0));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Engine.open("reference", Quantization.lower(network)))
                        .getMessage();
        assertTrue(message.contains("choose a result scale nearer to the input's"), message);
    }
}
