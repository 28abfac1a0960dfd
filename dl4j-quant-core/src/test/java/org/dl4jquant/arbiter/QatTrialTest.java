// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.prepare.Networks;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class QatTrialTest {

    private static final int INPUTS = 4;
    private static final int HIDDEN = 8;

    /** Points around three corners. */
    private record Corners() implements TrialData {

        private static DataSetIterator around(long seed, int examples) {
            INDArray features = Networks.normal(seed, examples, INPUTS).muli(0.3);
            for (int i = 0; i < examples; i++) {
                int corner = i % Networks.CLASSES;
                features.putScalar(i, corner, features.getDouble(i, corner) + 1);
            }
            DataSet all = new DataSet(features, Networks.labels(examples));
            return new ListDataSetIterator<>(all.asList(), 30);
        }

        @Override
        public DataSetIterator train() {
            return around(1, 300);
        }

        @Override
        public DataSetIterator validation() {
            return around(2, 150);
        }

        @Override
        public String description() {
            return "corners";
        }
    }

    private static MultiLayerNetwork network(IUpdater updater) {
        return network(updater, LossFunction.MCXENT, Activation.SOFTMAX);
    }

    private static MultiLayerNetwork network(
            IUpdater updater, LossFunction loss, Activation activation) {
        return Networks.of(
                updater,
                InputType.feedForward(INPUTS),
                new DenseLayer.Builder()
                        .name("hidden")
                        .nOut(HIDDEN)
                        .activation(Activation.RELU)
                        .build(),
                new OutputLayer.Builder(loss)
                        .name("output")
                        .nOut(Networks.CLASSES)
                        .activation(activation)
                        .build());
    }

    private static MultiLayerNetwork trained() {
        MultiLayerNetwork network = network(new Nesterovs(0.05, 0.9));
        network.fit(new Corners().train(), 20);
        return network;
    }

    @Test
    void aCandidateIsTrainedAndMeasured() throws IOException {
        MultiLayerNetwork trained = trained();
        INDArray before = trained.params().dup();
        QatTrial trial = QatTrial.of(trained, new Corners(), 4).withTimeOf("reference");
        Trial.Finished finished = trial.run(QuantSpec.of(LayerScheme.ofBits(3, 3)), Limits.NONE);
        Outcome outcome = finished.outcome();
        assertEquals(Outcome.Status.MEASURED, outcome.status());
        assertTrue(outcome.accuracy() > 0.9, () -> outcome.toString());
        assertTrue(outcome.milliseconds() > 0 && outcome.seconds() > 0);
        MultiLayerNetwork network =
                ModelSerializer.restoreMultiLayerNetwork(
                        new ByteArrayInputStream(finished.network()), true);
        assertEquals(outcome.accuracy(), network.evaluate(new Corners().validation()).accuracy());
        assertEquals(before, trained.params());
    }

    @Test
    void bytesAreWeightsAtTheirWidthAndTheRestInFloat() throws IOException {
        QatTrial trial = QatTrial.of(network(new Sgd(0.1)), new Corners(), 0);
        int weightBits = (INPUTS * HIDDEN + HIDDEN * Networks.CLASSES) * 4;
        int biases = HIDDEN + Networks.CLASSES;
        int weightScales = HIDDEN + Networks.CLASSES;
        int activationScales = 2; // the input's, and the hidden layer's result
        assertEquals(
                weightBits / 8 + 4 * (biases + weightScales + activationScales),
                trial.run(QuantSpec.of(LayerScheme.INT4), Limits.NONE).outcome().bytes());
    }

    @Test
    void aCandidateOverTheLimitIsNotTrained() throws IOException {
        QatTrial trial = QatTrial.of(trained(), new Corners(), 1);
        Trial.Finished finished = trial.run(QuantSpec.of(LayerScheme.INT8), Limits.ofBytes(100));
        assertEquals(Outcome.Status.OVER_LIMIT, finished.outcome().status());
        assertEquals("152 bytes, and 100 are allowed", finished.outcome().reason());
        assertEquals(0, finished.network().length);
        assertTrue(finished.outcome().score(Limits.ofBytes(100)) < 0);
        Trial.Finished slow =
                trial.withTimeOf("reference")
                        .run(
                                QuantSpec.of(LayerScheme.INT8),
                                Limits.ofBytes(1000).withMilliseconds(1e-6));
        assertTrue(
                slow.outcome().reason().endsWith("ms, and 0.000 are allowed"),
                slow.outcome().reason());
    }

    @Test
    void aCandidateThatDivergesFailsWithItsReason() {
        MultiLayerNetwork wild = network(new Sgd(1e30), LossFunction.MSE, Activation.IDENTITY);
        QatTrial trial = QatTrial.of(wild, new Corners(), 3);
        Outcome outcome =
                QuantSpecSearch.attempt(trial, QuantSpec.of(LayerScheme.INT8), Limits.NONE)
                        .outcome();
        assertEquals(Outcome.Status.FAILED, outcome.status());
        assertTrue(outcome.reason().contains("diverged"), outcome.reason());
    }

    @Test
    void aTrialTravelsAsAnObject() throws IOException, ClassNotFoundException {
        QatTrial trial = QatTrial.of(trained(), new Corners(), 1);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(trial);
        }
        QatTrial arrived;
        try (ObjectInputStream in =
                new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            arrived = (QatTrial) in.readObject();
        }
        assertEquals(trial.description(), arrived.description());
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4);
        assertEquals(
                trial.run(spec, Limits.NONE).outcome().accuracy(),
                arrived.run(spec, Limits.NONE).outcome().accuracy());
    }

    @Test
    void descriptionsTellNetworksApart() {
        MultiLayerNetwork trained = trained();
        assertEquals(
                QatTrial.of(trained, new Corners(), 1).description(),
                QatTrial.of(trained.clone(), new Corners(), 1).description());
        MultiLayerNetwork changed = trained.clone();
        changed.params().putScalar(0, 5);
        assertFalse(
                QatTrial.of(trained, new Corners(), 1)
                        .description()
                        .equals(QatTrial.of(changed, new Corners(), 1).description()));
    }
}
