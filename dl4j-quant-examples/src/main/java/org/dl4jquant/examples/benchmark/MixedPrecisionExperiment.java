// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.examples.support.Accuracy;
import org.dl4jquant.examples.support.Checks;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.prepare.Preparation;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.AccuracyLoss;
import org.dl4jquant.search.Cost;
import org.dl4jquant.search.FisherScore;
import org.dl4jquant.search.HessianTrace;
import org.dl4jquant.search.MixedPrecision;
import org.dl4jquant.search.OutputDivergence;
import org.dl4jquant.search.SearchedNetwork;
import org.dl4jquant.search.Sensitivities;
import org.dl4jquant.search.Sensitivity;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A float network with all layers of 4 bits, and with the widths that a search finds for no more
 * bytes, both trained alike.
 *
 * @param sensitivities by which the widths were found
 * @param found the widths
 * @param floatAccuracy of the float network, from 0 to 1
 * @param uniform all layers with 4 bits
 * @param mixed the widths found
 */
record MixedPrecisionExperiment(
        Sensitivities sensitivities,
        MixedPrecision.Found found,
        double floatAccuracy,
        Result uniform,
        Result mixed) {

    private static final Logger log = LoggerFactory.getLogger(MixedPrecisionExperiment.class);

    static final List<Integer> WIDTHS = List.of(2, 4, 8);
    static final int UNIFORM = 4;

    private static final int SEARCH_IMAGES = 256;

    /**
     * The accuracies and the size of the network of one spec.
     *
     * @param calibrated accuracy before training
     * @param trained accuracy after training
     * @param bytes of the weights
     * @param engines the Java reference against ONNX Runtime
     */
    record Result(double calibrated, double trained, double bytes, EqualityReport engines) {}

    /** {@return a network to search, with some of the images that it was trained with} */
    static SearchedNetwork searched(ComputationGraph trained, TrainTest data) {
        return SearchedNetwork.of(
                trained, data.train().first(SEARCH_IMAGES).inOrder(Training.BATCH));
    }

    /**
     * {@return the result of a search and of two equal trainings}
     *
     * @param trained the float network, which stays as it is
     * @param fineTuning how long both train
     * @param data training and test images
     * @param trials how many proposals of the search are trained, the best of which is taken
     * @param heldOut images to compare widths on; null takes the widths that the scores predict to
     *     be the best
     */
    static MixedPrecisionExperiment run(
            ComputationGraph trained,
            Training fineTuning,
            TrainTest data,
            int trials,
            @Nullable LabelledImages heldOut) {
        SearchedNetwork network = searched(trained, data);
        log.info("Measure the sensitivity of each layer to each width....");
        Sensitivities scores = new OutputDivergence().measure(network, WIDTHS);
        log.info("{}{}", System.lineSeparator(), scores);
        MixedPrecision search = MixedPrecision.of(network, scores);
        Cost bytes = Cost.bytes(network);
        Map<String, Integer> fours = new LinkedHashMap<>();
        network.layers().forEach(layer -> fours.put(layer, UNIFORM));
        MixedPrecision.Found uniform = search.of(fours, List.of(bytes));
        Map<Cost, Double> limit = Map.of(bytes, uniform.costs().get(0));
        MixedPrecision.Found found =
                heldOut == null
                        ? search.best(limit)
                        : new WidthSelection(trained, fineTuning, heldOut)
                                .best(others(search.proposals(limit), uniform, trials));
        log.info("Widths for the bytes of {} bits everywhere: {}", UNIFORM, found.widths());
        return new MixedPrecisionExperiment(
                scores,
                found,
                Accuracy.of(trained, data.test()),
                train(trained, uniform, fineTuning, data),
                train(trained, found, fineTuning, data));
    }

    /* Not the network that the mixed one is compared with. */
    private static List<MixedPrecision.Found> others(
            List<MixedPrecision.Found> proposals, MixedPrecision.Found uniform, int most) {
        return proposals.stream()
                .filter(proposal -> !proposal.widths().equals(uniform.widths()))
                .limit(most)
                .toList();
    }

    /** {@return the measures whose predictions are compared} */
    static List<Sensitivity> measures(long seed) {
        List<Sensitivity> measures = new ArrayList<>();
        measures.add(new HessianTrace(20, seed));
        measures.add(new FisherScore());
        measures.add(new OutputDivergence());
        measures.add(new AccuracyLoss());
        return measures;
    }

    /** {@return the network with quantizers, ready for the training that is to come} */
    static ComputationGraph prepare(ComputationGraph trained, QuantSpec spec, Training fineTuning) {
        ComputationGraph ready = trained.clone();
        ready.setLearningRate(fineTuning.quantizedRate(UNIFORM));
        // Unlike Quantization.prepare, it prints no table for each of many networks.
        return Preparation.prepare(ready, spec, ImageTrialData.calibration(fineTuning.images()))
                .network();
    }

    private static Result train(
            ComputationGraph trained,
            MixedPrecision.Found widths,
            Training fineTuning,
            TrainTest data) {
        ComputationGraph quantized = prepare(trained, widths.spec(), fineTuning);
        double calibrated = Accuracy.of(quantized, data.test());
        fineTuning.fit(quantized);
        IntGraph graph = Quantization.lower(quantized);
        try (Engine reference = Engine.open("reference", graph);
                Engine onnxRuntime = Engine.open("onnxruntime", graph)) {
            return new Result(
                    calibrated,
                    Accuracy.of(quantized, data.test()),
                    widths.costs().get(0),
                    Checks.engines(reference, onnxRuntime, data.test()));
        }
    }
}
