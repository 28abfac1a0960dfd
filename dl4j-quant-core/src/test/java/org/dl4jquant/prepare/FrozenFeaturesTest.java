// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.report.SimulatorCheck;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Training on the results of frozen layers gives the bits of training the whole network. */
class FrozenFeaturesTest {

    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final FineTuneConfiguration UNCHANGED =
            new FineTuneConfiguration.Builder().seed(7).build();
    private static final int EPOCHS = 3;

    /** DL4J computes a frozen sum as in training, in float; three steps of Adam carry that on. */
    private static final double LAST_BITS = 1e-3;

    private static MultiLayerNetwork images() {
        return Networks.of(
                new Adam(0.01),
                InputType.convolutional(8, 8, 2),
                new ConvolutionLayer.Builder(3, 3)
                        .name("conv1")
                        .nOut(4)
                        .activation(Activation.RELU)
                        .build(),
                new SubsamplingLayer.Builder().name("pool").kernelSize(2, 2).stride(2, 2).build(),
                new ConvolutionLayer.Builder(2, 2).nOut(3).activation(Activation.IDENTITY).build(),
                new BatchNormalization.Builder().name("norm").build(),
                new DenseLayer.Builder().nOut(6).activation(Activation.RELU).build(),
                new OutputLayer.Builder(LossFunction.MCXENT)
                        .name("last")
                        .nOut(Networks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build());
    }

    private static DenseLayer dense() {
        return new DenseLayer.Builder().nIn(8).nOut(8).activation(Activation.RELU).build();
    }

    /** Two sums; the second one, after the first dense layer, reads what that layer reads. */
    private static ComputationGraph residual() {
        ElementWiseVertex add = new ElementWiseVertex(ElementWiseVertex.Op.Add);
        ComputationGraph network =
                new ComputationGraph(
                        new NeuralNetConfiguration.Builder()
                                .seed(3)
                                .updater(new Adam(0.01))
                                .graphBuilder()
                                .addInputs("in")
                                .setInputTypes(InputType.feedForward(8))
                                .addLayer("first", dense(), "in")
                                .addLayer("second", dense(), "first")
                                .addVertex("sum", add, "first", "second")
                                .addLayer("third", dense(), "sum")
                                .addVertex("again", add.clone(), "first", "third")
                                .addLayer(
                                        "last",
                                        new OutputLayer.Builder(LossFunction.MCXENT)
                                                .nIn(8)
                                                .nOut(Networks.CLASSES)
                                                .activation(Activation.SOFTMAX)
                                                .build(),
                                        "again")
                                .setOutputs("last")
                                .build());
        network.init();
        return network;
    }

    private static DataSet imageData() {
        return Networks.data(24, 2, 8, 8);
    }

    private static MultiLayerNetwork quantizedImages() {
        MultiLayerNetwork made =
                Preparation.prepare(images(), INT8, Networks.batches(imageData())).network();
        made.fit(Networks.batches(imageData()), 1);
        return made;
    }

    private static ComputationGraph quantizedResidual() {
        ComputationGraph made =
                Preparation.prepare(residual(), INT8, Networks.batches(Networks.data(24, 8)))
                        .network();
        made.fit(Networks.batches(Networks.data(24, 8)), 1);
        return made;
    }

    private static void requireSameTraining(MultiLayerNetwork network, int frozen) {
        MultiLayerNetwork expected =
                new TransferLearning.Builder(network)
                        .fineTuneConfiguration(UNCHANGED)
                        .setFeatureExtractor(frozen)
                        .build();
        expected.fit(Networks.batches(imageData()), EPOCHS);

        MultiLayerNetwork fresh = network.clone();
        fresh.setUpdater(null);
        fresh.setIterationCount(0);
        fresh.setEpochCount(0);
        String last = LayerNames.of(fresh.getLayerWiseConfigurations()).get(frozen);
        FrozenFeatures<MultiLayerNetwork> features = FrozenFeatures.of(fresh, last);
        INDArray before = fresh.params().dup();
        features.tail().fit(features.features(Networks.batches(imageData())), EPOCHS);

        MultiLayerNetwork trained = features.network();
        assertEquals(before, fresh.params());
        assertNotEquals(before, trained.params());
        assertEquals(expected.params(), trained.params());
        INDArray x = imageData().getFeatures();
        assertEquals(expected.output(x), trained.output(x));
    }

    @Test
    void theLastLayersOfAFloatNetworkLearnTheSameBits() {
        MultiLayerNetwork network = images();
        network.fit(imageData());
        requireSameTraining(network, 1);
    }

    @Test
    void theLastLayersOfAQuantizedNetworkLearnTheSameBitsWhereverItIsCut() {
        MultiLayerNetwork network = quantizedImages();
        for (int frozen = 0; frozen < network.getnLayers() - 1; frozen++) {
            requireSameTraining(network, frozen);
        }
    }

    private static void requireSameTraining(
            ComputationGraph network, String frozen, double tolerance) {
        DataSet data = Networks.data(24, 8);
        ComputationGraph expected =
                new TransferLearning.GraphBuilder(network)
                        .fineTuneConfiguration(UNCHANGED)
                        .setFeatureExtractor(frozen)
                        .build();
        ComputationGraph fresh = network.clone();
        fresh.setUpdater(null);
        fresh.getConfiguration().setIterationCount(0);
        fresh.getConfiguration().setEpochCount(0);
        FrozenFeatures<ComputationGraph> features = FrozenFeatures.of(fresh, frozen);
        MultiDataSet batch =
                new MultiDataSet(
                        new INDArray[] {data.getFeatures()}, new INDArray[] {data.getLabels()});
        MultiDataSet computed = features.features(batch);
        for (int i = 0; i < EPOCHS; i++) {
            expected.fit(data);
            features.tail().fit(computed);
        }
        ComputationGraph trained = features.network();
        assertNotEquals(fresh.params(), trained.params());
        double difference = expected.params().sub(trained.params()).amaxNumber().doubleValue();
        assertTrue(difference <= tolerance, frozen + ": " + difference);
    }

    @Test
    void theLastLayersOfAGraphLearnTheSameBits() {
        ComputationGraph floats = residual();
        floats.fit(Networks.data(24, 8));
        ComputationGraph quantized = quantizedResidual();
        for (ComputationGraph network : List.of(floats, quantized)) {
            requireSameTraining(network, "first", 0);
            requireSameTraining(network, "second", 0);
        }
        requireSameTraining(floats, "sum", 0);
        requireSameTraining(quantized, "sum", LAST_BITS);
        requireSameTraining(quantized, "sum/quantized", LAST_BITS);
    }

    @Test
    void theWholeNetworkTrainsOnAndLowersExactly() {
        FrozenFeatures<MultiLayerNetwork> features = FrozenFeatures.of(quantizedImages(), "pool");
        features.tail().fit(features.features(Networks.batches(imageData())), EPOCHS);
        MultiLayerNetwork network = features.network();
        // 3 batches in each epoch, one epoch before
        assertEquals(3 + 3 * EPOCHS, network.getIterationCount());
        assertEquals(1 + EPOCHS, network.getEpochCount());
        network.fit(imageData());
        try (Engine engine = Engine.open("reference", Quantization.lower(network))) {
            var report = SimulatorCheck.between(network, engine).over(imageData().getFeatures());
            assertEquals(0, report.differingCodes(), report.toString());
        }
    }

    private static String refusal(Executable call) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    @Test
    void refusalsSayWhatIsAllowed() {
        MultiLayerNetwork network = quantizedImages();
        String unknown = refusal(() -> FrozenFeatures.of(network, "conv9"));
        assertTrue(unknown.contains("no layer or vertex 'conv9'; it has [conv1"), unknown);
        String all = refusal(() -> FrozenFeatures.of(network, "last"));
        assertTrue(all.contains("frozen, too; name an earlier layer"), all);
        ComputationGraph graph = residual();
        assertTrue(refusal(() -> FrozenFeatures.of(graph)).contains("at least one frozen layer"));
        DataSet data = Networks.data(24, 8);
        String several = refusal(() -> FrozenFeatures.of(graph, "second").features(data));
        assertTrue(several.contains("[first, second]; a DataSet holds one tensor"), several);
        DataSet masked = imageData();
        masked.setFeaturesMaskArray(Networks.normal(1, 24, 1));
        String mask = refusal(() -> FrozenFeatures.of(network, "pool").features(masked));
        assertTrue(mask.contains("the features have a mask"), mask);
    }
}
