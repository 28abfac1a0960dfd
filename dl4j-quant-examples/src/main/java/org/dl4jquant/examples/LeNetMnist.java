// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.termination.ScoreImprovementEpochTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
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
import org.dl4jquant.scheme.LayerSelector;
import org.dl4jquant.scheme.QuantSpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * DL4J's early stopping with a quantized network: a LeNet with 4-bit weights and activations, 8
 * bits in the first and the last layer, trains until its loss on other digits no longer falls, and
 * the best of its epochs becomes integers.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.model.LeNetMnist \
 *     -Dexec.args="--data DIR"
 * }</pre>
 *
 * <p>The folder holds MNIST's four files; without it, digits are drawn. It returns 0, or 1 if the
 * engines differ in one code, or 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "lenet-mnist",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a LeNet with 4 bits until it no longer improves.")
public final class LeNetMnist implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(LeNetMnist.class);

    private static final int CALIBRATION_IMAGES = 512;
    private static final int BITS = 4;

    @CommandLine.Mixin private ImageOptions images = new ImageOptions();

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "4",
            description = "epochs in float, and at most with 4 bits (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new LeNetMnist(), args));
    }

    @Override
    public Integer call() throws IOException {
        images.validate();
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        TrainTest data = images.load();
        LeNet.requireLargeEnough(data.train().shape());

        log.info("Train in float....");
        Training training = new Training(data.train(), epochs, images.seed());
        MultiLayerNetwork trained = LeNet.create(data.train(), images.seed(), training.floatRate());
        training.fit(trained);

        log.info("Put quantizers in....");
        trained.setLearningRate(training.quantizedRate(BITS));
        QuantSpec spec =
                QuantSpec.of(LayerScheme.INT4)
                        .with(LayerSelector.named("conv1"), LayerScheme.INT8)
                        .with(LayerSelector.named("output"), LayerScheme.INT8);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        trained,
                        spec,
                        data.train().first(CALIBRATION_IMAGES).inOrder(Training.BATCH));
        double calibrated = Accuracy.of(quantized, data.test());

        log.info("Train until the loss on other images no longer falls....");
        EarlyStoppingConfiguration<MultiLayerNetwork> stopping =
                new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                        .scoreCalculator(
                                new DataSetLossCalculator(
                                        data.test().inOrder(Accuracy.BATCH), true))
                        .epochTerminationConditions(
                                new MaxEpochsTerminationCondition(epochs),
                                new ScoreImprovementEpochTerminationCondition(1))
                        .modelSaver(new InMemoryModelSaver<>())
                        .build();
        EarlyStoppingResult<MultiLayerNetwork> result =
                new EarlyStoppingTrainer(
                                stopping,
                                quantized,
                                data.train().shuffled(Training.BATCH, images.seed()))
                        .fit();
        MultiLayerNetwork best = result.getBestModel();
        log.info(
                "  the best of {} epochs is {}",
                result.getTotalEpochs(),
                result.getBestModelEpoch());

        IntGraph graph = Quantization.lower(best);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport engines = Checks.engines(reference, onnxRuntime, data.test());
            TextTable table =
                    TextTable.of("network", "accuracy")
                            .row("float", Percent.of(Accuracy.of(trained, data.test())))
                            .row("4 bits, calibrated", Percent.of(calibrated))
                            .row("4 bits, trained", Percent.of(Accuracy.of(best, data.test())))
                            .row(
                                    "its integers, ONNX Runtime",
                                    Percent.of(Accuracy.of(onnxRuntime, data.test())));
            log.info("{}{}", System.lineSeparator(), table);
            log.info(
                    "Java reference and ONNX Runtime: {} of {} codes differ.",
                    engines.differingCodes(),
                    engines.codesCompared());
            return engines.equal() ? CommandLines.OK : CommandLines.WRONG_RESULT;
        }
    }
}
