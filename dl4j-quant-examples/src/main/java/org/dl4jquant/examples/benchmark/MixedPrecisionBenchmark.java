// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.cli.ImageOptions;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.model.MobileNet;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.report.SearchReport;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.search.Sensitivities;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * A width for each layer: it trains a network in float, measures the sensitivity of each layer to
 * 2, 4 and 8 bits, finds the widths of least predicted loss for the bytes of 4 bits everywhere,
 * trains with them and with 4 bits everywhere, and lowers both to integers. With {@code
 * --candidates} it trains some widths drawn at random, too, compares their order with the predicted
 * one, and writes the front as a page.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.MixedPrecisionBenchmark
 * }</pre>
 *
 * <p>With several seeds it is a benchmark. It returns 0, or 1 if the engines differ in one code, or
 * 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "mixed-precision-search",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Searches a width for each layer of a network, and trains with them.")
public final class MixedPrecisionBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(MixedPrecisionBenchmark.class);

    private static final int FEWEST_TO_ORDER = 3;

    @CommandLine.Mixin private ImageOptions images = new ImageOptions();

    /** The networks that can be searched. */
    enum Network {
        LENET(Training.FLOAT_RATE, 20) {
            @Override
            ComputationGraph create(Training training, int channels) throws IOException {
                LeNet.requireLargeEnough(training.images().shape());
                return LeNet.graph(training.images(), training.seed(), training.floatRate());
            }
        },
        RESNET(Training.FLOAT_RATE, 16) {
            @Override
            ComputationGraph create(Training training, int channels) {
                return ResNet.create(
                        training.images(), channels, 2, training.seed(), training.floatRate());
            }
        },
        MOBILENET(MobileNet.LEARNING_RATE, 16) {
            @Override
            ComputationGraph create(Training training, int channels) {
                return MobileNet.create(
                        training.images(), channels, training.seed(), training.floatRate());
            }
        };

        private final double learningRate;
        private final int channels;

        Network(double learningRate, int channels) {
            this.learningRate = learningRate;
            this.channels = channels;
        }

        abstract ComputationGraph create(Training training, int channels) throws IOException;
    }

    @CommandLine.Option(
            names = "--network",
            defaultValue = "mobilenet",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private Network network = Network.MOBILENET;

    @CommandLine.Option(
            names = "--channels",
            paramLabel = "N",
            description = "of the first convolution of a resnet or a mobilenet (default: 16)")
    private @Nullable Integer channels;

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "6",
            description =
                    "epochs in float; half as many with quantization (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Option(
            names = "--seeds",
            paramLabel = "N",
            split = ",",
            description = "a network each, in one table (default: that of --seed)")
    private List<Long> seeds = List.of();

    @CommandLine.Option(
            names = "--trials",
            paramLabel = "N",
            defaultValue = "0",
            description = {
                "train with N proposals of the search, compare them on a third of the training images, held",
                "out of all training, and take the best but 4 bits everywhere (default: none, scores decide)"
            })
    private int trials;

    @CommandLine.Option(
            names = "--candidates",
            paramLabel = "N",
            defaultValue = "0",
            description = {
                "train N widths drawn at random for an epoch each and compare their order, 3 or more",
                "(default: none)"
            })
    private int candidates;

    @CommandLine.Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "target/mixed-precision",
            description = "keeps candidates and pages (default: ${DEFAULT-VALUE})")
    private Path out = Path.of("");

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new MixedPrecisionBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        images.validate();
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--trials", trials, 0, CommandLines.NO_LIMIT);
        if (candidates != 0) {
            CommandLines.require(
                    command, "--candidates", candidates, FEWEST_TO_ORDER, CommandLines.NO_LIMIT);
        }
        int width = channels();
        TrainTest all = images.load();
        @Nullable LabelledImages heldOut = null;
        TrainTest data = all;
        if (trials > 0) {
            TrainTest split = split(all);
            data = new TrainTest(split.train(), all.test());
            heldOut = split.test();
        }
        List<MixedPrecisionExperiment> runs = new ArrayList<>();
        Map<String, List<Double>> rhos = new LinkedHashMap<>();
        for (long seed : seeds.isEmpty() ? List.of(images.seed()) : seeds) {
            Training training = new Training(data.train(), epochs, seed, network.learningRate);
            log.info("Seed {}: train in float....", seed);
            ComputationGraph trained = network.create(training, width);
            training.fit(trained);
            runs.add(
                    MixedPrecisionExperiment.run(
                            trained, training.forFineTuning(), data, trials, heldOut));
            log.info("{}{}", System.lineSeparator(), table(runs));
            if (candidates > 0) {
                compareOrders(trained, data, seed, rhos);
            }
        }
        return runs.stream()
                        .allMatch(
                                run ->
                                        run.uniform().engines().equal()
                                                && run.mixed().engines().equal())
                ? CommandLines.OK
                : CommandLines.WRONG_RESULT;
    }

    private int channels() {
        if (channels == null) {
            return network.channels;
        }
        if (network == Network.LENET) {
            throw new CommandLine.ParameterException(
                    command.commandLine(),
                    "--channels is %d, but a lenet has %d; choose another --network"
                            .formatted(channels, network.channels));
        }
        CommandLines.require(command, "--channels", channels, 1, CommandLines.NO_LIMIT);
        return channels;
    }

    private TrainTest split(TrainTest all) {
        try {
            return WidthSelection.split(all.train());
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void compareOrders(
            ComputationGraph trained, TrainTest data, long seed, Map<String, List<Double>> rhos)
            throws IOException {
        log.info("Train {} candidates....", candidates);
        ComputationGraph ready = trained.clone();
        ready.setLearningRate(
                new Training(data.train(), 1, seed, network.learningRate)
                        .quantizedRate(MixedPrecisionExperiment.UNIFORM));
        Path folder = out.resolve(network.name().toLowerCase(Locale.ROOT) + "-" + seed);
        CandidateOrder order = CandidateOrder.of(ready, data, candidates, 1, seed, folder);
        order.rhos()
                .forEach(
                        (name, rho) -> rhos.computeIfAbsent(name, n -> new ArrayList<>()).add(rho));
        TextTable table = TextTable.of("predicted by", "Spearman's rho, by seed");
        rhos.forEach(
                (name, values) ->
                        table.row(
                                name,
                                String.join(
                                        ", ",
                                        values.stream()
                                                .map(v -> String.format(Locale.ROOT, "%.2f", v))
                                                .toList())));
        log.info("{}{}", System.lineSeparator(), table);
        SearchReport report =
                SearchReport.of(network + ", seed " + seed, order.results())
                        .withBaseline("float", Accuracy.of(trained, data.test()));
        for (Sensitivities scores : order.sensitivities()) {
            report = report.with(scores);
        }
        Path page = folder.resolve("search.html");
        report.writeHtml(page);
        report.writeJson(folder.resolve("search.json"));
        log.info("The front is in {}", Files.exists(page) ? page.toAbsolutePath() : page);
    }

    private static String table(List<MixedPrecisionExperiment> runs) {
        TextTable table =
                TextTable.of(
                        "network",
                        "bytes of weights",
                        "calibrated, %",
                        "trained, %",
                        "codes differ");
        table.row("float", "", "", summary(runs, MixedPrecisionExperiment::floatAccuracy), "");
        row(
                table,
                "4 bits everywhere",
                runs.stream().map(MixedPrecisionExperiment::uniform).toList());
        row(table, "2, 4 or 8 bits", runs.stream().map(MixedPrecisionExperiment::mixed).toList());
        return table.row(
                        "difference",
                        "",
                        "",
                        summary(runs, run -> run.mixed().trained() - run.uniform().trained()),
                        "")
                .toString();
    }

    private static void row(
            TextTable table, String name, List<MixedPrecisionExperiment.Result> results) {
        table.row(
                name,
                String.format(
                        Locale.ROOT,
                        "%,.0f",
                        results.stream()
                                .mapToDouble(MixedPrecisionExperiment.Result::bytes)
                                .average()
                                .orElseThrow()),
                Percent.summary(
                        results.stream()
                                .mapToDouble(MixedPrecisionExperiment.Result::calibrated)
                                .toArray()),
                Percent.summary(
                        results.stream()
                                .mapToDouble(MixedPrecisionExperiment.Result::trained)
                                .toArray()),
                String.valueOf(
                        results.stream()
                                .mapToLong(result -> result.engines().differingCodes())
                                .sum()));
    }

    private static String summary(
            List<MixedPrecisionExperiment> runs,
            ToDoubleFunction<MixedPrecisionExperiment> figure) {
        return Percent.summary(runs.stream().mapToDouble(figure).toArray());
    }
}
