// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers without weights have no updater in DL4J, which then subtracts the bare gradient. */
class StandaloneUpdatersTest {

    private static final InputType INPUT = InputType.convolutional(6, 6, 2);

    /* One float32 rounding each of gradient, step and difference. */
    private static final double ROUNDING = 1e-5;

    @TempDir private Path folder;

    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(3, 3).name("conv").nOut(4).build();
    }

    private static GlobalPoolingLayer pool() {
        return new GlobalPoolingLayer.Builder(PoolingType.AVG).name("pool").build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .name("out")
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static DataSet data() {
        return Networks.data(24, 2, 6, 6);
    }

    private static MultiLayerNetwork network(IUpdater updater) {
        return Preparation.prepare(
                        Networks.of(updater, INPUT, convolution(), pool(), output()),
                        QuantSpec.of(LayerScheme.INT8),
                        Networks.batches(data()))
                .network();
    }

    /** The step of plain gradient descent: rate times the mean gradient. */
    @Test
    void thePoolsScaleGoesDownhillAtTheNetworksRate() {
        MultiLayerNetwork slow = network(new Sgd(0.001));
        MultiLayerNetwork slower = network(new Sgd(0.0005));
        double from = slow.getParam("1_scaleOut").getDouble(0);
        assertEquals(from, slower.getParam("1_scaleOut").getDouble(0));

        slow.fit(data());
        slower.fit(data());

        double step = slow.getParam("1_scaleOut").getDouble(0) - from;
        assertNotEquals(0, step);
        assertEquals(
                step / 2,
                slower.getParam("1_scaleOut").getDouble(0) - from,
                Math.abs(from) * ROUNDING);
    }

    @Test
    void aScaleWithoutWeightsFollowsTheLayerBefore() {
        assertEquals(new Nesterovs(0.01, 0.9), updater(network(new Nesterovs(0.01, 0.9)), 1));
    }

    private static IUpdater updater(MultiLayerNetwork network, int layer) {
        return network.getLayer(layer).getConfig().getUpdaterByParam(TensorRole.OUTPUT.scaleKey());
    }

    @Test
    void itIsInTheModelFile() throws IOException {
        MultiLayerNetwork network = network(new Nesterovs(0.01, 0.9));
        Path file = folder.resolve("model.zip");
        ModelSerializer.writeModel(network, file.toFile(), true);

        MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);

        assertEquals(new Nesterovs(0.01, 0.9), updater(restored, 1));
        assertEquals(network.getLayerWiseConfigurations(), restored.getLayerWiseConfigurations());
    }

    @Test
    void inAGraphTheFirstLayerFollowsTheNextWeights() {
        ComputationGraph graph =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(1)
                                .updater(new Sgd(0.25))
                                .graphBuilder()
                                .addInputs("image")
                                .setInputTypes(INPUT)
                                .addLayer(
                                        "first",
                                        new ActivationLayer.Builder()
                                                .activation(Activation.TANH)
                                                .build(),
                                        "image")
                                .addVertex(
                                        "add",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "first",
                                        "image")
                                .addLayer(
                                        "relu",
                                        new ActivationLayer.Builder()
                                                .activation(Activation.RELU)
                                                .build(),
                                        "add")
                                .addLayer("conv", convolution(), "relu")
                                .addLayer("pool", pool(), "conv")
                                .addLayer("out", output(), "pool")
                                .setOutputs("out")
                                .build());
        graph.init();
        ComputationGraph prepared =
                Preparation.prepare(graph, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                        .network();
        for (String name : new String[] {"first", "relu", "pool"}) {
            assertEquals(
                    new Sgd(0.25),
                    prepared.getLayer(name)
                            .getConfig()
                            .getUpdaterByParam(TensorRole.OUTPUT.scaleKey()),
                    name);
        }
        INDArray before = prepared.getParam("pool_scaleOut").dup();
        prepared.fit(data());
        assertNotEquals(before, prepared.getParam("pool_scaleOut"));
    }
}
