// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.concurrent.atomic.AtomicInteger;
import org.deeplearning4j.arbiter.optimize.api.Candidate;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.api.OptimizationResult;
import org.deeplearning4j.arbiter.optimize.api.ParameterSpace;
import org.deeplearning4j.arbiter.optimize.api.termination.TerminationCondition;
import org.deeplearning4j.arbiter.optimize.runner.IOptimizationRunner;

/**
 * A generator that stops after some candidates, and the condition that ends the search when it has
 * no more and all are done. Arbiter's own conditions wait for ever when a grid is exhausted.
 */
@SuppressWarnings("rawtypes") // Arbiter's interfaces
final class BoundedCandidates implements CandidateGenerator, TerminationCondition {

    private final CandidateGenerator generator;
    private final AtomicInteger left;

    BoundedCandidates(CandidateGenerator generator, int candidates) {
        this.generator = generator;
        this.left = new AtomicInteger(candidates);
    }

    @Override
    public boolean hasMoreCandidates() {
        return left.get() > 0 && generator.hasMoreCandidates();
    }

    @Override
    public Candidate getCandidate() {
        left.decrementAndGet();
        return generator.getCandidate();
    }

    @Override
    public void reportResults(OptimizationResult result) {
        generator.reportResults(result);
    }

    @Override
    public ParameterSpace<?> getParameterSpace() {
        return generator.getParameterSpace();
    }

    @Override
    public void setRngSeed(long seed) {
        generator.setRngSeed(seed);
    }

    @Override
    public Class<?> getCandidateType() {
        return generator.getCandidateType();
    }

    @Override
    public void initialize(IOptimizationRunner runner) {}

    @Override
    public boolean terminate(IOptimizationRunner runner) {
        return !hasMoreCandidates() && runner.numCandidatesQueued() == 0;
    }
}
