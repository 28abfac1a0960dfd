// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A residual network, a {@code ComputationGraph}, with 4-bit weights and activations (8 bits in the
 * first and the last layer): it trains in float, then with quantizers, and becomes integers, sums
 * included. Read it for graphs with shortcuts.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.ResNetCifar
 * }</pre>
 *
 * <p>It prints the loss of every 50th iteration, a table of three accuracies (in float, calibrated,
 * trained), and how many codes of two engines differ: 0. The results on CIFAR-10's images are those
 * of {@code CifarBenchmark}.
 */
public final class ResNetCifar {

    private static final Logger log = LoggerFactory.getLogger(ResNetCifar.class);

    private static final int EPOCHS = 4;
    private static final int CHANNELS = 16;
    private static final int STEM_STRIDE = 2; // 1 in the paper; 2 takes a quarter of the time
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final long SEED = 1;

    private ResNetCifar() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        // With CIFAR-10's images as train/<class>/ and test/<class>/:
        // DataFolder.load(Path.of("folder"))
        run(StrokeDigits.split(SEED, 2000, 500), EPOCHS, CHANNELS);
    }

    static EqualityReport run(TrainTest data, int epochs, int channels) {
        DataSetIterator train = data.train().shuffled(BATCH, SEED);
        DataSetIterator test = data.test().inOrder(BATCH);

        log.info("Train in float....");
        ComputationGraph trained =
                ResNet.create(
                        data.train(),
                        channels,
                        STEM_STRIDE,
                        SEED,
                        new ExponentialSchedule(ScheduleType.EPOCH, 2e-3, 0.5));
        trained.setListeners(new ScoreIterationListener(50));
        trained.fit(train, epochs);

        log.info("Insert quantizers of 4 bits....");
        trained.setLearningRate(new ExponentialSchedule(ScheduleType.EPOCH, 5e-4, 0.5));
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8);
        ComputationGraph quantized =
                Quantization.prepare(
                        trained, spec, data.train().first(CALIBRATION_IMAGES).inOrder(BATCH));
        double calibrated = accuracy(quantized, test);

        log.info("Train with quantizers....");
        quantized.setListeners(new ScoreIterationListener(50));
        quantized.fit(train, epochs);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(accuracy(trained, test)))
                        .row("4 bits, calibrated", Percent.of(calibrated))
                        .row("4 bits, trained", Percent.of(accuracy(quantized, test)));
        log.info("{}{}", System.lineSeparator(), table);

        log.info("Lower to integers, compare two engines....");
        IntGraph graph = Quantization.lower(quantized);
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

    private static double accuracy(ComputationGraph network, DataSetIterator data) {
        Evaluation evaluation = network.evaluate(data);
        return evaluation.accuracy();
    }
}
