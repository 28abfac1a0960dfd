// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.PrecisionSchedule;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Progressive precision: a LeNet with 4-bit weights and activations (8 bits in the first and the
 * last layer) trains in half precision, then with 8 bits, then with 4; a copy trains for as long
 * with 4 bits from the first epoch. Read it when a network of few bits starts to train too far from
 * the float network.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.ProgressiveInt4
 * }</pre>
 *
 * <p>It prints the loss of every 50th iteration, a table of four accuracies (in float, calibrated,
 * trained with 4 bits, trained in stages), and how many codes of two engines differ: 0.
 */
public final class ProgressiveInt4 {

    private static final Logger log = LoggerFactory.getLogger(ProgressiveInt4.class);

    private static final int EPOCHS = 6;
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final long SEED = 1;

    private ProgressiveInt4() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        run(StrokeDigits.split(SEED, 2000, 500), EPOCHS);
    }

    /* Three epochs or more: one for each precision. */
    static EqualityReport run(TrainTest data, int epochs) {
        DataSetIterator train = data.train().shuffled(BATCH, SEED);
        DataSetIterator test = data.test().inOrder(BATCH);

        log.info("Train in float....");
        MultiLayerNetwork trained =
                LeNet.create(
                        data.train(), SEED, new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.5));
        trained.setListeners(new ScoreIterationListener(50));
        trained.fit(train, epochs);

        log.info("Insert quantizers of 4 bits....");
        trained.setLearningRate(new ExponentialSchedule(ScheduleType.EPOCH, 5e-4, 0.5));
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8);
        MultiLayerNetwork direct =
                Quantization.prepare(
                        trained, spec, data.train().first(CALIBRATION_IMAGES).inOrder(BATCH));
        MultiLayerNetwork staged = direct.clone();
        double calibrated = direct.evaluate(test).accuracy();

        log.info("Train with 4 bits....");
        direct.setListeners(new ScoreIterationListener(50));
        direct.fit(train, epochs);

        log.info("Train with half precision, then 8 bits, then 4....");
        staged.setListeners(new ScoreIterationListener(50));
        PrecisionSchedule.builder()
                .untilEpoch(epochs / 3, Precision.FP16)
                .untilEpoch(2 * epochs / 3, Precision.INT8)
                .then(Precision.INT4)
                .build()
                .attachTo(staged);
        staged.fit(train, epochs);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(trained.evaluate(test).accuracy()))
                        .row("4 bits, calibrated", Percent.of(calibrated))
                        .row("4 bits, trained", Percent.of(direct.evaluate(test).accuracy()))
                        .row("4 bits, in stages", Percent.of(staged.evaluate(test).accuracy()));
        log.info("{}{}", System.lineSeparator(), table);

        log.info("Lower to integers, compare two engines....");
        IntGraph graph = Quantization.lower(staged);
        test.reset();
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport report =
                    EqualityCheck.between(reference, onnxRuntime)
                            .over(EngineInputs.of(graph, test.next().getFeatures()));
            log.info("{}", report);
            return report;
        }
    }
}
