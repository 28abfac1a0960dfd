// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.prepare.Networks;
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

/** Layers and vertices that only move codes lower, and the network infers what engines compute. */
@SuppressWarnings("rawtypes") // a builder that nobody can name
class MovingLayersTest {

    private static final int SIDE = 8;
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);

    private static Layer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(activation).build();
    }

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Stream<Layer> layers() {
        return Stream.of(
                new Upsampling2D.Builder(2).build(),
                new ZeroPaddingLayer.Builder(1, 2, 0, 3).build(),
                new Cropping2D.Builder(1, 0, 2, 1).build(),
                new SpaceToDepthLayer.Builder(2, CNN2DFormat.NCHW).build());
    }

    private static void requireEqual(IntGraph graph, SimulatorCheck check, INDArray features) {
        assertEquals(0, check.over(features).differingCodes());
        try (Engine reference = Engine.open("reference", graph);
                Engine onnx = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnx)
                    .over(List.of(EngineInputs.of(graph, features)))
                    .requireEqual();
        }
        assertTrue(graph.nodes().stream().anyMatch(Move.class::isInstance), graph::toString);
    }

    @ParameterizedTest
    @MethodSource("layers")
    void aLayerThatMovesCodesLowers(Layer layer) {
        INDArray images = Networks.normal(3, 16, 2, SIDE, SIDE);
        DataSet data = new DataSet(images, Networks.labels(16));
        for (Activation activation : List.of(Activation.RELU, Activation.IDENTITY)) {
            MultiLayerNetwork trained =
                    Networks.of(
                            IMAGES,
                            convolution(activation),
                            layer.clone(),
                            convolution(Activation.RELU),
                            scores());
            MultiLayerNetwork prepared =
                    Quantization.prepare(trained, INT8, Networks.batches(data));
            prepared.fit(data);
            IntGraph graph = Quantization.lower(prepared);
            try (Engine engine = Engine.open("reference", graph)) {
                requireEqual(graph, SimulatorCheck.between(prepared, engine), images);
            }
        }
    }

    @Test
    void verticesThatMoveCodesLower() {
        ComputationGraph trained =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(5)
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(10))
                                .addLayer(
                                        "wide",
                                        new DenseLayer.Builder()
                                                .nOut(12)
                                                .activation(Activation.TANH)
                                                .build(),
                                        "in")
                                .addVertex("some", new SubsetVertex(1, 6), "wide")
                                .addVertex("others", new SubsetVertex(0, 3), "wide")
                                .addVertex("both", new MergeVertex(), "some", "others")
                                .addVertex(
                                        "reshaped",
                                        new ReshapeVertex('c', new int[] {-1, 10}, null),
                                        "both")
                                .addLayer(
                                        "out",
                                        new OutputLayer.Builder(LossFunction.MSE)
                                                .nIn(10)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.IDENTITY)
                                                .build(),
                                        "reshaped")
                                .setOutputs("out")
                                .build());
        trained.init();
        INDArray features = Networks.normal(3, 16, 10);
        DataSet data = new DataSet(features, Networks.labels(16));
        ComputationGraph prepared = Quantization.prepare(trained, INT8, Networks.batches(data));
        IntGraph graph = Quantization.lower(prepared);
        try (Engine engine = Engine.open("reference", graph)) {
            requireEqual(graph, SimulatorCheck.between(prepared, engine), features);
        }
    }
}
