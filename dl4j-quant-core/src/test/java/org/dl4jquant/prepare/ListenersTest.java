// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.api.InvocationType;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.deeplearning4j.optimize.listeners.EvaluativeListener;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** DL4J's listeners see a prepared network as any other. */
class ListenersTest {

    private static final int EPOCHS = 3;
    private static final int BATCHES = 3;

    private static MultiLayerNetwork prepared() {
        MultiLayerNetwork network =
                Networks.of(
                        new Adam(0.01),
                        InputType.feedForward(6),
                        new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build(),
                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(
                        network, QuantSpec.of(LayerScheme.INT8), Networks.batches(data()))
                .network();
    }

    private static DataSet data() {
        return Networks.data(8 * BATCHES, 6);
    }

    @Test
    void listenersSeeEveryScoreAndDoNotDisturb() {
        MultiLayerNetwork alone = prepared();
        alone.fit(Networks.batches(data()), EPOCHS);
        CollectScoresListener scores = new CollectScoresListener(1);
        EvaluativeListener evaluation =
                new EvaluativeListener(Networks.batches(data()), 1, InvocationType.EPOCH_END);
        MultiLayerNetwork watched = prepared();
        watched.setListeners(new ScoreIterationListener(1), scores, evaluation);
        watched.fit(Networks.batches(data()), EPOCHS);
        assertEquals(alone.params(), watched.params());
        assertEquals(EPOCHS * BATCHES, scores.getListScore().size());
        assertTrue(
                scores.getListScore().getDouble(EPOCHS * BATCHES - 1)
                        < scores.getListScore().getDouble(0));
        Evaluation seen = (Evaluation) evaluation.getEvaluations()[0];
        Evaluation asked = watched.evaluate(Networks.batches(data()));
        assertEquals(asked.accuracy(), seen.accuracy());
        assertEquals(data().numExamples(), asked.getNumRowCounter());
    }

    @Test
    void listenersSeeGradientsOfScalesAndActivations() {
        List<String> names = new ArrayList<>();
        MultiLayerNetwork network = prepared();
        network.setListeners(
                new BaseTrainingListener() {
                    @Override
                    public void onForwardPass(Model model, List<INDArray> activations) {
                        activations.forEach(array -> names.add("rank " + array.rank()));
                    }

                    @Override
                    public void onGradientCalculation(Model model) {
                        Map<String, INDArray> gradients = model.gradient().gradientForVariable();
                        names.addAll(gradients.keySet());
                    }
                });
        network.fit(data());
        assertTrue(
                names.containsAll(List.of("rank 2", "0_W", "0_scaleW", "0_scaleOut", "1_scaleW")),
                names::toString);
    }

    @Test
    void trainingGoesOnFromACheckpoint(@TempDir Path folder) {
        CheckpointListener checkpoints = checkpoints(folder);
        MultiLayerNetwork whole = prepared();
        whole.setListeners(checkpoints);
        whole.fit(Networks.batches(data()), EPOCHS);
        MultiLayerNetwork resumed = checkpoints.loadCheckpointMLN(1);
        resumed.fit(Networks.batches(data()), EPOCHS - 2);
        assertEquals(whole.getIterationCount(), resumed.getIterationCount());
        assertEquals(whole.params(), resumed.params());
        assertEquals(
                whole.getUpdater().getStateViewArray(), resumed.getUpdater().getStateViewArray());
    }

    @Test
    void aGraphsTrainingGoesOnFromACheckpoint(@TempDir Path folder) {
        CheckpointListener checkpoints = checkpoints(folder);
        ComputationGraph whole = prepared().toComputationGraph();
        whole.setListeners(checkpoints);
        whole.fit(Networks.batches(data()), EPOCHS);
        ComputationGraph resumed = checkpoints.loadCheckpointCG(1);
        resumed.fit(Networks.batches(data()), EPOCHS - 2);
        assertEquals(whole.params(), resumed.params());
    }

    private static CheckpointListener checkpoints(Path folder) {
        return new CheckpointListener.Builder(folder.toFile())
                .keepAll()
                .saveEveryNEpochs(1)
                .build();
    }
}
