// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.termination.ScoreImprovementEpochTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DL4J's early stopping with a quantized network: a LeNet with 4-bit weights and activations, 8
 * bits in the first and the last layer, trains until its loss on validation images no longer falls,
 * and the best of its epochs becomes integers. Read it to train with a stopping criterion.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.LeNetMnist
 * }</pre>
 *
 * <p>It prints the loss of every 25th iteration, three accuracies on 500 images (93.8 % in float,
 * 94.2 % calibrated, 96.6 % in the best of 6 epochs), and how many codes of two engines differ: 0.
 */
public final class LeNetMnist {

    private static final Logger log = LoggerFactory.getLogger(LeNetMnist.class);

    private static final int EPOCHS = 4;
    private static final int MOST_EPOCHS = 8;
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final long SEED = 1;

    private LeNetMnist() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        // With MNIST's four files in a folder: DataFolder.load(Path.of("folder"))
        run(StrokeDigits.split(SEED, 2000, 500), EPOCHS, MOST_EPOCHS);
    }

    static EqualityReport run(TrainTest data, int epochs, int mostEpochs) {
        // One image of five is held out to judge the epochs; the test images judge the result.
        int held = data.train().size() / 5;
        LabelledImages train = data.train().first(data.train().size() - held);
        LabelledImages validation = data.train().from(data.train().size() - held);
        DataSetIterator trainIterator = train.shuffled(BATCH, SEED);
        DataSetIterator testIterator = data.test().inOrder(BATCH);

        log.info("Train in float....");
        MultiLayerNetwork trained =
                LeNet.create(train, SEED, new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.3));
        trained.setListeners(new ScoreIterationListener(25));
        trained.fit(trainIterator, epochs);
        log.info("Accuracy in float: {}", trained.evaluate(testIterator).accuracy());

        log.info("Insert quantizers....");
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8);
        trained.setLearningRate(new FixedSchedule(5e-4));
        MultiLayerNetwork quantized =
                Quantization.prepare(trained, spec, train.first(CALIBRATION_IMAGES).inOrder(BATCH));
        log.info("Accuracy calibrated: {}", quantized.evaluate(testIterator).accuracy());

        log.info("Train until the loss on the validation images no longer falls....");
        EarlyStoppingConfiguration<MultiLayerNetwork> stopping =
                new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                        .scoreCalculator(new DataSetLossCalculator(validation.inOrder(BATCH), true))
                        .epochTerminationConditions(
                                new MaxEpochsTerminationCondition(mostEpochs),
                                new ScoreImprovementEpochTerminationCondition(1))
                        .modelSaver(new InMemoryModelSaver<>())
                        .build();
        EarlyStoppingResult<MultiLayerNetwork> result =
                new EarlyStoppingTrainer(stopping, quantized, trainIterator).fit();
        MultiLayerNetwork best = result.getBestModel();
        log.info("Epochs: {}, the best: {}", result.getTotalEpochs(), result.getBestModelEpoch());
        log.info("Accuracy trained: {}", best.evaluate(testIterator).accuracy());

        log.info("Lower to integers, compare two engines....");
        IntGraph graph = Quantization.lower(best);
        testIterator.reset();
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport report =
                    EqualityCheck.between(reference, onnxRuntime)
                            .over(EngineInputs.of(graph, testIterator.next().getFeatures()));
            log.info("{}", report);
            return report;
        }
    }
}
