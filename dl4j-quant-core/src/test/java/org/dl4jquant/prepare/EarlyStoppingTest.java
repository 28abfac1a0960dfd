// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingModelSaver;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.saver.LocalFileGraphSaver;
import org.deeplearning4j.earlystopping.saver.LocalFileModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.termination.ScoreImprovementEpochTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** DL4J's early stopping keeps the best prepared network and stops when it should. */
class EarlyStoppingTest {

    private static final int EPOCHS = 4;

    private static MultiLayerNetwork prepared() {
        MultiLayerNetwork network =
                Networks.of(
                        InputType.feedForward(6),
                        new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build(),
                        new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                                .nOut(Networks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .build());
        return Preparation.prepare(network, QuantSpec.of(LayerScheme.INT8), batches()).network();
    }

    private static DataSet data() {
        return Networks.data(24, 6);
    }

    private static DataSetIterator batches() {
        return Networks.batches(data());
    }

    private static <T extends Model> EarlyStoppingConfiguration.Builder<T> configuration(
            EarlyStoppingModelSaver<T> saver) {
        return new EarlyStoppingConfiguration.Builder<T>()
                .modelSaver(saver)
                .epochTerminationConditions(new MaxEpochsTerminationCondition(EPOCHS))
                .evaluateEveryNEpochs(1);
    }

    /** DL4J's result gives the saved network's own score instead, which is 0 after a file. */
    private static double bestScore(EarlyStoppingResult<?> result) {
        return result.getScoreVsEpoch().get(result.getBestModelEpoch());
    }

    @Test
    void savesTheBestNetworkAndReadsItBack(@TempDir Path folder) throws IOException {
        MultiLayerNetwork trained = prepared();
        double before = new DataSetLossCalculator(batches(), true).calculateScore(trained);
        LocalFileModelSaver saver = new LocalFileModelSaver(folder.toString());
        EarlyStoppingResult<MultiLayerNetwork> result =
                new EarlyStoppingTrainer(
                                EarlyStoppingTest.<MultiLayerNetwork>configuration(saver)
                                        .scoreCalculator(new DataSetLossCalculator(batches(), true))
                                        .build(),
                                trained,
                                batches())
                        .fit();
        assertEquals(EPOCHS, result.getTotalEpochs());
        assertTrue(bestScore(result) < before);
        MultiLayerNetwork best = saver.getBestModel();
        assertEquals(
                bestScore(result), new DataSetLossCalculator(batches(), true).calculateScore(best));
        assertTrue(folder.resolve("bestModel.bin").toFile().isFile());
        INDArray x = data().getFeatures();
        assertEquals(result.getBestModel().output(x), best.output(x));
        best.fit(data());
    }

    @Test
    void savesTheBestGraphAndReadsItBack(@TempDir Path folder) throws IOException {
        ComputationGraph trained = prepared().toComputationGraph();
        double before = new DataSetLossCalculator(batches(), true).calculateScore(trained);
        LocalFileGraphSaver saver = new LocalFileGraphSaver(folder.toString());
        EarlyStoppingResult<ComputationGraph> result =
                new EarlyStoppingGraphTrainer(
                                EarlyStoppingTest.<ComputationGraph>configuration(saver)
                                        .scoreCalculator(new DataSetLossCalculator(batches(), true))
                                        .build(),
                                trained,
                                batches())
                        .fit();
        assertEquals(EPOCHS, result.getTotalEpochs());
        assertTrue(bestScore(result) < before);
        ComputationGraph best = saver.getBestModel();
        assertEquals(
                bestScore(result), new DataSetLossCalculator(batches(), true).calculateScore(best));
        best.fit(data());
    }

    @Test
    void stopsWhenTheLossNoLongerFalls() {
        MultiLayerNetwork trained = prepared();
        // A rate of nothing: the loss cannot fall below that of the first epoch.
        Updaters.setLearningRate(trained, 0);
        EarlyStoppingResult<MultiLayerNetwork> result =
                new EarlyStoppingTrainer(
                                new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                                        .modelSaver(new InMemoryModelSaver<>())
                                        .epochTerminationConditions(
                                                new MaxEpochsTerminationCondition(50),
                                                new ScoreImprovementEpochTerminationCondition(2))
                                        .evaluateEveryNEpochs(1)
                                        .scoreCalculator(new DataSetLossCalculator(batches(), true))
                                        .build(),
                                trained,
                                batches())
                        .fit();
        assertEquals(
                EarlyStoppingResult.TerminationReason.EpochTerminationCondition,
                result.getTerminationReason());
        assertEquals(0, result.getBestModelEpoch());
        assertTrue(result.getTotalEpochs() < 10, () -> "epochs " + result.getTotalEpochs());
        INDArray x = data().getFeatures();
        assertEquals(trained.output(x), result.getBestModel().output(x));
    }
}
