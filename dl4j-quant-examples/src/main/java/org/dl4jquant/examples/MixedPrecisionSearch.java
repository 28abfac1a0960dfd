// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.data.StrokeDigits;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.model.MobileNet;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.search.Cost;
import org.dl4jquant.search.HessianTrace;
import org.dl4jquant.search.MixedPrecision;
import org.dl4jquant.search.SearchedNetwork;
import org.dl4jquant.search.Sensitivities;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mixed precision: a MobileNet trains in float, each layer's sensitivity to 2, 4 and 8 bits is
 * measured, and the widths of least predicted loss are chosen that need no more bytes than 4 bits
 * in every layer; with them the network trains. Read it when one width for all layers loses too
 * much. {@code MixedPrecisionBenchmark} has several seeds, networks and measures.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.MixedPrecisionSearch
 * }</pre>
 *
 * <p>It prints a table of sensitivities, the widths that it chooses, and a table of three
 * accuracies: in float, calibrated, and trained with quantizers.
 */
public final class MixedPrecisionSearch {

    private static final Logger log = LoggerFactory.getLogger(MixedPrecisionSearch.class);

    private static final int CHANNELS = 16;
    private static final int EPOCHS = 5;
    private static final int BATCH = 32;
    private static final int CALIBRATION_IMAGES = 512;
    private static final int SEARCH_IMAGES = 256;
    private static final int HESSIAN_VECTORS = 20;
    private static final long SEED = 1;

    private MixedPrecisionSearch() {}

    /**
     * Runs the example.
     *
     * @param args none
     */
    public static void main(String[] args) {
        run(StrokeDigits.split(SEED, 2000, 500), EPOCHS, CHANNELS);
    }

    static MixedPrecision.Found run(TrainTest data, int epochs, int channels) {
        DataSetIterator train = data.train().shuffled(BATCH, SEED);
        DataSetIterator test = data.test().inOrder(BATCH);

        log.info("Train in float....");
        ComputationGraph trained =
                MobileNet.create(
                        data.train(),
                        channels,
                        SEED,
                        new ExponentialSchedule(ScheduleType.EPOCH, 1e-2, 0.5));
        trained.setListeners(new ScoreIterationListener(50));
        trained.fit(train, epochs);

        log.info("Measure the layers' sensitivities....");
        SearchedNetwork network =
                SearchedNetwork.of(trained, data.train().first(SEARCH_IMAGES).inOrder(BATCH));
        Sensitivities scores =
                new HessianTrace(HESSIAN_VECTORS, SEED).measure(network, List.of(2, 4, 8));
        log.info("{}{}", System.lineSeparator(), scores);

        log.info("Search the widths that fit into the bytes of 4 bits in every layer....");
        MixedPrecision search = MixedPrecision.of(network, scores);
        Cost bytes = Cost.bytes(network);
        Map<String, Integer> fourBits = new LinkedHashMap<>();
        network.layers().forEach(layer -> fourBits.put(layer, 4));
        double limit = search.of(fourBits, List.of(bytes)).costs().get(0);
        MixedPrecision.Found found = search.best(Map.of(bytes, limit));
        log.info("{} of {} bytes: {}", found.costs().get(0), limit, found.widths());

        log.info("Insert quantizers of these widths....");
        trained.setLearningRate(new ExponentialSchedule(ScheduleType.EPOCH, 5e-3, 0.5));
        ComputationGraph quantized =
                Quantization.prepare(
                        trained,
                        found.spec(),
                        data.train().first(CALIBRATION_IMAGES).inOrder(BATCH));
        double calibrated = accuracy(quantized, test);

        log.info("Train with quantizers....");
        quantized.setListeners(new ScoreIterationListener(50));
        quantized.fit(train, epochs);

        TextTable table =
                TextTable.of("network", "accuracy")
                        .row("float", Percent.of(accuracy(trained, test)))
                        .row("mixed, calibrated", Percent.of(calibrated))
                        .row("mixed, trained", Percent.of(accuracy(quantized, test)));
        log.info("{}{}", System.lineSeparator(), table);
        return found;
    }

    private static double accuracy(ComputationGraph network, DataSetIterator data) {
        Evaluation evaluation = network.evaluate(data);
        return evaluation.accuracy();
    }
}
