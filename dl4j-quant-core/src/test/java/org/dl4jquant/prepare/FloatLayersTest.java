// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers that a spec leaves in float, beside quantized ones. */
class FloatLayersTest {

    private static final List<String> FOLLOWED = List.of("first", "second");

    private static MultiLayerNetwork network() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.convolutional(8, 8, 2),
                        new ConvolutionLayer.Builder(3, 3)
                                .name("first")
                                .nOut(4)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new BatchNormalization.Builder().name("first-norm").build(),
                        new ActivationLayer.Builder()
                                .name("first-relu")
                                .activation(Activation.RELU)
                                .build(),
                        new DenseLayer.Builder()
                                .name("second")
                                .nOut(6)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new ActivationLayer.Builder()
                                .name("second-tanh")
                                .activation(Activation.TANH)
                                .build(),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .name("output")
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        network.fit(Networks.data(24, 2, 8, 8));
        return network;
    }

    private static QuantSpec only(String layer) {
        return QuantSpec.of(LayerScheme.FLOAT).with(LayerSelector.named(layer), LayerScheme.INT4);
    }

    @Test
    void keepTheirNormalizationAndActivation() {
        MultiLayerNetwork trained = network();
        DataSet data = Networks.data(24, 2, 8, 8);
        INDArray x = data.getFeatures();
        PreparedNetwork<MultiLayerNetwork> prepared =
                Preparation.prepare(trained, only("output"), Networks.batches(data));
        assertEquals(6, prepared.network().getnLayers());
        assertEquals(
                trained.feedForward(x, false).subList(0, 6),
                prepared.network().feedForward(x, false).subList(0, 6));
        for (String layer : List.of("first", "first-norm", "first-relu", "second", "second-tanh")) {
            assertNull(prepared.report().layer(layer).scheme(), layer);
        }
        assertEquals(
                "rounds its input, result in float", prepared.report().layer("output").remark());
    }

    @Test
    void keepThemInAGraphToo() {
        ComputationGraph trained = network().toComputationGraph();
        DataSet data = Networks.data(24, 2, 8, 8);
        ComputationGraph prepared =
                Preparation.prepare(trained, only("output"), Networks.batches(data)).network();
        assertEquals(
                trained.feedForward(data.getFeatures(), false).get("second-tanh"),
                prepared.feedForward(data.getFeatures(), false).get("second-tanh"));
    }

    @Test
    void standBesideLayersThatAreJoined() {
        MultiLayerNetwork trained = network();
        DataSet data = Networks.data(24, 2, 8, 8);
        for (String layer : FOLLOWED) {
            PreparedNetwork<MultiLayerNetwork> prepared =
                    Preparation.prepare(trained, only(layer), Networks.batches(data));
            boolean first = layer.equals("first");
            assertEquals(first ? 4 : 5, prepared.network().getnLayers());
            assertEquals(
                    "joined with '" + layer + "'",
                    prepared.report().layer(first ? "first-relu" : "second-tanh").remark());
            prepared.network().fit(data);
        }
    }
}
