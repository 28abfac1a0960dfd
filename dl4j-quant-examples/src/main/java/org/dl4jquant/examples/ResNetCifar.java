// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.benchmark.ResNetExperiment;
import org.dl4jquant.examples.benchmark.ResNetOptions;
import org.dl4jquant.examples.benchmark.Variant;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.cli.ImageOptions;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.report.TextTable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * A residual network in few bits: it trains a ResNet in float, quantizes it (the first and the last
 * layer with 8 bits), trains on, and shows that the integer graph computes the same.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.model.ResNetCifar \
 *     -Dexec.args="--data DIR --bits 4"
 * }</pre>
 *
 * <p>The folder holds CIFAR-10's images, or others, as {@code train/<class>/} and {@code
 * test/<class>/}; without it, digits are drawn. It returns 0, or 1 if the engines differ in one
 * code, or 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "resnet-cifar",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a ResNet with few bits and checks its integer graph.")
public final class ResNetCifar implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(ResNetCifar.class);

    @CommandLine.Mixin private ImageOptions imageOptions = new ImageOptions();

    @CommandLine.Mixin private ResNetOptions options = new ResNetOptions();

    @CommandLine.Option(
            names = "--bits",
            paramLabel = "N",
            defaultValue = "4",
            description = "bits of weights and activations, 2 to 8 (default: ${DEFAULT-VALUE})")
    private int bits;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new ResNetCifar(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.validate(command);
        imageOptions.validate();
        CommandLines.require(command, "--bits", bits, 2, Byte.SIZE);
        TrainTest images = imageOptions.load();
        long seed = imageOptions.seed();
        log.info("Train in float....");
        Training floatTraining = new Training(images.train(), options.epochs(), seed);
        ComputationGraph trained =
                ResNet.create(
                        images.train(),
                        options.channels(),
                        options.stemStride(),
                        seed,
                        floatTraining.floatRate());
        floatTraining.fit(trained);

        log.info("Quantize, train on....");
        ResNetExperiment result =
                ResNetExperiment.run(
                        trained, Variant.lsq(bits), floatTraining.forFineTuning(), images);
        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(Accuracy.of(trained, images.test())))
                        .row(bits + " bits, calibrated", Percent.of(result.ptqAccuracy()))
                        .row(bits + " bits, trained", Percent.of(result.qatAccuracy()));
        log.info("{}{}", System.lineSeparator(), table);
        log.info(
                "The engines differ in {} of {} codes, the network in {} of {}.",
                result.engines().differingCodes(),
                result.engines().codesCompared(),
                result.simulator().differingCodes(),
                result.simulator().codes());
        return result.engines().equal() ? CommandLines.OK : CommandLines.WRONG_RESULT;
    }
}
