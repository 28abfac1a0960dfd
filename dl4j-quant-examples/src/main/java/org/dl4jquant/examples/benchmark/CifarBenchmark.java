// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The accuracy of a ResNet in float and in few bits, over several seeds: by number of bits and
 * estimator, by LSQ's gradient scale, in stages, and with a teacher; a table each.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.benchmark.CifarBenchmark \
 *     -Dexec.args="--data DIR"
 * }</pre>
 *
 * <p>A float network trains for some epochs. From there it and each quantized network train for
 * equally many more. It keeps finished networks in a folder, and resumes from there when it is
 * started again. It returns 0, or 1 if the engines differ in one code, or 2 if an option, a file or
 * a folder is wrong.
 */
@CommandLine.Command(
        name = "cifar-benchmark",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares a ResNet in float with ones of few bits.")
public final class CifarBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(CifarBenchmark.class);

    private static final String FLOAT = "float";

    @CommandLine.Mixin private BenchmarkOptions benchmark = new BenchmarkOptions();

    @CommandLine.Option(
            names = "--study",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "bits,gradient_scale,progressive,distillation",
            description = "what to compare: ${COMPLETION-CANDIDATES} (default: all)")
    private Set<Experiment> experiments = Set.of();

    @CommandLine.Option(
            names = "--bits",
            paramLabel = "N",
            split = ",",
            defaultValue = "8,4,3,2",
            description = "bits of weights and activations (default: ${DEFAULT-VALUE})")
    private List<Integer> bits = List.of();

    @CommandLine.Mixin private ResNetOptions options = new ResNetOptions();

    @CommandLine.Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "target/cifar-benchmark",
            description = {
                "keeps what is finished, and goes on from there when it is started again",
                "(default: ${DEFAULT-VALUE})"
            })
    private Path out = Path.of("");

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the benchmark and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new CifarBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.validate(command);
        benchmark.validate();
        for (int width : bits) {
            CommandLines.require(command, "--bits", width, 2, Byte.SIZE);
        }
        TrainTest images = benchmark.load();
        log.info("To train with: {}; to test with: {}", images.train(), images.test());
        ResultStore finished = ResultStore.in(out, settings(images));
        long differing = 0;
        List<Long> done = new ArrayList<>();
        for (long seed : benchmark.seeds()) {
            differing += new Seed(seed, images, finished).run();
            done.add(seed);
            for (Experiment experiment : experiments) {
                log.info(
                        "{}; seeds {}{}{}",
                        experiment.title(),
                        done,
                        System.lineSeparator(),
                        table(experiment, done, finished));
            }
        }
        return differing == 0 ? CommandLines.OK : CommandLines.WRONG_RESULT;
    }

    private String settings(TrainTest images) {
        return String.format(
                Locale.ROOT,
                "%s; %s; %d epochs; %d channels; stride %d",
                images.train(),
                images.test(),
                options.epochs(),
                options.channels(),
                options.stemStride());
    }

    private ExperimentTable table(Experiment experiment, List<Long> seeds, ResultStore finished)
            throws IOException {
        ExperimentTable table = new ExperimentTable(results(FLOAT, seeds, finished));
        for (Variant variant : experiment.variants(bits)) {
            table.add(variant.name(), results(variant.name(), seeds, finished));
        }
        return table;
    }

    private static List<VariantResult> results(String name, List<Long> seeds, ResultStore finished)
            throws IOException {
        List<VariantResult> results = new ArrayList<>();
        for (long seed : seeds) {
            results.add(finished.find(seed, name).orElseThrow());
        }
        return results;
    }

    /** All networks of one seed. */
    private final class Seed {
        private final long seed;
        private final TrainTest images;
        private final ResultStore finished;
        private final Training training;

        Seed(long seed, TrainTest images, ResultStore finished) {
            this.seed = seed;
            this.images = images;
            this.finished = finished;
            training = new Training(images.train(), options.epochs(), seed);
        }

        /** Returns in how many codes engines differ. */
        long run() throws IOException {
            ComputationGraph trained = finished.floatNetwork(seed, this::trainFloat);
            long differing = 0;
            if (finished.find(seed, FLOAT).isEmpty()) {
                keep(FLOAT, trainFloatOn(trained));
            }
            Set<Variant> variants = new LinkedHashSet<>();
            experiments.forEach(experiment -> variants.addAll(experiment.variants(bits)));
            for (Variant variant : variants) {
                Optional<VariantResult> known = finished.find(seed, variant.name());
                VariantResult result = known.isPresent() ? known.get() : run(trained, variant);
                if (known.isEmpty()) {
                    keep(variant.name(), result);
                }
                differing += result.differingCodes();
            }
            return differing;
        }

        private ComputationGraph trainFloat() {
            log.info("Seed {}: float....", seed);
            ComputationGraph network =
                    ResNet.create(
                            images.train(),
                            options.channels(),
                            options.stemStride(),
                            seed,
                            training.floatRate());
            training.fit(network);
            return network;
        }

        /* The float network may learn as long as the quantized ones. */
        private VariantResult trainFloatOn(ComputationGraph trained) {
            ComputationGraph network = trained.clone();
            network.getConfiguration().setIterationCount(0);
            network.setLearningRate(training.rate(Variant.rate(Byte.SIZE)));
            double before = Accuracy.of(network, images.test());
            training.fit(network);
            return new VariantResult(before, Accuracy.of(network, images.test()), 0);
        }

        private VariantResult run(ComputationGraph trained, Variant variant) {
            log.info("Seed {}: {}....", seed, variant.name());
            ResNetExperiment result = ResNetExperiment.run(trained, variant, training, images);
            return new VariantResult(
                    result.ptqAccuracy(),
                    result.qatAccuracy(),
                    result.engines().differingCodes() + result.simulator().differingCodes());
        }

        private void keep(String name, VariantResult result) throws IOException {
            finished.keep(seed, name, result);
            log.info(
                    "Seed {}: {}: {} before, {} after training; {} codes differ",
                    seed,
                    name,
                    Percent.of(result.before()),
                    Percent.of(result.after()),
                    result.differingCodes());
        }
    }
}
