// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.learning.config.Sgd;

class DivergenceGuardTest {

    private static final String REMEDY =
            "training has diverged. Go back to the last good checkpoint, and lower the learning rate"
                    + " or clip the gradients";

    @TempDir private Path folder;

    @Test
    void namesLayerParameterEpochAndIterationOfAScaleThatIsNaN() {
        MultiLayerNetwork network = StagedNetworks.chain();
        DivergenceGuard.attachTo(network);
        network.fit(StagedNetworks.batches());
        network.getLayer("dense").getParam("scaleW").putScalar(0, Float.NaN);
        IllegalStateException stop =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                network.getListeners()
                                        .iterator()
                                        .next()
                                        .iterationDone(network, 3, 1));
        assertEquals(
                "layer \"dense\", epoch 1, iteration 3: the scale \"scaleW\" is NaN or infinite; "
                        + REMEDY,
                stop.getMessage());
    }

    @Test
    void namesALossThatIsNaN() {
        ComputationGraph network = StagedNetworks.residual();
        DivergenceGuard.attachTo(network);
        network.setScore(Double.NaN);
        IllegalStateException stop =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                network.getListeners()
                                        .iterator()
                                        .next()
                                        .iterationDone(network, 7, 2));
        assertEquals(
                "epoch 2, iteration 7: the loss is NaN, although all parameters are finite: it"
                        + " overflows or is not defined for what the network returns. Look at the"
                        + " labels of this batch; if the loss has grown before, "
                        + REMEDY,
                stop.getMessage());
    }

    @Test
    void aLearningRateThatIsTooHighLeavesTheLastGoodCheckpoint() throws IOException {
        MultiLayerNetwork network = StagedNetworks.chain(new Sgd(0.01));
        CheckpointListener checkpoints =
                new CheckpointListener.Builder(folder.toFile()).saveEveryNIterations(1).build();
        network.setListeners(checkpoints);
        DivergenceGuard.attachTo(network);
        network.fit(StagedNetworks.data());
        network.fit(StagedNetworks.data());
        float[] good = network.params().dup().toFloatVector();
        int last = checkpoints.lastCheckpoint().getCheckpointNum();
        raiseLearningRate(network);
        IllegalStateException stop =
                assertThrows(
                        IllegalStateException.class,
                        () -> {
                            for (int i = 0; i < 20; i++) {
                                network.fit(StagedNetworks.data());
                            }
                        });
        assertTrue(stop.getMessage().contains("epoch 0, iteration "), stop.getMessage());
        assertTrue(stop.getMessage().contains(REMEDY), stop.getMessage());
        MultiLayerNetwork saved = CheckpointListener.loadLastCheckpointMLN(folder.toFile());
        assertTrue(Double.isFinite(saved.params().sumNumber().doubleValue()));
        assertArrayEquals(
                good,
                CheckpointListener.loadCheckpointMLN(folder.toFile(), last)
                        .params()
                        .toFloatVector());
    }

    private static void raiseLearningRate(MultiLayerNetwork network) {
        for (var block :
                ((org.deeplearning4j.nn.updater.BaseMultiLayerUpdater<?>) network.getUpdater())
                        .getUpdaterBlocks()) {
            var config = block.getGradientUpdater().getConfig();
            if (config.hasLearningRate()) {
                config.setLrAndSchedule(1e30, null);
            }
        }
    }
}
