// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Examples of a shape that a layer cannot compute are named by layer and shape. */
class SmallImagesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    static Stream<Layer> layers() {
        return Stream.concat(
                quantized(), Stream.of(new Cropping2D.Builder(2, 2, 1, 1).name("it").build()));
    }

    static Stream<Layer> quantized() {
        return Stream.of(
                new ConvolutionLayer.Builder(5, 2)
                        .nIn(2)
                        .nOut(2)
                        .activation(Activation.RELU)
                        .name("it")
                        .build(),
                new SubsamplingLayer.Builder(PoolingType.AVG).kernelSize(5, 2).name("it").build(),
                new SubsamplingLayer.Builder(PoolingType.MAX).kernelSize(5, 2).name("it").build());
    }

    private static Layer first() {
        return new ConvolutionLayer.Builder(1, 1)
                .nIn(2)
                .nOut(2)
                .activation(Activation.RELU)
                .build();
    }

    private static OutputLayer output(int inputs) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nIn(inputs)
                .nOut(3)
                .activation(Activation.IDENTITY)
                .name("out")
                .build();
    }

    private static MultiLayerNetwork network(Layer... layers) {
        NeuralNetConfiguration.ListBuilder list =
                new NeuralNetConfiguration.Builder().seed(1).list();
        for (Layer layer : layers) {
            list.layer(layer);
        }
        MultiLayerNetwork network = new MultiLayerNetwork(list.build());
        network.init();
        return network;
    }

    private static MultiLayerNetwork around(Layer layer) {
        return network(first(), layer, new GlobalPoolingLayer(PoolingType.AVG), output(2));
    }

    private static ComputationGraph graph(Layer layer) {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("first", first(), "in")
                                .addLayer("it", layer, "first")
                                .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "it")
                                .addLayer("out", output(2), "mean")
                                .setOutputs("out")
                                .build());
        graph.init();
        return graph;
    }

    private static DataSet images(int height) {
        return new DataSet(Networks.normal(3, 4, 2, height, 6), Networks.labels(4));
    }

    private static void assertNames(String message, String layer, String shape) {
        assertTrue(message.contains(layer) && message.contains(shape), message);
        assertTrue(message.contains("; give examples"), message);
    }

    private static String refusal(Runnable call) {
        return assertThrows(IllegalArgumentException.class, call::run).getMessage();
    }

    @ParameterizedTest
    @MethodSource("layers")
    void prepareNamesTheLayerAndTheShape(Layer layer) {
        assertNames(
                refusal(
                        () ->
                                Quantization.prepare(
                                        around(layer), INT8, Networks.batches(images(3)))),
                "layer 'it'",
                "[4, 2, 3, 6]");
        assertNames(
                refusal(
                        () ->
                                Quantization.prepare(
                                        graph(layer), INT8, Networks.batches(images(3)))),
                "layer 'it'",
                "[4, 2, 3, 6]");
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void trainingAndInferenceNameTheLayerAndTheShape(Layer layer) {
        MultiLayerNetwork row =
                Quantization.prepare(around(layer), INT8, Networks.batches(images(7)));
        ComputationGraph graph =
                Quantization.prepare(graph(layer), INT8, Networks.batches(images(7)));
        INDArray small = images(3).getFeatures();
        for (Runnable call :
                List.<Runnable>of(
                        () -> row.fit(images(3)),
                        () -> row.output(small),
                        () -> graph.fit(images(3)),
                        () -> graph.output(small))) {
            assertNames(refusal(call), "layer \"it\"", "[4, 2, 3, 6]");
        }
        row.fit(images(9));
        assertEquals(4, row.output(images(9).getFeatures()).size(0));
    }

    @Test
    void namesAVertexWhoseInputsDoNotFitEachOther() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .graphBuilder()
                                .addInputs("in")
                                .addLayer("a", dense(5, 4), "in")
                                .addLayer("b", dense(5, 3), "in")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "a",
                                        "b")
                                .addLayer("out", output(4), "sum")
                                .setOutputs("out")
                                .build());
        graph.init();
        DataSet data = new DataSet(Networks.normal(3, 4, 5), Networks.labels(4));
        assertNames(
                refusal(() -> Quantization.prepare(graph, INT8, Networks.batches(data))),
                "vertex 'sum'",
                "[4, 4] and [4, 3]");
    }

    private static DenseLayer dense(int inputs, int outputs) {
        return new DenseLayer.Builder()
                .nIn(inputs)
                .nOut(outputs)
                .activation(Activation.RELU)
                .name("it")
                .build();
    }

    @Test
    void namesALayerThatReadsOtherFeatures() {
        DataSet wrong = new DataSet(Networks.normal(3, 4, 6), Networks.labels(4));
        DataSet right = new DataSet(Networks.normal(3, 4, 5), Networks.labels(4));
        assertNames(
                refusal(
                        () ->
                                Quantization.prepare(
                                        network(dense(5, 2), output(2)),
                                        INT8,
                                        Networks.batches(wrong))),
                "layer 'it'",
                "[4, 6]");
        for (MultiLayerNetwork network :
                List.of(network(dense(5, 2), output(2)), network(output(5)))) {
            MultiLayerNetwork prepared =
                    Quantization.prepare(network, INT8, Networks.batches(right));
            String name = network.getnLayers() == 2 ? "it" : "out";
            for (Runnable call :
                    List.<Runnable>of(
                            () -> prepared.fit(wrong),
                            () -> prepared.output(wrong.getFeatures()))) {
                String message = assertThrows(RuntimeException.class, call::run).getMessage();
                assertTrue(
                        message.contains("\"" + name + "\"") && message.contains("[4, 6]"),
                        message);
            }
        }
    }

    @Test
    void namesASequenceWithoutSteps() {
        MultiLayerNetwork network =
                network(
                        new LSTM.Builder().nIn(2).nOut(2).name("it").build(),
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                .nIn(2)
                                .nOut(3)
                                .activation(Activation.IDENTITY)
                                .build());
        DataSet none = new DataSet(Nd4j.create(4, 2, 0), Nd4j.create(4, 3, 0));
        String before = refusal(() -> Quantization.prepare(network, INT8, Networks.batches(none)));
        assertTrue(before.contains("[4, 2, 0]"), before);
        DataSet some = new DataSet(Networks.normal(3, 4, 2, 3), Networks.normal(4, 4, 3, 3));
        MultiLayerNetwork prepared = Quantization.prepare(network, INT8, Networks.batches(some));
        ComputationGraph graph =
                Quantization.prepare(network.toComputationGraph(), INT8, Networks.batches(some));
        for (Runnable call :
                List.<Runnable>of(
                        () -> prepared.fit(none),
                        () -> prepared.output(none.getFeatures()),
                        () -> graph.fit(none),
                        () -> graph.output(none.getFeatures()))) {
            String message = assertThrows(RuntimeException.class, call::run).getMessage();
            assertTrue(message.contains("[4, 2, 0]"), message);
        }
    }
}
