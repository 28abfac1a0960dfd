// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import static org.dl4jquant.train.StagedNetworks.scale;
import static org.dl4jquant.train.StagedNetworks.times;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.fakequant.HalfRounder;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.prepare.Recalibration;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

class PrecisionScheduleTest {

    /* The float network multiplies by gamma / sigma after the convolution, the quantized one
     * normalizes there too; the order of sums differs. */
    private static final double SUM_ERROR = 1e-5;

    @TempDir private Path folder;

    private static PrecisionSchedule.Builder threeStages() {
        return PrecisionSchedule.builder()
                .untilEpoch(1, Precision.FP16)
                .untilEpoch(2, Precision.INT8)
                .then(Precision.INT4);
    }

    private static String precision(QuantizedLayer conf) {
        return String.valueOf(conf.precision());
    }

    private static QuantizedLayer conf(MultiLayerNetwork network, String layer) {
        return QuantizedLayers.configuration(network.getLayer(layer)).orElseThrow();
    }

    /** Notes the precision that each iteration was trained with. */
    private static final class Recorder extends BaseTrainingListener {
        private final List<String> seen = new ArrayList<>();
        private String now = "";

        private void look(Model model) {
            now = precision(new TrainedNetwork(model).quantized().get(0).conf());
        }

        @Override
        public void onForwardPass(Model model, List<INDArray> activations) {
            look(model);
        }

        @Override
        public void onForwardPass(Model model, java.util.Map<String, INDArray> activations) {
            look(model);
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {
            seen.add(now);
        }
    }

    // ---- stages ---------------------------------------------------------------------------------

    private static final List<String> TABLE =
            List.of("FP16", "FP16", "FP16", "INT8", "INT8", "INT8", "INT4", "INT4", "INT4");

    @Test
    void plainFitOfAMultiLayerNetworkGoesThroughTheStages() {
        MultiLayerNetwork network = StagedNetworks.chain();
        Recorder recorder = new Recorder();
        network.setListeners(threeStages().build(), recorder);
        network.fit(StagedNetworks.batches(), 3);
        assertEquals(TABLE, recorder.seen);
    }

    @Test
    void plainFitOfAComputationGraphGoesThroughTheStages() {
        ComputationGraph network = StagedNetworks.residual();
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        threeStages().build().attachTo(network);
        network.fit(StagedNetworks.batches(), 3);
        assertEquals(TABLE, recorder.seen);
        assertTrue(Double.isFinite(network.score()));
    }

    @Test
    void stagesByIterationWorkWithoutEpochs() {
        MultiLayerNetwork network = StagedNetworks.chain();
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        PrecisionSchedule.builder()
                .untilIteration(1, Precision.FLOAT)
                .untilIteration(3, Precision.ofBits(4, 8))
                .thenAsPrepared()
                .build()
                .attachTo(network);
        for (int i = 0; i < 4; i++) {
            network.fit(StagedNetworks.data());
        }
        assertEquals(List.of("FLOAT", "W4A8", "W4A8", "null"), recorder.seen);
    }

    @Test
    void epochsCountFromWhereTheScheduleBegan() {
        MultiLayerNetwork network = StagedNetworks.chain();
        network.fit(StagedNetworks.batches(), 2);
        Recorder recorder = new Recorder();
        network.setListeners(recorder);
        threeStages().build().attachTo(network);
        network.fit(StagedNetworks.batches(), 3);
        assertEquals(TABLE, recorder.seen);
    }

    // ---- what a stage computes ------------------------------------------------------------------

    @Test
    void aFloatStageComputesWhatTheFloatNetworkComputes() {
        MultiLayerNetwork floats = StagedNetworks.floats(new Sgd(0.1));
        MultiLayerNetwork network =
                Preparation.prepare(floats, StagedNetworks.INT4, StagedNetworks.batches())
                        .network();
        PrecisionSchedule.builder()
                .untilEpoch(1, Precision.FLOAT)
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        INDArray x = StagedNetworks.data().getFeatures();
        assertArrayEquals(
                floats.output(x).dup().data().asDouble(),
                network.output(x).dup().data().asDouble(),
                SUM_ERROR);
    }

