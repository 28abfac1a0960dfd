// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.report.TextTable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The accuracy of a LeNet in float, after post-training quantization to INT8 and after training
 * with quantization, with several seeds, and whether the networks and their engines agree.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.benchmark.MnistBenchmark \
 *     -Dexec.args="--data DIR"
 * }</pre>
 *
 * <p>The folder holds MNIST's four files, or images. It returns 0, or 1 if the engines differ in
 * one code, or 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "mnist-benchmark",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares float, post-training INT8 and trained INT8 accuracy.")
public final class MnistBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(MnistBenchmark.class);

    @CommandLine.Mixin private BenchmarkOptions benchmark = new BenchmarkOptions();

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "epochs in float; half as many with quantization (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the benchmark and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new MnistBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        benchmark.validate();
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        TrainTest images = benchmark.load();
        LeNet.requireLargeEnough(images.train().shape());
        List<LeNetExperiment> runs = new ArrayList<>();
        for (long seed : benchmark.seeds()) {
            log.info("Seed {} of {}....", seed, benchmark.seeds());
            LeNetExperiment run = LeNetExperiment.run(images, epochs, seed);
            runs.add(run);
            log.info(
                    "Seed {}: float {}, post-training {}, trained {}.",
                    seed,
                    Percent.of(run.floatAccuracy()),
                    Percent.of(run.ptqAccuracy()),
                    Percent.of(run.qatAccuracy()));
        }
        log.info("{}{}", System.lineSeparator(), table(runs));
        return runs.stream().allMatch(run -> run.engines().equal())
                ? CommandLines.OK
                : CommandLines.WRONG_RESULT;
    }

    private static String table(List<LeNetExperiment> runs) {
        TextTable table =
                TextTable.of(
                        "seed",
                        "float",
                        "PTQ INT8",
                        "QAT INT8",
                        "QAT - float",
                        "engines differ",
                        "network differs",
                        "top-1 changed");
        for (LeNetExperiment run : runs) {
            table.row(
                    String.valueOf(run.seed()),
                    Percent.of(run.floatAccuracy()),
                    Percent.of(run.ptqAccuracy()),
                    Percent.of(run.qatAccuracy()),
                    Percent.points(run.qatAccuracy() - run.floatAccuracy()),
                    share(run.engines().differingCodes(), run.engines().codesCompared()),
                    share(run.simulator().differingCodes(), run.simulator().codes()),
                    share(run.simulator().top1Changed(), run.simulator().examples()));
        }
        return table.row(
                        "mean (deviation)",
                        summary(runs, LeNetExperiment::floatAccuracy),
                        summary(runs, LeNetExperiment::ptqAccuracy),
                        summary(runs, LeNetExperiment::qatAccuracy),
                        summary(runs, run -> run.qatAccuracy() - run.floatAccuracy()),
                        "",
                        "",
                        "")
                .toString();
    }

    private static String share(long part, long whole) {
        return String.format(Locale.ROOT, "%,d of %,d", part, whole);
    }

    private static String summary(
            List<LeNetExperiment> runs, ToDoubleFunction<LeNetExperiment> figure) {
        return Percent.summary(runs.stream().mapToDouble(figure).toArray());
    }
}
