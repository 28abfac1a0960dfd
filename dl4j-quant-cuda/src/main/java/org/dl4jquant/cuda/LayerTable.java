// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Step;

/**
 * What each launch of an engine took: a table with tabs between its columns.
 *
 * <p>{@code bound} is what the data sheet's rates say that a launch waits for, {@code least} the
 * time that they allow, {@code share} the part of the launch's time that this is. It can be above 1
 * where tensors stay in the second-level cache.
 *
 * @param steps the launches
 * @param micros the time of each
 * @param batch how many examples
 * @param chip the GPU's data sheet; empty if it is not known
 */
record LayerTable(List<Step> steps, List<Double> micros, int batch, Optional<Chip> chip) {

    private static final String HEAD =
            "result\ttactic\tmicroseconds\tTOPS\tGB/s\tbound\tleast\tshare\tentry\n";

    /* A product that takes nearly all operations is what an engine is about. */
    private static final double NEARLY_ALL = 0.9;

    /**
     * {@return the table}
     *
     * @param whole microseconds of all launches as one graph
     */
    String text(double whole) {
        StringBuilder table = new StringBuilder(HEAD);
        double least = 0;
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            KernelCost cost = KernelCost.of(step.kernel());
            double moved = cost.bytes() * (double) batch + cost.constantBytes();
            table.append(
                    String.format(
                            Locale.ROOT,
                            "%s\t%s\t%.2f\t%.1f\t%.0f\t%s\t%s%n",
                            step.result(),
                            tactic(step.kernel()),
                            micros.get(i),
                            cost.operations() * (double) batch / micros.get(i) / 1e6,
                            moved / micros.get(i) / 1e3,
                            bound(cost, micros.get(i)),
                            step.kernel().entry()));
            least += chip.map(known -> cost.leastMicros(known, batch)).orElse(0.0);
        }
        double sum = micros.stream().mapToDouble(Double::doubleValue).sum();
        table.append(
                String.format(
                        Locale.ROOT,
                        "sum\t\t%.2f%nall\tone graph\t%.2f\t\t\t\t%s%n",
                        sum,
                        whole,
                        chip.isPresent()
                                ? String.format(Locale.ROOT, "%.2f\t%.2f", least, least / whole)
                                : "\t"));
        return table.toString();
    }

    private String bound(KernelCost cost, double took) {
        if (chip.isEmpty()) {
            return "\t\t";
        }
        double least = cost.leastMicros(chip.get(), batch);
        return String.format(
                Locale.ROOT,
                "%s\t%.2f\t%.2f",
                cost.boundByCompute(chip.get(), batch) ? "compute" : "memory",
                least,
                least / took);
    }

    /** {@return the launch that does nearly all operations of these; empty if there is none} */
    Optional<Integer> product() {
        double all = 0;
        int largest = 0;
        for (int i = 0; i < steps.size(); i++) {
            all += operations(i);
            largest = operations(i) > operations(largest) ? i : largest;
        }
        return operations(largest) > NEARLY_ALL * all ? Optional.of(largest) : Optional.empty();
    }

    /** {@return the operations of a launch, for the whole batch} */
    double operations(int step) {
        return (double) KernelCost.of(steps.get(step).kernel()).operations() * batch;
    }

    private static String tactic(KernelSpec kernel) {
        Map<String, String> constants = kernel.constants();
        return constants.containsKey("QK_BLOCK_M")
                ? kernel.file()
                        + " "
                        + constants.get("QK_BLOCK_M")
                        + "x"
                        + constants.get("QK_BLOCK_N")
                        + "x"
                        + constants.get("QK_BLOCK_K")
                : kernel.file();
    }
}