    @Test
    void aGraphComputesInFloatToo() {
        ComputationGraph network = StagedNetworks.residual();
        PrecisionSchedule.builder()
                .untilEpoch(1, Precision.FLOAT)
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        INDArray x = StagedNetworks.data().getFeatures();
        INDArray inFloat = network.outputSingle(x).dup();
        INDArray again = network.feedForward(new INDArray[] {x}, true).get("sum-relu");
        assertTrue(Double.isFinite(again.sumNumber().doubleValue()));
        PrecisionSchedule.finish(network);
        assertNotEquals(inFloat, network.outputSingle(x));
    }

    @Test
    void aHalfPrecisionStageReturnsHalfPrecisionNumbers() {
        MultiLayerNetwork network = StagedNetworks.chain();
        threeStages().build().attachTo(network);
        INDArray y = network.feedForward(StagedNetworks.data().getFeatures()).get(1).dup();
        INDArray rounded = y.dup();
        HalfRounder.forward(y, rounded);
        assertEquals(rounded, y);
    }

    @Test
    void scalesDoNotMoveWhileNothingIsInteger() {
        MultiLayerNetwork network = StagedNetworks.chain();
        network.fit(StagedNetworks.batches());
        float[] weights = scale(network, "conv", "scaleW");
        float[] output = scale(network, "conv", TensorRole.OUTPUT.scaleKey());
        PrecisionSchedule.builder()
                .untilEpoch(2, Precision.FLOAT)
                .untilEpoch(4, Precision.FP16)
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        network.fit(StagedNetworks.batches(), 3);
        assertArrayEquals(weights, scale(network, "conv", "scaleW"));
        assertArrayEquals(output, scale(network, "conv", TensorRole.OUTPUT.scaleKey()));
    }

    // ---- handing scales over --------------------------------------------------------------------

    @Test
    void theClipPointStaysAtASwitchBetweenIntegers() {
        MultiLayerNetwork network = StagedNetworks.chain(new Sgd(0.0));
        float[] weights = scale(network, "conv", "scaleW");
        float[] output = scale(network, "conv", TensorRole.OUTPUT.scaleKey());
        PrecisionSchedule.builder()
                .untilIteration(1, Precision.INT8)
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        assertArrayEquals(times(weights, 7.0 / 127), scale(network, "conv", "scaleW"));
        float[] at8 = scale(network, "conv", TensorRole.OUTPUT.scaleKey());
        assertArrayEquals(times(output, 15.0 / 255), at8);
        network.fit(StagedNetworks.data());
        assertArrayEquals(
                times(at8, 255.0 / 15), scale(network, "conv", TensorRole.OUTPUT.scaleKey()));
    }

    @Test
    void weightScalesAreFittedAgainBehindAFloatStage() {
        MultiLayerNetwork network = StagedNetworks.chain(new Sgd(0.0));
        float[] fitted = scale(network, "conv", "scaleW");
        network.getLayer("conv").getParam("scaleW").muli(3);
        network.getLayer("conv").getParam(TensorRole.OUTPUT.scaleKey()).muli(3);
        float[] output = scale(network, "conv", TensorRole.OUTPUT.scaleKey());
        PrecisionSchedule.builder()
                .untilIteration(1, Precision.FLOAT)
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        network.fit(StagedNetworks.data());
        assertArrayEquals(fitted, scale(network, "conv", "scaleW"));
        assertArrayEquals(output, scale(network, "conv", TensorRole.OUTPUT.scaleKey()));
    }

    @Test
    void allScalesAreFittedAgainFromData() {
        MultiLayerNetwork network = StagedNetworks.chain(new Sgd(0.0));
        float[] weights = scale(network, "conv", "scaleW");
        network.getLayer("conv").getParam("scaleW").muli(3);
        network.getLayer("conv").getParam(TensorRole.OUTPUT.scaleKey()).muli(3);
        PrecisionSchedule.builder()
                .untilIteration(1, Precision.INT8)
                .then(Precision.INT4)
                .refit(StagedNetworks.batches())
                .build()
                .attachTo(network);
        network.fit(StagedNetworks.data());
        MultiLayerNetwork again = network.clone();
        Recalibration.of(again, StagedNetworks.batches());
        assertArrayEquals(weights, scale(network, "conv", "scaleW"));
        assertArrayEquals(
                scale(again, "conv", TensorRole.OUTPUT.scaleKey()),
                scale(network, "conv", TensorRole.OUTPUT.scaleKey()));
    }

