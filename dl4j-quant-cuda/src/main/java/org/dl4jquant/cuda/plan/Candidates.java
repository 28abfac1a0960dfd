// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmTactic;
import org.dl4jquant.cuda.kernel.TileModel;

/**
 * In which ways a plan may compute its products: the best few for each of some batches, by the
 * model.
 *
 * @param batches the batches; the first is the one that the plan is mostly run with
 * @param each how many ways for each of them
 */
public record Candidates(List<Integer> batches, int each) {

    /** Checks the numbers. */
    public Candidates {
        batches = List.copyOf(batches);
        Require.argument(!batches.isEmpty(), "a plan for no batch");
        batches.forEach(batch -> Require.argument(batch >= 1, "a plan for batches of %d", batch));
        Require.argument(each >= 1, "%d ways for each batch", each);
    }

    /**
     * {@return the best way for a batch only, and one for any if the best is not}
     *
     * @param examples the batch
     */
    public static Candidates best(int examples) {
        return new Candidates(List.of(examples), 1);
    }

    /**
     * {@return the ways of a product; the first is for any batch}
     *
     * @param problem the product, its weights not packed
     * @param canPack whether they can be
     */
    List<Way> of(GemmProblem problem, boolean canPack, Architecture architecture) {
        Set<Way> ways = new LinkedHashSet<>();
        ways.add(
                ranking(problem, canPack, architecture, batches.get(0)).stream()
                        .filter(way -> way.tactic().splits() == 1)
                        .findFirst()
                        .orElseThrow());
        for (int examples : batches) {
            List<Way> all = ranking(problem, canPack, architecture, examples);
            ways.addAll(all.subList(0, Math.min(each, all.size())));
        }
        return List.copyOf(ways);
    }

    /**
     * {@return the way that is believed to be the best for the batch that the plan is mostly run
     * with}
     *
     * @param problem the product, its weights not packed
     * @param canPack whether they can be
     */
    Way first(GemmProblem problem, boolean canPack, Architecture architecture) {
        return ranking(problem, canPack, architecture, batches.get(0)).get(0);
    }

    private static List<Way> ranking(
            GemmProblem problem, boolean canPack, Architecture architecture, int examples) {
        List<TileModel.Estimate> all =
                new ArrayList<>(TileModel.ranking(problem, architecture, examples));
        // Groups of warps read weights of a byte; where they are worth it, fewer bytes are not.
        if (canPack && !all.get(0).tactic().tile().byGroup()) {
            all.addAll(TileModel.ranking(problem.withPackedWeights(), architecture, examples));
            all.sort(
                    Comparator.comparingDouble(TileModel.Estimate::cycles)
                            .thenComparing(estimate -> !estimate.problem().packedWeights()));
        }
        return all.stream().map(each -> new Way(each.problem(), each.tactic())).toList();
    }

    /** A product and how it is computed. */
    record Way(GemmProblem problem, GemmTactic tactic) {}
}
