// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.cli.ImageOptions;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.train.Distillation;
import org.dl4jquant.train.DistillationListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Two bits, learned from the labels and learned from the float network: it trains a LeNet in float,
 * quantizes it to 2-bit weights and activations (the first and the last layer with 8 bits), and
 * trains that twice for the same number of epochs, without and with the float network as a teacher.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.DistilledTwoBit
 * }</pre>
 *
 * <p>It returns 0, or 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "distilled-two-bit",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a LeNet of 2 bits with and without a teacher.")
public final class DistilledTwoBit implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(DistilledTwoBit.class);

    private static final int CALIBRATION_IMAGES = 512;
    private static final int BITS = 2;
    private static final double TEMPERATURE = 4;
    private static final double SOFT_SHARE = 0.7;
    private static final double VALUES_WEIGHT = 0.5;

    @CommandLine.Mixin private ImageOptions images = new ImageOptions();

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "4",
            description = "epochs of each training (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new DistilledTwoBit(), args));
    }

    @Override
    public Integer call() throws IOException {
        images.validate();
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        TrainTest data = images.load();
        LeNet.requireLargeEnough(data.train().shape());
        Training training = new Training(data.train(), epochs, images.seed());

        log.info("Train the teacher in float....");
        MultiLayerNetwork teacher = LeNet.create(data.train(), images.seed(), training.floatRate());
        training.fit(teacher);

        log.info("Train two bits on the labels....");
        MultiLayerNetwork alone = student(teacher, training);
        double calibrated = Accuracy.of(alone, data.test());
        training.fit(alone);

        log.info("Train two bits with the teacher....");
        MultiLayerNetwork taught = student(teacher, training);
        Distillation distillation =
                Distillation.from(teacher)
                        .withSoftLabels(TEMPERATURE, SOFT_SHARE)
                        .withValues("conv2", "relu2", VALUES_WEIGHT)
                        .cachedInMemory(data.train().size());
        try (DistillationListener teaching = distillation.attach(taught)) {
            log.info("  listening: {}", teaching);
            training.fit(taught);
        }

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(Accuracy.of(teacher, data.test())))
                        .row("2 bits, calibrated", Percent.of(calibrated))
                        .row("2 bits, trained", Percent.of(Accuracy.of(alone, data.test())))
                        .row("2 bits, distilled", Percent.of(Accuracy.of(taught, data.test())));
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    private static MultiLayerNetwork student(MultiLayerNetwork teacher, Training training) {
        MultiLayerNetwork ready = teacher.clone();
        ready.setLearningRate(training.quantizedRate(BITS));
        return Quantization.prepare(
                ready,
                QuantSpec.of(LayerScheme.ofBits(BITS, BITS)).withFirstAndLast(LayerScheme.INT8),
                training.images().first(CALIBRATION_IMAGES).inOrder(Training.BATCH));
    }
}
