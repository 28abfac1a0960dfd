// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.cli.ImageOptions;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.PrecisionSchedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Four bits in three stages: it trains a LeNet in float, prepares it for 4-bit weights and
 * activations (the first and the last layer with 8 bits), and trains that twice for the same number
 * of epochs: with 4 bits from the first one, and with half precision, then 8 bits, then 4.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.support.ProgressiveInt4
 * }</pre>
 *
 * <p>It returns 0, or 1 if the engines differ in one code, or 2 if an option, a file or a folder is
 * wrong.
 */
@CommandLine.Command(
        name = "progressive-int4",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a LeNet of 4 bits at once and in stages.")
public final class ProgressiveInt4 implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(ProgressiveInt4.class);

    private static final int CALIBRATION_IMAGES = 512;
    private static final int BITS = 4;
    private static final int STAGES = 3;

    @CommandLine.Mixin private ImageOptions images = new ImageOptions();

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "6",
            description = "epochs of each training, 3 or more (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new ProgressiveInt4(), args));
    }

    @Override
    public Integer call() throws IOException {
        images.validate();
        CommandLines.require(command, "--epochs", epochs, STAGES, CommandLines.NO_LIMIT);
        TrainTest data = images.load();
        LeNet.requireLargeEnough(data.train().shape());
        Training training = new Training(data.train(), epochs, images.seed());

        log.info("Train in float....");
        MultiLayerNetwork trained = LeNet.create(data.train(), images.seed(), training.floatRate());
        training.fit(trained);

        log.info("Train with 4 bits....");
        MultiLayerNetwork direct = prepare(trained, training);
        double calibrated = Accuracy.of(direct, data.test());
        training.fit(direct);

        log.info("Train with half precision, 8 bits, 4 bits....");
        MultiLayerNetwork staged = prepare(trained, training);
        PrecisionSchedule.builder()
                .untilEpoch(epochs / STAGES, Precision.FP16)
                .untilEpoch(2 * epochs / STAGES, Precision.INT8)
                .then(Precision.INT4)
                .build()
                .attachTo(staged);
        training.fit(staged);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(Accuracy.of(trained, data.test())))
                        .row("4 bits, calibrated", Percent.of(calibrated))
                        .row("4 bits at once", Percent.of(Accuracy.of(direct, data.test())))
                        .row("4 bits in stages", Percent.of(Accuracy.of(staged, data.test())));
        log.info("{}{}", System.lineSeparator(), table);
        return check(Quantization.lower(staged), data);
    }

    private static MultiLayerNetwork prepare(MultiLayerNetwork trained, Training training) {
        MultiLayerNetwork ready = trained.clone();
        ready.setLearningRate(training.quantizedRate(BITS));
        return Quantization.prepare(
                ready,
                QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8),
                training.images().first(CALIBRATION_IMAGES).inOrder(Training.BATCH));
    }

    private static int check(IntGraph graph, TrainTest data) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport engines = Checks.engines(reference, onnxRuntime, data.test());
            log.info(
                    "Java reference and ONNX Runtime: {} of {} codes differ.",
                    engines.differingCodes(),
                    engines.codesCompared());
            return engines.equal() ? CommandLines.OK : CommandLines.WRONG_RESULT;
        }
    }
}