    @Test
    void whatTheUpdaterRemembersOfScalesIsResetAndNothingElse() {
        MultiLayerNetwork network = StagedNetworks.chain(new Nesterovs(0.02, 0.9));
        network.fit(StagedNetworks.batches(), 2);
        INDArray before = network.getUpdater().getStateViewArray().dup();
        new TrainedNetwork(network).resetScaleMoments();
        INDArray after = network.getUpdater().getStateViewArray().dup();
        long changed =
                before.neq(after)
                        .castTo(org.nd4j.linalg.api.buffer.DataType.INT64)
                        .sumNumber()
                        .longValue();
        long scales =
                new TrainedNetwork(network)
                        .quantized().stream()
                                .flatMap(q -> q.layer().paramTable().entrySet().stream())
                                .filter(e -> e.getKey().startsWith(TensorRole.SCALE))
                                .mapToLong(e -> e.getValue().length())
                                .sum();
        assertTrue(changed > 0 && changed <= scales, changed + " of " + scales);
        assertEquals(
                before.length() - changed,
                before.eq(after)
                        .castTo(org.nd4j.linalg.api.buffer.DataType.INT64)
                        .sumNumber()
                        .longValue());
    }

    @Test
    void frozenScalesStopLearning() {
        MultiLayerNetwork network = StagedNetworks.chain();
        PrecisionSchedule.builder()
                .untilEpoch(1, Precision.INT4)
                .then(Precision.INT4)
                .withFrozenScales()
                .build()
                .attachTo(network);
        float[] start = scale(network, "conv", "scaleW");
        network.fit(StagedNetworks.batches());
        float[] learned = scale(network, "conv", "scaleW");
        assertFalse(Arrays.equals(start, learned));
        INDArray weights = network.getLayer("conv").getParam("W").dup();
        network.fit(StagedNetworks.batches(), 2);
        assertArrayEquals(learned, scale(network, "conv", "scaleW"));
        assertNotEquals(weights, network.getLayer("conv").getParam("W"));
    }

    // ---- model files ----------------------------------------------------------------------------

    @Test
    void theModelFileHoldsTheStage() throws IOException {
        MultiLayerNetwork network = StagedNetworks.chain();
        threeStages().build().attachTo(network);
        network.fit(StagedNetworks.batches(), 2);
        Path file = folder.resolve("network.zip");
        ModelSerializer.writeModel(network, file.toFile(), true);
        MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile());
        INDArray x = StagedNetworks.data().getFeatures();
        assertEquals(network.output(x), restored.output(x));
        assertEquals("INT4", precision(conf(restored, "conv")));
        PrecisionSchedule again = threeStages().build();
        again.attachTo(restored);
        assertEquals(2, again.stage());
        assertEquals(network.params(), restored.params());
    }

    @Test
    void aNetworkWithoutAScheduleIsWrittenAsBefore() {
        MultiLayerNetwork network = StagedNetworks.chain();
        String before = network.getLayerWiseConfigurations().toJson();
        for (String field : List.of("precision", "frozenScales", "trainingNotes")) {
            assertFalse(before.contains("\"" + field + "\""), field);
        }
        PrecisionSchedule.builder()
                .untilEpoch(1, Precision.INT8)
                .withFrozenScales()
                .then(Precision.INT4)
                .build()
                .attachTo(network);
        String with = network.getLayerWiseConfigurations().toJson();
        MultiLayerConfiguration read = MultiLayerConfiguration.fromJson(with);
        assertEquals(network.getLayerWiseConfigurations(), read);
        QuantizedLayer layer = (QuantizedLayer) read.getConf(0).getLayer();
        assertEquals(Precision.INT8, layer.precision());
        assertTrue(layer.hasFrozenScales());
        assertEquals("0", layer.trainingNotes().get("schedule.stage"));
        PrecisionSchedule.finish(network);
        assertEquals(before, network.getLayerWiseConfigurations().toJson());
    }

