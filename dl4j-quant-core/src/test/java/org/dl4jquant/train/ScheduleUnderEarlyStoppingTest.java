// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.scheme.Precision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A schedule goes by DL4J's own counts, whoever calls {@code fit}. */
class ScheduleUnderEarlyStoppingTest {

    private static final int EPOCHS = 3;

    private static PrecisionSchedule schedule() {
        return PrecisionSchedule.builder()
                .untilEpoch(1, Precision.FP16)
                .untilEpoch(2, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    private static <T extends Model> EarlyStoppingConfiguration<T> threeEpochs() {
        return new EarlyStoppingConfiguration.Builder<T>()
                .modelSaver(new InMemoryModelSaver<>())
                .scoreCalculator(new DataSetLossCalculator(StagedNetworks.batches(), true))
                .epochTerminationConditions(new MaxEpochsTerminationCondition(EPOCHS))
                .build();
    }

    /** Notes the precision of each iteration. */
    private static final class Recorder extends BaseTrainingListener {
        private final List<String> seen = new ArrayList<>();

        @Override
        public void onGradientCalculation(Model model) {
            seen.add(
                    String.valueOf(
                            new TrainedNetwork(model).quantized().get(0).conf().precision()));
        }
    }

    private static final List<String> STAGES =
            List.of("FP16", "FP16", "FP16", "INT8", "INT8", "INT8", "INT4", "INT4", "INT4");

    @Test
    void aMultiLayerNetworkGoesThroughTheStages() {
        MultiLayerNetwork network = StagedNetworks.chain();
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        schedule().attachTo(network);
        new EarlyStoppingTrainer(threeEpochs(), network, StagedNetworks.batches()).fit();
        assertEquals(STAGES, recorder.seen);
    }

    @Test
    void aComputationGraphGoesThroughTheStages() {
        ComputationGraph network = StagedNetworks.residual();
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        schedule().attachTo(network);
        new EarlyStoppingGraphTrainer(threeEpochs(), network, StagedNetworks.batches()).fit();
        assertEquals(STAGES, recorder.seen);
    }

    // ---- a training that resumes another -------------------------------------------------------

    private static <T extends Model> EarlyStoppingConfiguration<T> epochs(int count) {
        return new EarlyStoppingConfiguration.Builder<T>()
                .modelSaver(new InMemoryModelSaver<>())
                .scoreCalculator(new DataSetLossCalculator(StagedNetworks.batches(), true))
                .epochTerminationConditions(new MaxEpochsTerminationCondition(count))
                .build();
    }

    private static PrecisionSchedule longer() {
        return PrecisionSchedule.builder()
                .untilEpoch(2, Precision.FP16)
                .untilEpoch(4, Precision.INT8)
                .then(Precision.INT4)
                .build();
    }

    private static void train(MultiLayerNetwork network, int count) {
        new EarlyStoppingTrainer(epochs(count), network, StagedNetworks.batches()).fit();
    }

    private static void train(ComputationGraph network, int count) {
        new EarlyStoppingGraphTrainer(epochs(count), network, StagedNetworks.batches()).fit();
    }

    /** DL4J counts the epochs of each of these trainings from 0. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void aResumedTrainingEndsAsOneThatWasNotStopped(int first, @TempDir Path folder)
            throws IOException {
        MultiLayerNetwork whole = StagedNetworks.chain();
        Recorder expected = new Recorder();
        whole.setListeners(expected);
        longer().attachTo(whole);
        train(whole, 6);

        MultiLayerNetwork begun = StagedNetworks.chain();
        Recorder seen = new Recorder();
        begun.setListeners(seen);
        longer().attachTo(begun);
        train(begun, first);
        File file = folder.resolve("network.zip").toFile();
        ExactResume.save(begun, file);
        MultiLayerNetwork resumed = ExactResume.restoreMultiLayerNetwork(file);
        resumed.setListeners(seen);
        longer().attachTo(resumed);
        train(resumed, 6 - first);
        assertEquals(expected.seen, seen.seen);
        assertEquals(whole.params(), resumed.params());
        assertEquals(
                whole.getUpdater().getStateViewArray(), resumed.getUpdater().getStateViewArray());
    }

    @Test
    void aGraphsResumedTrainingGoesThroughTheSameStages(@TempDir Path folder) throws IOException {
        ComputationGraph whole = StagedNetworks.residual();
        Recorder expected = new Recorder();
        whole.setListeners(expected);
        longer().attachTo(whole);
        train(whole, 6);

        ComputationGraph begun = StagedNetworks.residual();
        Recorder seen = new Recorder();
        begun.setListeners(seen);
        longer().attachTo(begun);
        train(begun, 3);
        File file = folder.resolve("network.zip").toFile();
        ExactResume.save(begun, file);
        ComputationGraph resumed = ExactResume.restoreComputationGraph(file);
        resumed.setListeners(seen);
        longer().attachTo(resumed);
        train(resumed, 3);
        assertEquals(expected.seen, seen.seen);
    }

    @Test
    void earlyStoppingAndFitCountOn() {
        MultiLayerNetwork network = StagedNetworks.chain();
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        longer().attachTo(network);
        train(network, 1);
        network.fit(StagedNetworks.batches(), 2);
        train(network, 1);
        network.fit(StagedNetworks.batches(), 1);
        int batches = recorder.seen.size() / 5;
        List<String> wanted = new ArrayList<>();
        for (String stage : List.of("FP16", "FP16", "INT8", "INT8", "INT4")) {
            for (int i = 0; i < batches; i++) {
                wanted.add(stage);
            }
        }
        assertEquals(wanted, recorder.seen);
    }
}
