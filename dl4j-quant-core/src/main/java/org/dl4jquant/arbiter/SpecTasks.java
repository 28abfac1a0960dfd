// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.TaskCreator;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;
import org.deeplearning4j.arbiter.optimize.runner.CandidateInfo;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;
import org.deeplearning4j.arbiter.optimize.runner.listener.StatusListener;
import org.dl4jquant.scheme.QuantSpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes of Arbiter's candidates tasks that try each spec once. */
@SuppressWarnings({"rawtypes", "unchecked", "deprecation"}) // Arbiter's interfaces
final class SpecTasks implements TaskCreator {

    private static final Logger log = LoggerFactory.getLogger(SpecTasks.class);

    private final Trial trial;
    private final Limits limits;
    private final ResultStore folder;
    private final Map<String, Object> locks = new ConcurrentHashMap<>();

    SpecTasks(Trial trial, Limits limits, ResultStore folder) {
        this.trial = trial;
        this.limits = limits;
        this.folder = folder;
    }

    @Override
    @Deprecated
    public Callable<OptimizationResult> create(
            Candidate candidate,
            DataProvider data,
            ScoreFunction score,
            List<StatusListener> listeners,
            IOptimizationRunner runner) {
        return () -> report((Candidate<QuantSpec>) candidate, listeners, runner);
    }

    @Override
    public Callable<OptimizationResult> create(
            Candidate candidate,
            Class<? extends DataSource> data,
            Properties properties,
            ScoreFunction score,
            List<StatusListener> listeners,
            IOptimizationRunner runner) {
        return () -> report((Candidate<QuantSpec>) candidate, listeners, runner);
    }

    private OptimizationResult report(
            Candidate<QuantSpec> candidate,
            List<StatusListener> listeners,
            IOptimizationRunner runner) {
        long start = System.currentTimeMillis();
        SearchResult result = result(candidate.getValue());
        Double score = result.outcome().score(limits);
        CandidateInfo info =
                new CandidateInfo(
                        candidate.getIndex(),
                        score == null ? CandidateStatus.Failed : CandidateStatus.Complete,
                        score,
                        start,
                        start,
                        System.currentTimeMillis(),
                        candidate.getFlatParameters(),
                        result.outcome().reason());
        OptimizationResult report =
                new OptimizationResult(candidate, score, candidate.getIndex(), result, info, null);
        listeners.forEach(listener -> listener.onCandidateStatusChange(info, runner, report));
        return report;
    }

    /* Different points of a space may be one spec: it is tried once, whoever comes first. */
    private SearchResult result(QuantSpec spec) {
        synchronized (locks.computeIfAbsent(spec.toJson(), key -> new Object())) {
            Optional<SearchResult> known = folder.find(spec);
            return known.orElseGet(() -> folder.add(spec, attempt(trial, spec, limits)));
        }
    }

    /**
     * {@return the outcome of a candidate, a failure recorded with its reason}
     *
     * @param trial finds out what it is worth
     * @param spec the candidate
     * @param limits the limits of size and time
     */
    @SuppressWarnings("IllegalCatch") // whatever a candidate throws, the search goes on
    static Trial.Finished attempt(Trial trial, QuantSpec spec, Limits limits) {
        long start = System.nanoTime();
        try {
            return trial.run(spec, limits);
        } catch (Exception e) {
            double seconds = (System.nanoTime() - start) / 1e9;
            String reason = e.getMessage() == null ? e.toString() : e.getMessage();
            log.warn("A candidate failed: {}", reason);
            return new Trial.Finished(Outcome.failed(reason, seconds), new byte[0]);
        }
    }
}
