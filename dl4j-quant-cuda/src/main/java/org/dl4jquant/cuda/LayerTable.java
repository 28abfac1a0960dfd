// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Step;

/**
 * What each launch of an engine took: lines with tabs between their columns.
 *
 * <p>{@code bound} is what the data sheet's rates say that a launch waits for, {@code least} the
 * time that they allow, {@code share} the part of the launch's time that this is. It can be above 1
 * where tensors stay in the second-level cache. {@code believed} is the time by the model that
 * chooses tiles where there is no GPU.
 *
 * @param engine the engine's name
 * @param steps the launches
 * @param kernels the kernel that was launched, for each
 * @param micros the time of each, for a pass
 * @param batch how many examples
 * @param pass how many of them go through all launches at once, before the next ones
 * @param chip the GPU's data sheet; empty if it is not known
 */
record LayerTable(
        String engine,
        List<Step> steps,
        List<KernelSpec> kernels,
        List<Double> micros,
        int batch,
        int pass,
        Optional<Chip> chip) {

    /** The names of the columns. */
    static final String HEAD =
            "engine\tbatch\tresult\ttactic\tmicroseconds\tTOPS\tGB/s\tbound\tleast\tshare\tbelieved\tentry";

    /* A product that takes nearly all operations is what an engine is about. */
    private static final double NEARLY_ALL = 0.9;

    /**
     * What the data sheet and the model say of a time.
     *
     * @param bound what is waited for
     * @param least microseconds that the rates allow
     * @param believed microseconds by the model
     */
    private record Expected(String bound, double least, double believed) {

        Expected plus(Expected other) {
            return new Expected("", least + other.least, believed + other.believed);
        }
    }

    /**
     * {@return a line for each launch, then one for their sum and one for all as a graph}
     *
     * @param whole microseconds of a pass's launches as one graph
     */
    List<String> lines(double whole) {
        List<String> lines = new ArrayList<>();
        Optional<Expected> all = chip.map(known -> new Expected("", 0, 0));
        for (int i = 0; i < steps.size(); i++) {
            KernelSpec kernel = kernels.get(i);
            KernelCost cost = KernelCost.of(kernel);
            double moved = cost.bytes() * (double) pass + cost.constantBytes();
            Optional<Expected> expected = chip.map(known -> expected(known, cost, kernel));
            all = all.map(sum -> sum.plus(expected.orElseThrow()));
            lines.add(
                    String.join(
                            "\t",
                            begin(
                                    steps.get(i).result(),
                                    (kernel.file() + " " + kernel.tile()).strip(),
                                    micros.get(i)),
                            rate(cost.operations() * (double) pass / micros.get(i) / 1e6),
                            rate(moved / micros.get(i) / 1e3),
                            end(expected, micros.get(i)),
                            kernel.entry()));
        }
        double sum = micros.stream().mapToDouble(Double::doubleValue).sum();
        lines.add(begin("all", "one by one", sum) + "\t\t\t" + end(all, sum) + "\t");
        lines.add(begin("all", "one graph", whole) + "\t\t\t" + end(all, whole) + "\t");
        return lines;
    }

    private Expected expected(Chip known, KernelCost cost, KernelSpec kernel) {
        return new Expected(
                cost.boundByCompute(known, pass) ? "compute" : "memory",
                cost.leastMicros(known, pass),
                cost.believedMicros(known, kernel, pass));
    }

    private String begin(String result, String tactic, double took) {
        String examples = pass < batch ? batch + " by " + pass : "" + batch;
        return String.join("\t", engine, examples, result, tactic, number(took));
    }

    private static String end(Optional<Expected> expected, double took) {
        return expected.map(
                        known ->
                                String.join(
                                        "\t",
                                        known.bound(),
                                        number(known.least()),
                                        number(known.least() / took),
                                        number(known.believed())))
                .orElse("\t\t\t");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private static String rate(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
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

    /** {@return the operations of a launch} */
    double operations(int step) {
        return (double) KernelCost.of(kernels.get(step)).operations() * pass;
    }
}
