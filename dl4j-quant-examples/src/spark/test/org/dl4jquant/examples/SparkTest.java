// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.spark.api.RDDTrainingApproach;
import org.deeplearning4j.spark.api.Repartition;
import org.deeplearning4j.spark.api.TrainingMaster;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.deeplearning4j.spark.impl.multilayer.SparkDl4jMultiLayer;
import org.deeplearning4j.spark.impl.paramavg.ParameterAveragingTrainingMaster;
import org.dl4jquant.Quantization;
import org.dl4jquant.arbiter.Limits;
import org.dl4jquant.arbiter.Outcome;
import org.dl4jquant.arbiter.QatTrial;
import org.dl4jquant.arbiter.QuantSpecSearch;
import org.dl4jquant.arbiter.SearchResult;
import org.dl4jquant.arbiter.TrialData;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.examples.benchmark.LeNetExperiment;
import org.dl4jquant.examples.benchmark.ResNetExperiment;
import org.dl4jquant.examples.benchmark.Variant;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.model.LeNet;
import org.dl4jquant.examples.model.ResNet;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.SparkTrials;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Quantized networks under Spark, in local mode with two workers, one iteration a round. */
final class SparkTest {

    private static final int WORKERS = 2;
    private static final int BATCH = 16;

    private static final LabelledImages IMAGES = StrokeDigits.generate(1, WORKERS * BATCH);

    private static @Nullable JavaSparkContext started;

    @BeforeAll
    static void start() {
        started =
                new JavaSparkContext(
                        new SparkConf()
                                .setMaster("local[" + WORKERS + "]")
                                .setAppName("dl4j-quant")
                                .set("spark.ui.enabled", "false")
                                .set("spark.driver.host", "localhost"));
    }

    @AfterAll
    static void stop() {
        spark().stop();
    }

    private static JavaSparkContext spark() {
        return Objects.requireNonNull(started);
    }

    private static TrainingMaster<?, ?> averaging() {
        return new ParameterAveragingTrainingMaster.Builder(WORKERS, 1)
                .batchSizePerWorker(BATCH)
                .averagingFrequency(1)
                .workerPrefetchNumBatches(0)
                .rddTrainingApproach(RDDTrainingApproach.Direct)
                .repartionData(Repartition.Never)
                .build();
    }

    private static List<DataSet> batches() {
        List<DataSet> batches = new ArrayList<>();
        IMAGES.inOrder(BATCH).forEachRemaining(batches::add);
        return batches;
    }

    private static JavaRDD<DataSet> distributed() {
        return spark().parallelize(batches(), WORKERS);
    }

    /* Whichever worker gets which batch: the mean of two does not depend on their order. */
    private static INDArray mean(Model one, Model other) {
        return one.params().add(other.params()).divi(WORKERS);
    }

    private static float[] values(INDArray array) {
        return array.dup().reshape(array.length()).toFloatVector();
    }

    private static void requireLearnedScales(
            Map<String, INDArray> before, Map<String, INDArray> after) {
        int scales = 0;
        for (Map.Entry<String, INDArray> each : after.entrySet()) {
            // Pixels are n / 255: the network's input is exactly on its grid, without a gradient.
            if (each.getKey().contains("scale") && !each.getKey().endsWith("scaleIn")) {
                scales++;
                assertFalse(
                        Arrays.equals(
                                values(Objects.requireNonNull(before.get(each.getKey()))),
                                values(each.getValue())),
                        each.getKey());
                assertTrue(each.getValue().minNumber().floatValue() > 0, each.getKey());
            }
        }
        assertTrue(scales > 3);
    }

    private static void requireSameIntegers(IntGraph graph, MultiLayerNetwork network) {
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            assertTrue(Checks.engines(reference, onnxRuntime, IMAGES).equal());
            assertEquals(0, Checks.simulator(network, reference, IMAGES).differingCodes());
        }
    }

    @Test
    void aMultiLayerNetworkBecomesTheAverageOfItsWorkers() {
        Training training = new Training(IMAGES, 1, 1);
        MultiLayerNetwork network =
                LeNetExperiment.prepare(LeNet.create(IMAGES, 1, training.floatRate()), training);
        Map<String, INDArray> before = network.clone().paramTable();
        MultiLayerNetwork one = network.clone();
        MultiLayerNetwork other = network.clone();
        one.fit(batches().get(0));
        other.fit(batches().get(1));

        MultiLayerNetwork trained =
                new SparkDl4jMultiLayer(spark(), network, averaging()).fit(distributed());

        assertArrayEquals(values(mean(one, other)), values(trained.params()));
        requireLearnedScales(before, trained.paramTable());
        requireSameIntegers(Quantization.lower(trained), trained);
    }

    @Test
    void aComputationGraphBecomesTheAverageOfItsWorkers() {
        Training training = new Training(IMAGES, 1, 1);
        ComputationGraph network =
                ResNetExperiment.prepare(
                        ResNet.create(IMAGES, 2, 1, 1, training.floatRate()),
                        Variant.lsq(4),
                        training);
        Map<String, INDArray> before = network.clone().paramTable();
        ComputationGraph one = network.clone();
        ComputationGraph other = network.clone();
        one.fit(batches().get(0));
        other.fit(batches().get(1));

        ComputationGraph trained =
                new SparkComputationGraph(spark(), network, averaging()).fit(distributed());

        assertArrayEquals(values(mean(one, other)), values(trained.params()));
        requireLearnedScales(before, trained.paramTable());
        IntGraph graph = Quantization.lower(trained);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            assertTrue(Checks.engines(reference, onnxRuntime, IMAGES).equal());
            assertEquals(0, Checks.simulator(trained, reference, IMAGES).differingCodes());
        }
    }

    /** The digits as a search's data. */
    private record Digits() implements TrialData {

        @Override
        public DataSetIterator train() {
            return new ListDataSetIterator<>(batches(), 1);
        }

        @Override
        public DataSetIterator validation() {
            return train();
        }

        @Override
        public String description() {
            return "digits";
        }
    }

    @Test
    void candidatesAreTriedByTheSameCodeAsAtHome(@TempDir Path folder) {
        QatTrial trial =
                QatTrial.of(LeNet.create(IMAGES, 1, new FixedSchedule(1e-3)), new Digits(), 1);
        List<QuantSpec> specs =
                List.of(QuantSpec.of(LayerScheme.INT8), QuantSpec.of(LayerScheme.INT4));
        QuantSpecSearch search = QuantSpecSearch.in(folder, trial).open();
        search.run(specs, SparkTrials.on(spark(), trial, Limits.NONE));
        assertEquals(2, search.results().size());
        for (SearchResult result : search.results()) {
            Outcome here = QuantSpecSearch.attempt(trial, result.spec(), Limits.NONE).outcome();
            assertEquals(Outcome.Status.MEASURED, result.outcome().status());
            assertEquals(here.accuracy(), result.outcome().accuracy());
            assertEquals(here.bytes(), result.outcome().bytes());
        }
    }
}
