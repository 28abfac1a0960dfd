// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.engine.InterleavedTimer;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.InferenceTasks;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.files.WholeFile;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxWriter;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The whole path of a network: it trains a LeNet in float, inserts quantizers, trains on, lowers it
 * to integers, runs these on two engines, and compares everything with everything.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.args="--help"
 * }</pre>
 *
 * <p>The folder that it names at the end then holds
 *
 * <ul>
 *   <li>{@code float.zip}, the float network as DL4J's ModelSerializer writes it;
 *   <li>{@code quantized.zip}, the trained quantized network, likewise: restore it and call {@code
 *       fit} to train on;
 *   <li>{@code quantized.onnx}, the integers;
 *   <li>{@code report.json}, an object of objects: {@code accuracy} with {@code float}, {@code
 *       ptq}, {@code qat} and {@code engine} from 0 to 1; {@code bytes} with {@code float} and
 *       {@code integer}; {@code latency} with {@code one} and {@code batch32}, each with {@code
 *       floatMillis} and {@code integerMillis}; {@code engines} with {@code differingCodes} of
 *       {@code codes}; {@code simulator} with {@code differingCodes} of {@code codes}, and {@code
 *       top1Changed} of {@code examples}; {@code options} with {@code seed}, {@code epochs} and
 *       {@code bits}.
 * </ul>
 *
 * <p>It returns 0, or 1 if the two engines differ in one code, or 2 if an option, a file or a
 * folder is wrong.
 */
@CommandLine.Command(
        name = "quickstart",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a LeNet with quantization, lowers it to integers and checks it.")
public final class Quickstart implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(Quickstart.class);

    private static final int CALIBRATION_IMAGES = 512;
    private static final int WARM_UP_ROUNDS = 20;
    private static final int TIMED_ROUNDS = 60;

    @CommandLine.Mixin private QuickstartOptions options = new QuickstartOptions();

    /**
     * Runs the quickstart and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs the quickstart and returns 0, 1 or 2, as the class comment says. */
    static int run(String... args) {
        return CommandLines.run(new Quickstart(), args);
    }

    @Override
    public Integer call() throws IOException {
        options.validate();
        Path folder = Files.createDirectories(options.out().toAbsolutePath().normalize());

        log.info("Load data....");
        TrainTest data = options.load();
        LeNet.requireLargeEnough(data.train().shape());
        LabelledImages test = data.test();
        log.info("  to train with: {}; to test with: {}", data.train(), test);

        log.info("Train in float....");
        Training floatTraining = new Training(data.train(), options.epochs(), options.seed());
        MultiLayerNetwork trained =
                LeNet.create(data.train(), options.seed(), floatTraining.floatRate());
        floatTraining.fit(trained);
        double floatAccuracy = Accuracy.of(trained, test);
        long floatBytes = writeParameters(trained, folder.resolve("float.zip"));

        log.info("Insert quantizers, calibrate....");
        Training fineTuning = floatTraining.forFineTuning();
        trained.setLearningRate(fineTuning.quantizedRate(options.bits()));
        QuantSpec spec =
                QuantSpec.of(LayerScheme.ofBits(options.bits(), options.bits()))
                        .withFirstAndLast(LayerScheme.INT8);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        trained,
                        spec,
                        data.train().first(CALIBRATION_IMAGES).inOrder(Training.BATCH));
        double postTrainingAccuracy = Accuracy.of(quantized, test);

        log.info("Train with quantization....");
        fineTuning.fit(quantized);
        double trainedAccuracy = Accuracy.of(quantized, test);
        WholeFile.write(
                folder.resolve("quantized.zip"),
                out -> ModelSerializer.writeModel(quantized, out, true));

        log.info("Lower to integers....");
        IntGraph graph = Quantization.lower(quantized);
        Path onnx = folder.resolve("quantized.onnx");
        OnnxWriter.write(graph, onnx);

        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            log.info("Compare the Java reference with ONNX Runtime, and both with the network....");
            EqualityReport engines = Checks.engines(reference, onnxRuntime, test);
            SimulatorReport simulator = Checks.simulator(quantized, onnxRuntime, test);

            log.info("Measure latency....");
            QuickstartResult result =
                    new QuickstartResult(
                            options,
                            new QuickstartResult.Accuracies(
                                    floatAccuracy,
                                    postTrainingAccuracy,
                                    trainedAccuracy,
                                    Accuracy.of(onnxRuntime, test)),
                            new QuickstartResult.Sizes(floatBytes, Files.size(onnx)),
                            latencies(trained, onnxRuntime, test),
                            engines,
                            simulator);
            result.figures().write(folder.resolve("report.json"));
            log.info("Done:{}{}{}", System.lineSeparator(), System.lineSeparator(), result.table());
            log.info("The files are in {}", folder);
            return engines.equal() ? CommandLines.OK : CommandLines.WRONG_RESULT;
        }
    }

    /* The parameters are one part of the zipped model file; their bytes are counted unzipped, since
     * those of the ONNX file are not zipped either. */
    private static long writeParameters(MultiLayerNetwork network, Path file) throws IOException {
        WholeFile.write(file, out -> ModelSerializer.writeModel(network, out, false));
        try (ZipFile zip = new ZipFile(file.toFile())) {
            return zip.getEntry(ModelSerializer.COEFFICIENTS_BIN).getSize();
        }
    }

    private static QuickstartResult.Latencies latencies(
            MultiLayerNetwork network, Engine engine, LabelledImages images) {
        LabelledImages one = images.first(1);
        LabelledImages batch = images.first(InferenceTasks.BATCH);
        InterleavedTimer.Medians medians =
                new InterleavedTimer()
                        .with("floatOne", InferenceTasks.of(network, one))
                        .with("integerOne", InferenceTasks.of(engine, one))
                        .with("floatBatch", InferenceTasks.of(network, batch))
                        .with("integerBatch", InferenceTasks.of(engine, batch))
                        .run(WARM_UP_ROUNDS, TIMED_ROUNDS);
        return new QuickstartResult.Latencies(
                medians.millis("floatOne"),
                medians.millis("integerOne"),
                medians.millis("floatBatch"),
                medians.millis("integerBatch"));
    }
}
