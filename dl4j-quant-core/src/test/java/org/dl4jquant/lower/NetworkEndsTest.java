// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import static org.dl4jquant.lower.LastFunctionTest.EXAMPLES;
import static org.dl4jquant.lower.LastFunctionTest.FEATURES;
import static org.dl4jquant.lower.LastFunctionTest.RESULTS;
import static org.dl4jquant.lower.LastFunctionTest.SIDE;
import static org.dl4jquant.lower.LastFunctionTest.convolution;
import static org.dl4jquant.lower.LastFunctionTest.dense;
import static org.dl4jquant.lower.LastFunctionTest.features;
import static org.dl4jquant.lower.LastFunctionTest.hidden;
import static org.dl4jquant.lower.LastFunctionTest.images;
import static org.dl4jquant.lower.LastFunctionTest.pixels;
import static org.dl4jquant.lower.LastFunctionTest.pool;
import static org.dl4jquant.lower.LastFunctionTest.requireNear;
import static org.dl4jquant.lower.LastFunctionTest.requireSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The results of a pool, a sum, or an output that others read at a network's end. */
class NetworkEndsTest {

    @ParameterizedTest
    @EnumSource(
            value = PoolingType.class,
            names = {"AVG", "MAX"})
    void aPoolThatIsTheOutputReturnsItsCodesAsValues(PoolingType type) {
        for (Layer last : List.of(pool(type), new GlobalPoolingLayer(type))) {
            MultiLayerNetwork trained =
                    images(convolution(Activation.RELU.getActivationFunction()), last);
            INDArray features = features(trained);
            INDArray expected = trained.output(features);
            MultiLayerNetwork network =
                    Quantization.prepare(
                            trained,
                            QuantSpec.of(LayerScheme.INT8),
                            new SingletonDataSetIterator(new DataSet(features, null)));
            requireNear(type + " at the end", expected, network.output(features));
            IntGraph graph = Quantization.lower(network);
            assertEquals(List.of("layer1/values"), graph.outputs());
            requireSame(graph, features, network.output(features));
        }
    }

    @Test
    void aSumBeforeTheLossIsCodes() {
        ComputationGraph trained =
                new ComputationGraph(
                        LastFunctionTest.builder()
                                .setInputTypes(InputType.convolutional(SIDE, SIDE, RESULTS))
                                .addLayer(
                                        "conv",
                                        convolution(Activation.TANH.getActivationFunction()),
                                        "in")
                                .addVertex("sum", new ElementWiseVertex(Op.Add), "conv", "in")
                                .addLayer("relu", new ActivationLayer(Activation.RELU), "sum")
                                .addLayer("loss", pixels(Activation.SOFTMAX), "sum")
                                .setOutputs("loss", "relu")
                                .build());
        trained.init();
        Nd4j.getRandom().setSeed(9);
        INDArray features = Nd4j.randn(EXAMPLES, RESULTS, SIDE, SIDE);
        INDArray[] expected = trained.output(features);
        ComputationGraph network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(new DataSet(features, null)));
        INDArray[] outputs = network.output(features);
        for (int i = 0; i < outputs.length; i++) {
            requireNear("output " + i, expected[i], outputs[i]);
        }
        requireSame(Quantization.lower(network), features, outputs);
    }

    /* DL4J applies an ActivationLayer in place, to values that are an output of their own. */
    @ParameterizedTest
    @EnumSource(WorkspaceMode.class)
    void outputsThatOtherOutputsReadStayAsTheyAre(WorkspaceMode mode) {
        ComputationGraph trained =
                new ComputationGraph(
                        LastFunctionTest.builder()
                                .setInputTypes(InputType.feedForward(FEATURES))
                                .addLayer("hidden", hidden(), "in")
                                .addLayer(
                                        "values",
                                        dense(Activation.TANH.getActivationFunction()),
                                        "hidden")
                                .addLayer(
                                        "positive", new ActivationLayer(Activation.RELU), "values")
                                .addLayer(
                                        "share",
                                        new ActivationLayer(Activation.SOFTMAX),
                                        "positive")
                                .setOutputs("share", "values", "positive")
                                .build());
        trained.init();
        Nd4j.getRandom().setSeed(8);
        INDArray features = Nd4j.randn(EXAMPLES, FEATURES);
        ComputationGraph network =
                Quantization.prepare(
                        trained,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(new DataSet(features, null)));
        network.getConfiguration().setInferenceWorkspaceMode(mode);
        INDArray[] outputs = network.output(features);
        requireSame(Quantization.lower(network), features, outputs);
        assertTrue(outputs[1].minNumber().floatValue() < 0);
        assertEquals(Transforms.relu(outputs[1], true), outputs[2]);
        assertEquals(outputs[1], network.feedForward(features, false).get("values"));
    }

    /* Such as by transfer learning: DL4J's softmax and the engines' differ in the last bits. */
    @Test
    void aFunctionThatCameAfterPrepareIsRefusedUntilItIsPrepared() {
        for (Layer last :
                List.of(
                        new ActivationLayer(Activation.TANH),
                        new LossLayer.Builder(LossFunction.MSE)
                                .activation(Activation.SOFTMAX)
                                .build())) {
            MultiLayerNetwork trained =
                    images(
                            convolution(Activation.RELU.getActivationFunction()),
                            dense(new ActivationIdentity()),
                            new LossLayer.Builder(LossFunction.MSE)
                                    .activation(Activation.IDENTITY)
                                    .build());
            INDArray features = features(trained);
            SingletonDataSetIterator data =
                    new SingletonDataSetIterator(new DataSet(features, null));
            MultiLayerNetwork changed =
                    new TransferLearning.Builder(
                                    Quantization.prepare(
                                            trained, QuantSpec.of(LayerScheme.INT8), data))
                            .fineTuneConfiguration(
                                    new FineTuneConfiguration.Builder()
                                            .updater(new Sgd(0.01))
                                            .seed(3)
                                            .build())
                            .removeLayersFromOutput(1)
                            .addLayer(last)
                            .build();
            assertEquals(
                    "layer 'layer2' cannot be lowered to integers: its activation function came"
                            + " after prepare, and the network computes it as DL4J does, not in"
                            + " every bit as engines do; prepare the network again; what is"
                            + " quantized in it stays as it is",
                    assertThrows(LoweringException.class, () -> Quantization.lower(changed))
                            .getMessage());
            MultiLayerNetwork prepared =
                    Quantization.prepare(changed, QuantSpec.of(LayerScheme.INT8), data);
            assertEquals(changed.params(), prepared.params());
            requireSame(Quantization.lower(prepared), features, prepared.output(features));
            // Nothing is left to prepare.
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Quantization.prepare(prepared, QuantSpec.of(LayerScheme.INT8), data));
        }
    }
}
