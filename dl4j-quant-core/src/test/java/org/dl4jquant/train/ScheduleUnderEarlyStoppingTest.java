// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
