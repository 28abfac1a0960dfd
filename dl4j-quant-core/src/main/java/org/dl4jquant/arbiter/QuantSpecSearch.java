// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.config.OptimizationConfiguration;
import org.deeplearning4j.arbiter.optimize.runner.CandidateInfo;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.LocalOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.listener.BaseStatusListener;
import org.dl4jquant.check.Require;
import org.dl4jquant.scheme.QuantSpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs candidates and keeps the outcome of each.
 *
 * <pre>{@code
 * QuantSpecSearch search = QuantSpecSearch.in(folder, QatTrial.of(trained, data, 2))
 *         .within(Limits.ofBytes(20_000))
 *         .open();
 * search.run(Candidates.genetic(space, 10, 1), 50);
 * QuantSpec best = search.best().orElseThrow().spec();
 * }</pre>
 *
 * <p>A killed search goes on when it is started again with the same folder: candidates that have a
 * result are not tried again, and the same generator with the same seed asks for the same ones. A
 * candidate that fails is recorded with its reason.
 */
public final class QuantSpecSearch {

    private static final Logger log = LoggerFactory.getLogger(QuantSpecSearch.class);

    private static final double PERCENT = 100;

    private final Path path;
    private final Trial trial;
    private final Limits limits;
    private final int threads;
    private final ResultStore folder;

    private QuantSpecSearch(Path path, Trial trial, Limits limits, int threads) {
        this.path = path;
        this.trial = trial;
        this.limits = limits;
        this.threads = threads;
        this.folder = ResultStore.open(path, trial.description() + ", " + limits);
    }

    /**
     * {@return the draft of a search without limits, of one candidate at a time}
     *
     * @param folder where results are kept; made if it is not there
     * @param trial finds out what a candidate is worth
     */
    public static Draft in(Path folder, Trial trial) {
        Require.given(folder, "folder");
        Require.given(trial, "trial");
        return new Draft(folder, trial, Limits.NONE, 1);
    }

    /**
     * What a search is to be.
     *
     * @param folder where results are kept
     * @param trial finds out what a candidate is worth
     * @param limits the limits of size and time
     * @param threads how many candidates are tried at once
     */
    public record Draft(Path folder, Trial trial, Limits limits, int threads) {

        /** Checks the number of threads. */
        public Draft {
            Require.argument(threads >= 1, "a search of %d threads", threads);
        }

        /**
         * {@return the same of candidates within these limits}
         *
         * @param allowed the limits of size and time
         */
        public Draft within(Limits allowed) {
            return new Draft(folder, trial, allowed, threads);
        }

        /**
         * {@return the same of several candidates at once}
         *
         * @param count how many
         */
        public Draft withThreads(int count) {
            return new Draft(folder, trial, limits, count);
        }

        /**
         * {@return the search, with the results that its folder has}
         *
         * @throws IllegalStateException if the folder holds results of another search, or is
         *     damaged
         */
        public QuantSpecSearch open() {
            return new QuantSpecSearch(folder, trial, limits, threads);
        }
    }

    /**
     * Tries candidates with Arbiter, and returns when they are done.
     *
     * @param generator which ones, see {@link Candidates}
     * @param candidates how many at most; ones that have a result already count
     */
    public void run(CandidateGenerator generator, int candidates) {
        Require.argument(candidates >= 1, "a search of %d candidates", candidates);
        BoundedCandidates countdown = new BoundedCandidates(generator, candidates);
        OptimizationConfiguration configuration =
                new OptimizationConfiguration.Builder()
                        .candidateGenerator(countdown)
                        .scoreFunction(new Maximum())
                        .terminationConditions(countdown)
                        .build();
        LocalOptimizationRunner runner =
                new LocalOptimizationRunner(
                        threads, configuration, new SpecTasks(trial, limits, folder));
        runner.addListeners(new Progress(candidates));
        runner.execute();
        log.info("The results are in {}", path);
    }

    /**
     * Tries given candidates elsewhere, such as on Spark, and keeps the results.
     *
     * @param candidates the specs; ones that have a result already are left out
     * @param elsewhere runs {@link #attempt} for each, and returns the ends in the same order
     */
    public void run(
            List<QuantSpec> candidates, Function<List<QuantSpec>, List<Trial.Finished>> elsewhere) {
        List<QuantSpec> fresh =
                candidates.stream().distinct().filter(spec -> folder.find(spec).isEmpty()).toList();
        List<Trial.Finished> ends = elsewhere.apply(fresh);
        Require.state(
                ends.size() == fresh.size(), "%d ends of %d trials", ends.size(), fresh.size());
        for (int i = 0; i < fresh.size(); i++) {
            folder.add(fresh.get(i), ends.get(i));
        }
    }

    /**
     * {@return the outcome of a candidate; whatever the trial throws is recorded as its failure}
     *
     * @param trial finds out what it is worth
     * @param spec the candidate
     * @param limits the limits of size and time
     */
    public static Trial.Finished attempt(Trial trial, QuantSpec spec, Limits limits) {
        Require.given(trial, "trial");
        Require.given(spec, "spec");
        Require.given(limits, "limits");
        return SpecTasks.attempt(trial, spec, limits);
    }

    /** {@return all results in the folder, in the order in which they came} */
    public List<SearchResult> results() {
        return folder.all();
    }

    /** {@return the most accurate candidate within the limits; empty if none was measured} */
    public Optional<SearchResult> best() {
        return folder.all().stream()
                .filter(result -> result.outcome().status() == Outcome.Status.MEASURED)
                .max(
                        Comparator.comparingDouble(
                                        (SearchResult result) -> result.outcome().accuracy())
                                .thenComparing(
                                        result -> result.outcome().bytes(),
                                        Comparator.reverseOrder()));
    }

    /* Says how far the search is. */
    private static final class Progress extends BaseStatusListener {

        private final int candidates;
        private int done;

        Progress(int candidates) {
            this.candidates = candidates;
        }

        @Override
        public synchronized void onCandidateStatusChange(
                CandidateInfo info,
                IOptimizationRunner runner,
                @Nullable OptimizationResult result) {
            if (result == null) {
                return;
            }
            done++;
            Outcome outcome = ((SearchResult) result.getModelSpecificResults()).outcome();
            log.info(
                    "Candidate {} of {}: {}",
                    done,
                    candidates,
                    switch (outcome.status()) {
                        case MEASURED ->
                                String.format(
                                        Locale.ROOT,
                                        "%.2f %%, %,d bytes",
                                        PERCENT * outcome.accuracy(),
                                        outcome.bytes());
                        case OVER_LIMIT -> "over the limit: " + outcome.reason();
                        case FAILED -> "failed: " + outcome.reason();
                    });
        }
    }
}
