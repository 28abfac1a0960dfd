// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.Distillation;
import org.dl4jquant.train.DistillationListener;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knowledge distillation into two bits: a float LeNet becomes the teacher of a copy with 2-bit
 * weights and activations (8 bits in the first and the last layer); another copy trains for as long
 * on the labels alone. Read it when few bits lose accuracy that training alone does not recover.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.DistilledTwoBit
 * }</pre>
 *
 * <p>It prints the loss of every 50th iteration and a table of four accuracies on 500 images: 96.0
 * % in float, 90.0 % calibrated, 96.2 % trained on the labels, 95.4 % distilled, which is no
 * difference on so few images; {@code CifarBenchmark} compares them over several seeds.
 */
public final class DistilledTwoBit {

    private static final Logger log = LoggerFactory.getLogger(DistilledTwoBit.class);

    private static final int EPOCHS = 4;
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final long SEED = 1;

    private DistilledTwoBit() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        run(StrokeDigits.split(SEED, 2000, 500), EPOCHS);
    }

    static TextTable run(TrainTest data, int epochs) {
        DataSetIterator train = data.train().shuffled(BATCH, SEED);
        DataSetIterator test = data.test().inOrder(BATCH);

        log.info("Train the teacher in float....");
        MultiLayerNetwork teacher =
                LeNet.create(
                        data.train(), SEED, new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.3));
        teacher.setListeners(new ScoreIterationListener(50));
        teacher.fit(train, epochs);

        log.info("Insert quantizers of 2 bits....");
        teacher.setLearningRate(new ExponentialSchedule(ScheduleType.EPOCH, 5e-4, 0.3));
        QuantSpec spec = QuantSpec.of(LayerScheme.ofBits(2, 2)).withFirstAndLast(LayerScheme.INT8);
        MultiLayerNetwork onLabels =
                Quantization.prepare(
                        teacher, spec, data.train().first(CALIBRATION_IMAGES).inOrder(BATCH));
        MultiLayerNetwork distilled = onLabels.clone();
        double calibrated = onLabels.evaluate(test).accuracy();

        log.info("Train on the labels....");
        onLabels.setListeners(new ScoreIterationListener(50));
        onLabels.fit(train, epochs);

        log.info("Train on the labels and on the teacher's probabilities and activations....");
        Distillation distillation =
                Distillation.from(teacher)
                        .withSoftLabels(4, 0.7) // temperature, share of the loss
                        .withValues("conv2", "relu2", 0.5) // student's and teacher's layer, weight
                        .cachedInMemory(data.train().size()); // runs the teacher once per example
        distilled.setListeners(new ScoreIterationListener(50));
        try (DistillationListener attached = distillation.attach(distilled)) {
            log.info("{}", attached);
            distilled.fit(train, epochs);
        }

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(teacher.evaluate(test).accuracy()))
                        .row("2 bits, calibrated", Percent.of(calibrated))
                        .row("2 bits, trained", Percent.of(onLabels.evaluate(test).accuracy()))
                        .row("2 bits, distilled", Percent.of(distilled.evaluate(test).accuracy()));
        log.info("{}{}", System.lineSeparator(), table);
        return table;
    }
}
