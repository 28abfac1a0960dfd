// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.Map;
import org.apache.commons.math3.random.JDKRandomGenerator;
import org.apache.commons.math3.random.RandomGenerator;
import org.apache.commons.math3.random.SynchronizedRandomGenerator;
import org.deeplearning4j.arbiter.optimize.api.CandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GeneticSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.GridSearchCandidateGenerator;
import org.deeplearning4j.arbiter.optimize.generator.RandomSearchGenerator;
import org.deeplearning4j.arbiter.optimize.generator.genetic.crossover.SinglePointCrossover;
import org.deeplearning4j.arbiter.optimize.generator.genetic.crossover.parentselection.RandomTwoParentSelection;
import org.deeplearning4j.arbiter.optimize.generator.genetic.culling.LeastFitCullOperator;
import org.deeplearning4j.arbiter.optimize.generator.genetic.mutation.RandomMutationOperator;
import org.deeplearning4j.arbiter.optimize.generator.genetic.population.PopulationModel;
import org.deeplearning4j.arbiter.optimize.generator.genetic.selection.GeneticSelectionOperator;
import org.dl4jquant.check.Require;

/**
 * Arbiter's candidate generators for a space of specs, seeded; one seed always gives the same
 * candidates, if one thread tries them.
 */
public final class Candidates {

    private static final double MUTATION_RATE = 0.1;
    private static final double CROSSOVER_RATE = 0.85;

    private Candidates() {}

    /**
     * {@return every candidate once, in random order}
     *
     * @param space the choices, with less than 2^31 candidates
     * @throws IllegalArgumentException if the space has one candidate only, or too many
     */
    public static CandidateGenerator grid(QuantSpecSpace space) {
        Require.given(space, "space");
        space.requireChoice();
        Require.argument(
                space.size() < Integer.MAX_VALUE,
                "a grid of %s candidates is too large; use Candidates.random or Candidates.genetic",
                space.size());
        return new GridSearchCandidateGenerator(
                space, 2, GridSearchCandidateGenerator.Mode.RandomOrder, Map.of());
    }

    /**
     * {@return candidates drawn at random, for ever}
     *
     * @param space the choices
     * @param seed of the draw
     * @throws IllegalArgumentException if the space has one candidate only
     */
    public static CandidateGenerator random(QuantSpecSpace space, long seed) {
        Require.given(space, "space");
        space.requireChoice();
        CandidateGenerator generator = new RandomSearchGenerator(space);
        generator.setRngSeed(seed);
        return generator;
    }

    /**
     * {@return candidates bred from the best so far}
     *
     * @param space the choices
     * @param population how many of the best breed, at least 2; as many are drawn at random first
     * @param seed of all draws
     * @throws IllegalArgumentException if the space has one candidate only
     */
    public static CandidateGenerator genetic(QuantSpecSpace space, int population, long seed) {
        Require.given(space, "space");
        space.requireChoice();
        Require.argument(population >= 2, "a population of %d; at least 2 breed", population);
        JDKRandomGenerator draws = new JDKRandomGenerator();
        draws.setSeed(seed);
        RandomGenerator random = new SynchronizedRandomGenerator(draws);
        PopulationModel model =
                new PopulationModel.Builder()
                        .populationSize(population)
                        .cullOperator(new LeastFitCullOperator())
                        .build();
        GeneticSelectionOperator selection =
                new GeneticSelectionOperator.Builder()
                        .crossoverOperator(
                                new SinglePointCrossover.Builder()
                                        .crossoverRate(CROSSOVER_RATE)
                                        .randomGenerator(random)
                                        .parentSelection(new RandomTwoParentSelection(random))
                                        .build())
                        .mutationOperator(
                                new RandomMutationOperator.Builder()
                                        .mutationRate(MUTATION_RATE)
                                        .randomGenerator(random)
                                        .build())
                        .randomGenerator(random)
                        .build();
        return new GeneticSearchCandidateGenerator.Builder(space, new Maximum())
                .populationModel(model)
                .selectionOperator(selection)
                .build();
    }
}
