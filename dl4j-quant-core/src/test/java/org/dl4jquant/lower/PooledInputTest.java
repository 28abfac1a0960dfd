// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A max pool may read the network's input, which is rounded before it. */
class PooledInputTest {

    private static final int SIDE = 8;
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);
    private static final InputType FLAT = InputType.convolutionalFlat(SIDE, SIDE, 2);
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    /** The ratio that 8 bits for weights and activations leave of two layers, in decibels. */
    private static final double KEPT = 25;

    private static Layer pool() {
        return new SubsamplingLayer.Builder(PoolingType.MAX).kernelSize(2, 2).stride(2, 2).build();
    }

    private static Layer convolution() {
        return new ConvolutionLayer.Builder(3, 3).nOut(3).activation(Activation.RELU).build();
    }

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Stream<List<Layer>> networks() {
        return Stream.of(
                List.of(pool(), convolution(), scores()),
                List.of(pool(), pool(), scores()),
                List.of(new DropoutLayer(0.5), pool(), convolution(), scores()),
                List.of(new GlobalPoolingLayer(PoolingType.MAX), scores()));
    }

    private static DataSet data(boolean flat) {
        INDArray images = Networks.normal(3, 16, 2, SIDE, SIDE);
        return new DataSet(
                flat ? images.reshape('c', 16, 2 * SIDE * SIDE) : images, Networks.labels(16));
    }

    private static MultiLayerNetwork network(InputType input, List<Layer> layers) {
        return Networks.of(input, layers.stream().map(Layer::clone).toArray(Layer[]::new));
    }

    private static void requireEqual(IntGraph graph, SimulatorCheck check, INDArray features) {
        assertEquals(0, check.over(features).differingCodes());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
        }
    }

    private static void requireNear(INDArray wanted, INDArray found) {
        double noise = wanted.sub(found).norm2Number().doubleValue();
        double decibels = 20 * Math.log10(wanted.norm2Number().doubleValue() / noise);
        assertTrue(decibels > KEPT, () -> decibels + " dB");
    }

    @ParameterizedTest
    @MethodSource("networks")
    void aRowOfLayersMayBeginWithAMaxPool(List<Layer> layers) {
        // DL4J itself computes no dropout before a reshape in inference.
        boolean dropout = layers.get(0) instanceof DropoutLayer;
        for (InputType input : dropout ? List.of(IMAGES) : List.of(IMAGES, FLAT)) {
            MultiLayerNetwork trained = network(input, layers);
            DataSet data = data(input == FLAT);
            var prepared = Preparation.prepare(trained, INT8, Networks.batches(data));
            assertEquals(layers.size() + 1, prepared.network().getnLayers());
            assertTrue(
                    prepared.report()
                            .layer("input")
                            .remark()
                            .startsWith("rounded by 'input/quant"));
            IntGraph graph = Quantization.lower(prepared.network());
            try (Engine engine = Engine.open("reference", graph)) {
                requireEqual(
                        graph,
                        SimulatorCheck.between(prepared.network(), engine),
                        data.getFeatures());
            }
            requireNear(
                    trained.output(data.getFeatures()),
                    prepared.network().output(data.getFeatures()));
            prepared.network().fit(data);
            assertNotNull(Quantization.lower(prepared.network()));
        }
    }

    @Test
    void aGraphMayBeginWithAMaxPool() {
        ComputationGraph trained =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(IMAGES)
                                .addLayer("pool", pool(), "in")
                                .addLayer("conv", convolution(), "pool")
                                .addLayer("out", scores(), "conv")
                                .setOutputs("out")
                                .build());
        trained.init();
        DataSet data = data(false);
        ComputationGraph prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        IntGraph graph = Quantization.lower(prepared);
        try (Engine engine = Engine.open("reference", graph)) {
            requireEqual(graph, SimulatorCheck.between(prepared, engine), data.getFeatures());
        }
        requireNear(
                trained.outputSingle(data.getFeatures()),
                prepared.outputSingle(data.getFeatures()));
    }

    @Test
    void aNetworkThatWasNeverPreparedIsToldSo() {
        MultiLayerNetwork layers =
                network(
                        InputType.feedForward(4),
                        List.of(new DenseLayer.Builder().nOut(5).build(), scores()));
        for (MultiLayerNetwork network :
                List.of(
                        layers,
                        Quantization.prepare(
                                layers,
                                QuantSpec.of(LayerScheme.FLOAT),
                                Networks.batches(Networks.data(8, 4))))) {
            assertNeverPrepared(
                    assertThrows(
                            IllegalArgumentException.class, () -> Quantization.lower(network)));
            assertNeverPrepared(
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> Quantization.lower(network.toComputationGraph())));
        }
    }

    private static void assertNeverPrepared(IllegalArgumentException thrown) {
        assertEquals(
                "the network has no quantizers: it is a float network, or was prepared with all of"
                        + " it left in float; lower what Quantization.prepare returns for a spec of"
                        + " integers",
                thrown.getMessage());
    }
}
