// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** DL4J's transfer learning with a prepared network: its results and its refusals. */
class TransferLearningTest {

    private static final int NEW_CLASSES = 2;
    private static final QuantSpec INT8 = QuantSpec.of(LayerScheme.INT8);
    private static final FineTuneConfiguration FINE_TUNING =
            new FineTuneConfiguration.Builder().updater(new Adam(0.01)).seed(9).build();

    private static DenseLayer dense(String name) {
        return new DenseLayer.Builder().name(name).nOut(8).activation(Activation.RELU).build();
    }

    private static OutputLayer output(String name, int classes) {
        return new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                .name(name)
                .nIn(8)
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static MultiLayerNetwork prepared(QuantSpec spec) {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(6),
                        dense("first"),
                        dense("second"),
                        output("last", Networks.CLASSES));
        MultiLayerNetwork prepared =
                Preparation.prepare(network, spec, Networks.batches(data())).network();
        prepared.fit(data());
        return prepared;
    }

    private static DataSet data() {
        return Networks.data(24, 6);
    }

    /** The same inputs with two classes: the first against the others. */
    private static DataSet newData() {
        INDArray labels = Nd4j.zeros(24, NEW_CLASSES);
        for (int i = 0; i < 24; i++) {
            labels.putScalar(i, i % Networks.CLASSES == 0 ? 0 : 1, 1);
        }
        return new DataSet(data().getFeatures(), labels);
    }

    private static IUpdater updater(MultiLayerNetwork network, int layer) {
        return network.getLayer(layer).getConfig().getUpdaterByParam("W");
    }

    @Test
    void aNewOutputLayerLearnsOnTheOldOnesCodes() {
        MultiLayerNetwork old = prepared(INT8);
        MultiLayerNetwork changed =
                new TransferLearning.Builder(old)
                        .fineTuneConfiguration(FINE_TUNING)
                        .setFeatureExtractor(1)
                        .removeOutputLayer()
                        .addLayer(output("new", NEW_CLASSES))
                        .build();
        INDArray x = data().getFeatures();
        assertEquals(old.feedForward(x).get(2), changed.feedForward(x).get(2));
        double before = changed.score(newData());
        for (int i = 0; i < 10; i++) {
            changed.fit(newData());
        }
        assertTrue(changed.score(newData()) < before);
        assertEquals(new Adam(0.01), updater(changed, 2));
        assertEquals(old.getLayer(0).params(), changed.getLayer(0).params());
    }

    @Test
    void aNewOutputLayerOfAGraphLearnsOnTheOldOnesCodes() {
        ComputationGraph old = prepared(INT8).toComputationGraph();
        ComputationGraph changed =
                new TransferLearning.GraphBuilder(old)
                        .fineTuneConfiguration(FINE_TUNING)
                        .setFeatureExtractor("1")
                        .removeVertexAndConnections("2")
                        .addLayer("new", output("new", NEW_CLASSES), "1")
                        .setOutputs("new")
                        .build();
        INDArray x = data().getFeatures();
        assertEquals(old.feedForward(x, false).get("1"), changed.feedForward(x, false).get("1"));
        double before = changed.score(newData());
        for (int i = 0; i < 10; i++) {
            changed.fit(newData());
        }
        assertTrue(changed.score(newData()) < before);
        assertEquals(old.getLayer(0).params(), changed.getLayer(0).params());
    }

    @Test
    void dl4jTakesNoNewUpdaterToQuantizedLayersButOurCallDoes() {
        MultiLayerNetwork changed =
                new TransferLearning.Builder(prepared(INT8))
                        .fineTuneConfiguration(FINE_TUNING)
                        .build();
        assertEquals(new Nesterovs(0.005, 0.9), updater(changed, 0));
        Updaters.replace(changed, new Adam(0.01));
        assertEquals(new Adam(0.01), updater(changed, 0));
        changed.fit(data());
    }

    @Test
    void theWidthOfAQuantizedLayerIsFixed() {
        TransferLearning.Builder builder =
                new TransferLearning.Builder(prepared(INT8)).nOutReplace(1, 5, WeightInit.XAVIER);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(message.contains("got layer of type QuantizedLayer"), message);
    }

    @Test
    void theWidthOfAGraphsQuantizedLayerIsFixed() {
        TransferLearning.GraphBuilder builder =
                new TransferLearning.GraphBuilder(prepared(INT8).toComputationGraph());
        String message =
                assertThrows(
                                ClassCastException.class,
                                () -> builder.nOutReplace("1", 5, WeightInit.XAVIER).build())
                        .getMessage();
        assertTrue(message.contains("QuantizedLayer"), message);
    }

    @Test
    void aLayerInFloatBeforeAQuantizedOneIsNotWidened() {
        MultiLayerNetwork network =
                prepared(INT8.with(LayerSelector.named("first"), LayerScheme.FLOAT));
        TransferLearning.Builder builder =
                new TransferLearning.Builder(network).nOutReplace(0, 5, WeightInit.XAVIER);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertEquals(
                "layer \"second\" was calibrated for an input of shape [8], which becomes"
                        + " InputTypeFeedForward(5); LayerSizes changes sizes of quantized"
                        + " networks, or change the float network and prepare that",
                message);
        assertNotEquals(5, network.getLayer(0).getParam("W").columns());
    }

    @Test
    void aFloatOutputLayerBehindQuantizedOnesIsReplaced() {
        MultiLayerNetwork network =
                prepared(INT8.with(LayerSelector.named("last"), LayerScheme.FLOAT));
        MultiLayerNetwork changed =
                new TransferLearning.Builder(network)
                        .fineTuneConfiguration(FINE_TUNING)
                        .nOutReplace(2, NEW_CLASSES, WeightInit.XAVIER)
                        .build();
        double before = changed.score(newData());
        for (int i = 0; i < 10; i++) {
            changed.fit(newData());
        }
        assertTrue(changed.score(newData()) < before);
        assertEquals(new Adam(0.01), updater(changed, 2));
    }
}