    @Test
    void aCloneIsInTheSameStage() {
        MultiLayerNetwork network = StagedNetworks.chain();
        threeStages().build().attachTo(network);
        INDArray x = StagedNetworks.data().getFeatures();
        assertEquals(network.output(x), network.clone().output(x));
    }

    // ---- lowering -------------------------------------------------------------------------------

    @Test
    void loweringRefusesAStageThatIsNotInteger() {
        MultiLayerNetwork network = StagedNetworks.chain();
        threeStages().build().attachTo(network);
        LoweringException refusal =
                assertThrows(LoweringException.class, () -> Quantization.lower(network));
        assertEquals(
                "layer 'conv' cannot be lowered to integers: its training is in a stage of FP16;"
                        + " train on until a stage of integers has begun, or end the schedule with"
                        + " PrecisionSchedule.finish(network)",
                refusal.obstacles().get(0));
        PrecisionSchedule.finish(network);
        assertTrue(Quantization.lower(network).nodes().size() > 2);
        assertTrue(network.getListeners().isEmpty());
        assertTrue(new TrainedNetwork(network).notes().isEmpty());
    }

    // ---- refusals -------------------------------------------------------------------------------

    @Test
    void refusesAStageThatNoLayerWasPreparedFor() {
        MultiLayerNetwork network =
                Preparation.prepare(
                                StagedNetworks.floats(new Sgd(0.1)),
                                QuantSpec.of(LayerScheme.INT8),
                                StagedNetworks.batches())
                        .network();
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> threeStages().build().attachTo(network));
        assertEquals(
                "stage 3 (INT4) asks for weights of 4 bits, but no layer of the network was prepared"
                        + " for fewer than 8; prepare it for the last stage's bits, or use at least"
                        + " 8",
                refusal.getMessage());
    }

    @Test
    void refusesAnotherScheduleThanTheOneThatBegan() {
        MultiLayerNetwork network = StagedNetworks.chain();
        threeStages().build().attachTo(network);
        PrecisionSchedule other =
                PrecisionSchedule.builder()
                        .untilPlateau(2, 0.5, 9, Precision.FLOAT)
                        .then(Precision.INT4)
                        .withFrozenScales()
                        .build();
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> other.attachTo(network));
        assertEquals(
                "the network trains by the schedule \"FP16 until epoch 1, then INT8 until epoch 2,"
                        + " then INT4\", which is not this one, \"FLOAT until a plateau of 2 epochs"
                        + " within 0.5, epoch 9 at the latest, then INT4 with frozen scales\";"
                        + " attach the one that it began with, or call"
                        + " PrecisionSchedule.finish(network) first",
                refusal.getMessage());
    }

    @Test
    void refusesANetworkWithoutQuantizers() {
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> threeStages().build().attachTo(StagedNetworks.floats(new Sgd(0.1))));
        assertEquals(
                "the network has no quantized layer; attach this to what Quantization.prepare"
                        + " returns",
                refusal.getMessage());
    }

    @Test
    void refusesToJoinATrainingThatHasBegun() {
        MultiLayerNetwork network = StagedNetworks.chain();
        network.setListeners(threeStages().build());
        IllegalStateException refusal =
                assertThrows(IllegalStateException.class, () -> network.fit(StagedNetworks.data()));
        assertEquals(
                "iteration 0 was trained before the schedule was attached: outside of"
                        + " fit(iterator), DL4J tells a listener nothing before the first"
                        + " iteration; call schedule.attachTo(network) instead of setListeners",
                refusal.getMessage());
    }

    @Test
    void refusesToFreezeTheScalesOfNoStage() {
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> PrecisionSchedule.builder().withFrozenScales());
        assertEquals(
                "there is no stage yet whose scales could be frozen; add one first",
                refusal.getMessage());
    }
}
