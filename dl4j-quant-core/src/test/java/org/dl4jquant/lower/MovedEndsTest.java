// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.Symmetry;
import org.dl4jquant.scheme.TensorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A layer that moves elements may read the network's input, or make its result. */
@SuppressWarnings("rawtypes") // a builder that nobody can name
class MovedEndsTest {

    private static final int SIDE = 8;
    private static final InputType IMAGES = InputType.convolutional(SIDE, SIDE, 2);
    private static final InputType FLAT = InputType.convolutionalFlat(SIDE, SIDE, 2);
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final QuantSpec ASYMMETRIC =
            QuantSpec.of(
                    new LayerScheme(
                            TensorScheme.INT8_WEIGHTS,
                            TensorScheme.INT8_ACTIVATIONS.withSymmetry(Symmetry.ASYMMETRIC)));

    private static ConvolutionLayer convolution(Activation activation) {
        return new ConvolutionLayer.Builder(3, 3).nOut(4).activation(activation).build();
    }

    private static OutputLayer scores() {
        return new OutputLayer.Builder(LossFunction.MSE)
                .nOut(Networks.CLASSES)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static Layer padding() {
        return new ZeroPaddingLayer.Builder(1, 2, 0, 3).build();
    }

    private static Layer upsampling() {
        return new Upsampling2D.Builder(2).build();
    }

    static Stream<List<Layer>> rows() {
        return Stream.of(
                List.of(padding()),
                List.of(upsampling()),
                List.of(new Cropping2D.Builder(1, 0, 2, 1).build()),
                List.of(new SpaceToDepthLayer.Builder(2, CNN2DFormat.NCHW).build()),
                List.of(padding(), upsampling()));
    }

    private static DataSet data(boolean flat) {
        INDArray images = Networks.normal(3, 16, 2, SIDE, SIDE).addi(0.5);
        return new DataSet(
                flat ? images.reshape('c', 16, 2 * SIDE * SIDE) : images, Networks.labels(16));
    }

    private static long count(IntGraph graph, Class<?> type) {
        return graph.nodes().stream().filter(type::isInstance).count();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void aNetworkMayBeginWithMoves(List<Layer> moves) {
        for (InputType input : List.of(IMAGES, FLAT)) {
            for (QuantSpec spec : List.of(INT8, ASYMMETRIC)) {
                Layer[] layers =
                        Stream.concat(
                                        moves.stream(),
                                        Stream.of(convolution(Activation.RELU), scores()))
                                .map(Layer::clone)
                                .toArray(Layer[]::new);
                MultiLayerNetwork trained = Networks.of(input, layers);
                IntGraph graph = EqualIntegers.of(trained, spec, data(input == FLAT));
                assertEquals(1, count(graph, Quantize.class));
                assertEquals(moves.size(), count(graph, Move.class));
            }
        }
    }

    @Test
    void theReportNamesTheQuantizerOfTheInput() {
        MultiLayerNetwork trained =
                Networks.of(IMAGES, padding(), convolution(Activation.RELU), scores());
        var prepared = Preparation.prepare(trained, INT8, Networks.batches(data(false)));
        assertTrue(
                prepared.report()
                        .layer("input")
                        .remark()
                        .startsWith("rounded by 'input/quantized'"));
    }

    private static GraphBuilder graph() {
        return new NeuralNetConfiguration.Builder()
                .seed(5)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(IMAGES);
    }

    private static ComputationGraph network(GraphBuilder builder) {
        ComputationGraph trained = new ComputationGraph(builder.build());
        trained.init();
        return trained;
    }

    /** A layer that reads the input beside a move reads the same codes. */
    @Test
    void theInputIsRoundedOnceForAllItsReaders() {
        GraphVertex subset = new SubsetVertex(1, 1);
        ComputationGraph trained =
                network(
                        graph().addVertex("some", subset, "in")
                                .addLayer("a", convolution(Activation.RELU), "some")
                                .addLayer("b", convolution(Activation.TANH), "in")
                                .addVertex("both", new MergeVertex(), "a", "b")
                                .addLayer("out", scores(), "both")
                                .setOutputs("out"));
        IntGraph graph = EqualIntegers.of(trained, INT8, data(false));
        assertEquals(1, count(graph, Quantize.class));
    }

    @Test
    void aNetworkMayEndWithMoves() {
        for (Activation activation : List.of(Activation.IDENTITY, Activation.SIGMOID)) {
            for (Layer move :
                    List.of(
                            upsampling(),
                            padding(),
                            new SpaceToDepthLayer.Builder(2, CNN2DFormat.NCHW).build())) {
                ComputationGraph trained =
                        network(
                                graph().addLayer("conv", convolution(activation), "in")
                                        .addLayer("moved", move, "conv")
                                        .addLayer(
                                                "loss",
                                                new CnnLossLayer.Builder(LossFunction.MSE)
                                                        .activation(Activation.IDENTITY)
                                                        .build(),
                                                "moved")
                                        .setOutputs("loss"));
                INDArray features = data(false).getFeatures();
                INDArray labels = trained.outputSingle(features).mul(0.5);
                IntGraph graph = EqualIntegers.of(trained, INT8, new DataSet(features, labels));
                assertEquals(1, count(graph, Move.class));
            }
        }
    }
}
