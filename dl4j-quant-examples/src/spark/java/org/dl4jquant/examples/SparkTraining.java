// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.benchmark.LeNetExperiment;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.cli.ImageOptions;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.report.SimulatorReport;
import org.dl4jquant.report.TextTable;
import org.nd4j.linalg.dataset.DataSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Training with quantizers on Spark: it trains a LeNet in float, quantizes it to INT8, and trains
 * that on Spark's workers, which average their parameters, the scales among them. Then it shows
 * that the integer graph computes the same. Spark runs in this process unless its own properties
 * ({@code spark.master}) say otherwise.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,spark compile -Dexec.mainClass=org.dl4jquant.examples.SparkTraining
 * }</pre>
 *
 * <p>It returns 0, or 1 if the engines differ in one code, or 2 if an option, a file or a folder is
 * wrong.
 */
@CommandLine.Command(
        name = "spark-training",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a LeNet in INT8 on Spark.")
public final class SparkTraining implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(SparkTraining.class);

    /* Iterations of each worker between two averages; more of them cost accuracy, fewer cost time. */
    private static final int ITERATIONS_PER_AVERAGE = 4;

    @CommandLine.Mixin private ImageOptions images = new ImageOptions();

    @CommandLine.Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "4",
            description =
                    "epochs in float; half as many with quantization (default: ${DEFAULT-VALUE})")
    private int epochs;

    @CommandLine.Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "2",
            description = "how many train at the same time (default: ${DEFAULT-VALUE})")
    private int workers;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the example and ends the JVM with its result.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new SparkTraining(), args));
    }

    @Override
    public Integer call() throws IOException {
        images.validate();
        CommandLines.require(command, "--epochs", epochs, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--workers", workers, 1, CommandLines.NO_LIMIT);
        TrainTest data = images.load();
        LeNet.requireLargeEnough(data.train().shape());

        log.info("Train in float....");
        Training training = new Training(data.train(), epochs, images.seed());
        MultiLayerNetwork trained = LeNet.create(data.train(), images.seed(), training.floatRate());
        training.fit(trained);
        double floatAccuracy = Accuracy.of(trained, data.test());
        Training fineTuning = training.forFineTuning();
        MultiLayerNetwork quantized = LeNetExperiment.prepare(trained, fineTuning);
        double calibrated = Accuracy.of(quantized, data.test());

        log.info("Train INT8 with {} workers....", workers);
        MultiLayerNetwork averaged = trainOnSpark(quantized, fineTuning);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(floatAccuracy))
                        .row("INT8, calibrated", Percent.of(calibrated))
                        .row(
                                "INT8, trained on Spark",
                                Percent.of(Accuracy.of(averaged, data.test())));
        log.info("{}{}", System.lineSeparator(), table);
        return check(averaged, data.test());
    }

    private MultiLayerNetwork trainOnSpark(MultiLayerNetwork quantized, Training fineTuning) {
        SparkConf settings =
                new SparkConf()
                        .setAppName("dl4j-quant")
                        .setIfMissing("spark.master", "local[" + workers + "]")
                        .setIfMissing("spark.ui.enabled", "false");
        try (JavaSparkContext spark = new JavaSparkContext(settings)) {
            JavaRDD<DataSet> batches = spark.parallelize(batches(fineTuning.images()), workers);
            SparkDl4jMultiLayer network = new SparkDl4jMultiLayer(spark, quantized, averaging());
            for (int epoch = 1; epoch <= fineTuning.epochs(); epoch++) {
                network.fit(batches);
                log.info("  epoch {} of {}", epoch, fineTuning.epochs());
            }
            return network.getNetwork();
        }
    }

    private TrainingMaster<?, ?> averaging() {
        return new ParameterAveragingTrainingMaster.Builder(workers, 1)
                .batchSizePerWorker(Training.BATCH)
                .averagingFrequency(ITERATIONS_PER_AVERAGE)
                .rddTrainingApproach(RDDTrainingApproach.Direct)
                .rngSeed(images.seed())
                .build();
    }

    private static List<DataSet> batches(LabelledImages images) {
        List<DataSet> batches = new ArrayList<>();
        images.inOrder(Training.BATCH).forEachRemaining(batches::add);
        return batches;
    }

    private static int check(MultiLayerNetwork network, LabelledImages images) {
        IntGraph graph = Quantization.lower(network);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport engines = Checks.engines(reference, onnxRuntime, images);
            SimulatorReport simulator = Checks.simulator(network, onnxRuntime, images);
            log.info(
                    "The engines differ in {} of {} codes, the network in {} of {}.",
                    engines.differingCodes(),
                    engines.codesCompared(),
                    simulator.differingCodes(),
                    simulator.codes());
            return engines.equal() ? CommandLines.OK : CommandLines.WRONG_RESULT;
        }
    }
}
