// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.arbiter.Limits;
import org.dl4jquant.arbiter.Outcome;
import org.dl4jquant.arbiter.QatTrial;
import org.dl4jquant.arbiter.QuantSpecSearch;
import org.dl4jquant.arbiter.SearchResult;
import org.dl4jquant.examples.data.TrainTest;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.search.MixedPrecision;
import org.dl4jquant.search.SearchedNetwork;
import org.dl4jquant.search.Sensitivities;
import org.dl4jquant.search.Sensitivity;

/**
 * In which order sensitivities put candidates, and in which order their accuracies do.
 *
 * @param results the candidates, trained and measured
 * @param rhos Spearman's rank correlation of predicted and measured order, by measure; 1 is the
 *     same order
 * @param sensitivities of each measure
 */
record CandidateOrder(
        List<SearchResult> results, Map<String, Double> rhos, List<Sensitivities> sensitivities) {

    /**
     * {@return the orders of candidates drawn at random}
     *
     * @param trained the float network with the learning rate for candidates; stays as it is
     * @param data images to train with and to compare on
     * @param count how many, at least 3
     * @param epochs how long each trains
     * @param seed of the draw
     * @param folder keeps the results
     * @throws IOException if the folder is damaged, or has the results of another network
     */
    static CandidateOrder of(
            ComputationGraph trained, TrainTest data, int count, int epochs, long seed, Path folder)
            throws IOException {
        SearchedNetwork network = MixedPrecisionExperiment.searched(trained, data);
        Map<QuantSpec, Map<String, Integer>> candidates = draw(network, count, seed);
        QatTrial trial = QatTrial.of(trained, new ImageTrialData(data, seed), epochs);
        QuantSpecSearch search = open(folder, trial);
        for (QuantSpec candidate : candidates.keySet()) {
            search.run(
                    List.of(candidate),
                    fresh ->
                            fresh.stream()
                                    .map(spec -> QuantSpecSearch.attempt(trial, spec, Limits.NONE))
                                    .toList());
        }
        List<SearchResult> measured =
                search.results().stream()
                        .filter(result -> candidates.containsKey(result.spec()))
                        .filter(result -> result.outcome().status() == Outcome.Status.MEASURED)
                        .toList();
        Map<String, Double> rhos = new LinkedHashMap<>();
        List<Sensitivities> all = new ArrayList<>();
        for (Sensitivity measure : MixedPrecisionExperiment.measures(seed)) {
            Sensitivities scores = measure.measure(network, MixedPrecisionExperiment.WIDTHS);
            all.add(scores);
            rhos.put(
                    scores.measure(),
                    rho(MixedPrecision.of(network, scores), measured, candidates));
        }
        return new CandidateOrder(search.results(), rhos, all);
    }

    private static QuantSpecSearch open(Path folder, QatTrial trial) throws IOException {
        try {
            return QuantSpecSearch.in(folder, trial).open();
        } catch (IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Map<QuantSpec, Map<String, Integer>> draw(
            SearchedNetwork network, int count, long seed) {
        Random random = new Random(seed);
        Map<QuantSpec, Map<String, Integer>> candidates = new LinkedHashMap<>();
        double possible = Math.pow(MixedPrecisionExperiment.WIDTHS.size(), network.groups().size());
        while (candidates.size() < Math.min(count, possible)) {
            Map<String, Integer> widths = new LinkedHashMap<>();
            for (List<String> group : network.groups()) {
                int bits =
                        MixedPrecisionExperiment.WIDTHS.get(
                                random.nextInt(MixedPrecisionExperiment.WIDTHS.size()));
                group.forEach(layer -> widths.put(layer, bits));
            }
            candidates.put(new MixedPrecision.Found(widths, 0, List.of()).spec(), widths);
        }
        return candidates;
    }

    private static double rho(
            MixedPrecision search,
            List<SearchResult> measured,
            Map<QuantSpec, Map<String, Integer>> candidates) {
        double[] predicted = new double[measured.size()];
        double[] found = new double[measured.size()];
        for (int i = 0; i < predicted.length; i++) {
            SearchResult result = measured.get(i);
            Map<String, Integer> widths = candidates.getOrDefault(result.spec(), Map.of());
            predicted[i] = -search.of(widths, List.of()).loss();
            found[i] = result.outcome().accuracy();
        }
        return new SpearmansCorrelation().correlation(predicted, found);
    }
}
