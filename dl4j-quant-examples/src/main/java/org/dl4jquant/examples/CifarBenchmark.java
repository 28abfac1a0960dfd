// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.examples.data.DataFolder;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Estimator;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The accuracy of a ResNet in float and with 8, 4, 3 and 2 bits, by learned step sizes and by
 * straight-through gradients with scales from the minimum and maximum, over several seeds.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.CifarBenchmark \
 *     -Dexec.args="--data DIR"
 * }</pre>
 *
 * <p>A float network trains for some epochs. From there it and each quantized network train for
 * half as many more. The first and the last layer have 8 bits, as in the LSQ paper. It returns 0,
 * or 1 if the engines differ in one code, or 2 if an option, a file or a folder is wrong.
 */
@CommandLine.Command(
        name = "cifar-benchmark",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares a ResNet in float with 8, 4, 3 and 2 bits.")
public final class CifarBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(CifarBenchmark.class);

    private static final String FLOAT = "float";

    @CommandLine.Option(
            names = "--data",
            paramLabel = "DIR",
            required = true,
            description = "images in train/<class>/ and test/<class>/, or MNIST's own files")
    private Path data = Path.of("");

    @CommandLine.Option(
            names = "--seeds",
            paramLabel = "N",
            defaultValue = "3",
            description = "how many networks to train (default: ${DEFAULT-VALUE})")
    private int seeds;

    @CommandLine.Option(
            names = "--bits",
            paramLabel = "N",
            split = ",",
            defaultValue = "8,4,3,2",
            description = "bits of weights and activations (default: ${DEFAULT-VALUE})")
    private List<Integer> bits = List.of();

    @CommandLine.Option(
            names = "--train",
            paramLabel = "N",
            defaultValue = "2147483647",
            description = "train with N pictures at most (default: all)")
    private int train;

    @CommandLine.Option(
            names = "--test",
            paramLabel = "N",
            defaultValue = "2147483647",
            description = "test with N pictures at most (default: all)")
    private int test;

    @CommandLine.Mixin private ResNetOptions options = new ResNetOptions();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /* Accuracies of all seeds, by network; and whether all engines agreed. */
    private final Map<String, List<ResNetExperiment>> results = new LinkedHashMap<>();
    private final List<Double> floatAccuracies = new ArrayList<>();

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
        CommandLines.require(command, "--seeds", seeds, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--train", train, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--test", test, 1, CommandLines.NO_LIMIT);
        for (int width : bits) {
            CommandLines.require(command, "--bits", width, 2, Byte.SIZE);
        }
        TrainTest pictures = DataFolder.load(data).first(train, test);
        log.info("To train with: {}; to test with: {}", pictures.train(), pictures.test());
        for (int seed = 1; seed <= seeds; seed++) {
            run(pictures, seed);
            log.info("After {} of {} seeds:{}{}", seed, seeds, System.lineSeparator(), table());
        }
        boolean equal =
                results.values().stream()
                        .flatMap(List::stream)
                        .allMatch(result -> result.engines().equal());
        return equal ? CommandLines.OK : CommandLines.WRONG_RESULT;
    }

    private void run(TrainTest pictures, long seed) {
        log.info("Seed {}: float....", seed);
        Training training = new Training(pictures.train(), options.epochs(), seed);
        Training more = training.forFineTuning();
        ComputationGraph trained =
                ResNet.create(pictures.train(), options.channels(), seed, training.floatRate());
        training.fit(trained);
        for (int width : bits) {
            quantize(
                    trained,
                    lsq(width),
                    width,
                    "W%dA%d LSQ".formatted(width, width),
                    more,
                    pictures);
            quantize(
                    trained,
                    minMax(width),
                    width,
                    "W%dA%d min-max STE".formatted(width, width),
                    more,
                    pictures);
        }
        trained.setLearningRate(more.quantizedRate(Byte.SIZE));
        more.fit(trained);
        double accuracy = Accuracy.of(trained, pictures.test());
        floatAccuracies.add(accuracy);
        log.info("Seed {}: {} {}", seed, FLOAT, Percent.of(accuracy));
    }

    private void quantize(
            ComputationGraph trained,
            LayerScheme scheme,
            int width,
            String name,
            Training more,
            TrainTest pictures) {
        QuantSpec spec = QuantSpec.of(scheme).withFirstAndLast(LayerScheme.INT8);
        ResNetExperiment result = ResNetExperiment.run(trained, spec, more, width, pictures);
        results.computeIfAbsent(name, key -> new ArrayList<>()).add(result);
        log.info(
                "{}: calibrated {}, trained {}; {} codes differ",
                name,
                Percent.of(result.ptqAccuracy()),
                Percent.of(result.qatAccuracy()),
                result.engines().differingCodes() + result.simulator().differingCodes());
    }

    private static LayerScheme lsq(int width) {
        return LayerScheme.ofBits(width, width);
    }

    private static LayerScheme minMax(int width) {
        return new LayerScheme(
                fixed(TensorScheme.weights(width)), fixed(TensorScheme.activations(width)));
    }

    private static TensorScheme fixed(TensorScheme scheme) {
        return scheme.withEstimator(Estimator.STE).withCalibration(new CalibrationMethod.MinMax());
    }

    private String table() {
        TextTable table =
                TextTable.of("network", "calibrated", "trained", "trained - float", "recovered");
        double[] reached = floatAccuracies.stream().mapToDouble(Double::doubleValue).toArray();
        table.row(FLOAT, "", Percent.summary(reached), "", "");
        results.forEach((name, runs) -> row(table, name, runs));
        return table.toString();
    }

    private void row(TextTable table, String name, List<ResNetExperiment> runs) {
        double[] trained = runs.stream().mapToDouble(ResNetExperiment::qatAccuracy).toArray();
        double[] calibrated = runs.stream().mapToDouble(ResNetExperiment::ptqAccuracy).toArray();
        double[] lost = new double[trained.length];
        double recovered = 0;
        double toRecover = 0;
        for (int i = 0; i < lost.length; i++) {
            lost[i] = trained[i] - floatAccuracies.get(i);
            recovered += trained[i] - calibrated[i];
            toRecover += floatAccuracies.get(i) - calibrated[i];
        }
        table.row(
                name,
                Percent.summary(calibrated),
                Percent.summary(trained),
                Percent.summary(lost),
                toRecover > 0 ? Percent.of(recovered / toRecover) : "nothing lost");
    }
}
