// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.examples.support.Percent;
import org.dl4jquant.report.TextTable;

/**
 * Accuracies of several networks beside those of the float network, by seed: means, and sample
 * deviations in brackets.
 */
final class ExperimentTable {

    private final List<VariantResult> floats;
    private final TextTable table =
            TextTable.of(
                    "network",
                    "calibrated, %",
                    "trained, %",
                    "trained - float",
                    "recovered",
                    "codes differ");

    /**
     * Begins with the float network.
     *
     * @param floats its results, one a seed
     */
    ExperimentTable(List<VariantResult> floats) {
        this.floats = List.copyOf(floats);
        table.row("float", "", summary(floats, VariantResult::after), "", "", "");
    }

    /**
     * Adds a network.
     *
     * @param name its name
     * @param runs its results, of the float network's seeds
     */
    void add(String name, List<VariantResult> runs) {
        double[] lost = new double[runs.size()];
        double recovered = 0;
        double toRecover = 0;
        long differing = 0;
        for (int i = 0; i < lost.length; i++) {
            VariantResult run = runs.get(i);
            lost[i] = run.after() - floats.get(i).after();
            recovered += run.after() - run.before();
            toRecover += floats.get(i).after() - run.before();
            differing += run.differingCodes();
        }
        table.row(
                name,
                summary(runs, VariantResult::before),
                summary(runs, VariantResult::after),
                Percent.summary(lost),
                toRecover > 0 ? Percent.of(recovered / toRecover) : "nothing lost",
                String.valueOf(differing));
    }

    @Override
    public String toString() {
        return table.toString();
    }

    private static String summary(
            List<VariantResult> runs, ToDoubleFunction<VariantResult> figure) {
        return Percent.summary(runs.stream().mapToDouble(figure).toArray());
    }
}
