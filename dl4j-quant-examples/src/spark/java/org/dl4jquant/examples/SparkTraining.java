// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.layer.Updaters;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Training with quantizers on Spark: a LeNet trains in float, and with 4-bit weights and
 * activations (8 bits in the first and the last layer) on Spark's workers, which average their
 * parameters, the scales among them. Read it to fine-tune a quantized network on a cluster.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,spark compile -Dexec.mainClass=org.dl4jquant.examples.SparkTraining
 * }</pre>
 *
 * <p>It prints a table of three accuracies on 1000 images: 94.70 % in float, 94.90 % calibrated,
 * 96.00 % trained on Spark (with two other seeds 95.10, 95.10, 95.90 % and 94.70, 95.10, 95.10 %),
 * and how many codes of two engines differ: 0.
 */
public final class SparkTraining {

    private static final Logger log = LoggerFactory.getLogger(SparkTraining.class);

    private static final int FLOAT_EPOCHS = 4;
    private static final int SPARK_EPOCHS = 4;
    private static final int WORKERS = 2;
    private static final int ITERATIONS_PER_AVERAGE = 1;
    private static final double RATE = 5e-4;
    private static final double FALL_PER_EPOCH = 0.5;
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final long SEED = 1;

    private SparkTraining() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        run(StrokeDigits.split(SEED, 2000, 1000), FLOAT_EPOCHS, SPARK_EPOCHS);
    }

    static Result run(TrainTest data, int floatEpochs, int sparkEpochs) {
        DataSetIterator test = data.test().inOrder(BATCH);

        log.info("Train in float....");
        MultiLayerNetwork trained =
                LeNet.create(
                        data.train(), SEED, new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.3));
        trained.setListeners(new ScoreIterationListener(50));
        trained.fit(data.train().shuffled(BATCH, SEED), floatEpochs);

        log.info("Insert quantizers of 4 bits....");
        trained.setLearningRate(RATE);
        QuantSpec spec = QuantSpec.of(LayerScheme.INT4).withFirstAndLast(LayerScheme.INT8);
        MultiLayerNetwork quantized =
                Quantization.prepare(
                        trained, spec, data.train().first(CALIBRATION_IMAGES).inOrder(BATCH));
        double calibrated = quantized.evaluate(test).accuracy();

        log.info("Train with {} workers....", WORKERS);
        SparkConf settings =
                new SparkConf()
                        .setAppName("dl4j-quant")
                        .setIfMissing("spark.master", "local[" + WORKERS + "]")
                        .setIfMissing("spark.ui.enabled", "false");
        TrainingMaster<?, ?> averaging =
                // The second number is the size of the batches in the RDD. With 1, Spark takes each
                // for
                // one example, and averages once an epoch instead of after each iteration.
                new ParameterAveragingTrainingMaster.Builder(WORKERS, BATCH)
                        .batchSizePerWorker(BATCH)
                        .averagingFrequency(ITERATIONS_PER_AVERAGE)
                        .rddTrainingApproach(RDDTrainingApproach.Direct)
                        .rngSeed(SEED)
                        .build();
        MultiLayerNetwork averaged;
        try (JavaSparkContext spark = new JavaSparkContext(settings)) {
            List<DataSet> batches = new ArrayList<>();
            data.train().inOrder(BATCH).forEachRemaining(batches::add);
            JavaRDD<DataSet> distributed = spark.parallelize(batches, WORKERS);
            SparkDl4jMultiLayer network = new SparkDl4jMultiLayer(spark, quantized, averaging);
            for (int epoch = 1; epoch <= sparkEpochs; epoch++) {
                network.fit(distributed);
                log.info("Epoch {} of {}", epoch, sparkEpochs);
                Updaters.setLearningRate(
                        network.getNetwork(), RATE * Math.pow(FALL_PER_EPOCH, epoch));
            }
            averaged = network.getNetwork();
        }

        double afterTraining = averaged.evaluate(test).accuracy();
        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(trained.evaluate(test).accuracy()))
                        .row("4 bits, calibrated", Percent.of(calibrated))
                        .row("4 bits, trained on Spark", Percent.of(afterTraining));
        log.info("{}{}", System.lineSeparator(), table);

        log.info("Lower to integers, compare two engines....");
        IntGraph graph = Quantization.lower(averaged);
        test.reset();
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            EqualityReport engines =
                    EqualityCheck.between(reference, onnxRuntime)
                            .over(EngineInputs.of(graph, test.next().getFeatures()));
            log.info("{}", engines);
            return new Result(calibrated, afterTraining, engines);
        }
    }

    /** The accuracies before and after training on Spark, and the comparison of two engines. */
    record Result(double calibrated, double trained, EqualityReport engines) {}
}
