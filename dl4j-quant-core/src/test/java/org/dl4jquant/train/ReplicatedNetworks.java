// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.report.SimulatorReport;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks for training in several replicas, and what averaging must make of them. */
final class ReplicatedNetworks {

    static final int REPLICAS = 2;

    /** Examples of one replica's iteration. */
    static final int BATCH = 6;

    private static final InputType INPUT = InputType.convolutional(6, 6, 2);

    private ReplicatedNetworks() {}

    private static NeuralNetConfiguration.Builder settings() {
        return new NeuralNetConfiguration.Builder().seed(5).updater(new Adam(0.01));
    }

    private static ConvolutionLayer convolution(int channels) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(channels)
                .convolutionMode(ConvolutionMode.Same)
                .activation(Activation.IDENTITY)
                .build();
    }

    private static ActivationLayer relu() {
        return new ActivationLayer.Builder().activation(Activation.RELU).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Networks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    /* Without dropout: replicas would drop other values than the single networks they are compared
     * with. */
    static MultiLayerNetwork chain() {
        MultiLayerNetwork floats =
                new MultiLayerNetwork(
                        settings()
                                .list()
                                .layer(convolution(4))
                                .layer(new BatchNormalization())
                                .layer(relu())
                                .layer(new DenseLayer.Builder().nOut(6).build())
                                .layer(output())
                                .setInputType(INPUT)
                                .build());
        floats.init();
        return Preparation.prepare(floats, StagedNetworks.INT4, Networks.batches(data())).network();
    }

    static ComputationGraph residual() {
        return Preparation.prepare(floatGraph(), StagedNetworks.INT4, Networks.batches(data()))
                .network();
    }

    static ComputationGraph floatGraph() {
        ComputationGraph floats =
                new ComputationGraph(
                        settings()
                                .graphBuilder()
                                .addInputs("image")
                                .setInputTypes(INPUT)
                                .addLayer("stem", convolution(4), "image")
                                .addLayer("stem-relu", relu(), "stem")
                                .addLayer("inner", convolution(4), "stem-relu")
                                .addLayer("norm", new BatchNormalization(), "inner")
                                .addVertex(
                                        "sum",
                                        new ElementWiseVertex(ElementWiseVertex.Op.Add),
                                        "norm",
                                        "stem-relu")
                                .addLayer("sum-relu", relu(), "sum")
                                .addLayer("out", output(), "sum-relu")
                                .setOutputs("out")
                                .build());
        floats.init();
        return floats;
    }

    /** {@return two rounds for each replica} */
    static DataSet data() {
        return Networks.data(2 * REPLICAS * BATCH, 2, 6, 6);
    }

    static List<DataSet> batches() {
        return data().batchBy(BATCH);
    }

    /** One iteration of any network. */
    interface Fit<N> {
        void with(N network, DataSet batch);
    }

    /**
     * {@return parameters after plain {@code fit} of a copy for each replica, averaged after each
     * round}
     *
     * @param copies one for each replica
     * @param fit trains a copy
     */
    static <N extends Model> INDArray averaged(List<N> copies, Fit<N> fit) {
        List<DataSet> batches = batches();
        for (int round = 0; round < batches.size() / REPLICAS; round++) {
            for (int replica = 0; replica < REPLICAS; replica++) {
                fit.with(copies.get(replica), batches.get(round * REPLICAS + replica));
            }
            INDArray parameters = mean(copies.stream().map(Model::params).toList());
            INDArray state = mean(copies.stream().map(ReplicatedNetworks::state).toList());
            for (N copy : copies) {
                copy.setParams(parameters.dup());
                state(copy).assign(state);
            }
        }
        return copies.get(0).params();
    }

    private static INDArray state(Model network) {
        return network instanceof ComputationGraph graph
                ? graph.getUpdater().getStateViewArray()
                : ((MultiLayerNetwork) network).getUpdater().getStateViewArray();
    }

    private static INDArray mean(List<INDArray> arrays) {
        INDArray sum = arrays.get(0).dup();
        for (INDArray array : arrays.subList(1, arrays.size())) {
            sum.addi(array);
        }
        return sum.divi(arrays.size());
    }

    /** Checks that scales have learned, and none has become useless. */
    static void requireLearnedScales(Map<String, INDArray> before, Map<String, INDArray> after) {
        List<String> scales = new ArrayList<>();
        after.forEach(
                (name, value) -> {
                    if (name.contains("scale")) {
                        scales.add(name);
                        assertTrue(value.minNumber().floatValue() > 0, name);
                        assertNotEquals(before.get(name), value, name);
                    }
                });
        assertTrue(scales.size() > 3, scales::toString);
    }

    static void requireExactIntegers(MultiLayerNetwork network) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph)) {
            requireEqual(graph, reference, SimulatorCheck.between(network, reference));
        }
    }

    static void requireExactIntegers(ComputationGraph network) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph)) {
            requireEqual(graph, reference, SimulatorCheck.between(network, reference));
        }
    }

    private static void requireEqual(IntGraph graph, Engine reference, SimulatorCheck simulator) {
        INDArray x = data().getFeatures();
        try (Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityCheck.between(reference, onnxRuntime)
                    .over(EngineInputs.of(graph, x))
                    .requireEqual();
        }
        SimulatorReport report = simulator.over(x);
        assertTrue(report.codes() > 0);
        assertEquals(0, report.differingCodes(), report.toString());
    }

    static float[] values(INDArray array) {
        return RowMajor.floats(array);
    }
}
