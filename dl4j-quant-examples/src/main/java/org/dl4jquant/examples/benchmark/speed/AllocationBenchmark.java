// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.search.BitAllocation;
import org.dl4jquant.search.Budget;
import org.dl4jquant.search.Choice;
import org.dl4jquant.search.ChoiceGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The time of the exact allocation of bits: 50 layers, 2, 3, 4 or 8 bits each, budgets of bytes and
 * bit operations; and a front of 100 points. In typical networks sizes, operations and
 * sensitivities are drawn independently; in tied ones the loss is almost proportional to the size,
 * so that very many allocations are about as good, which is the hardest case. Beside the time that
 * passes stands the time of the processor, which other work on the machine changes less.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.benchmark.speed.AllocationBenchmark
 * }</pre>
 */
@CommandLine.Command(
        name = "allocation-benchmark",
        mixinStandardHelpOptions = true,
        description = "Times the exact allocation of bit-widths.")
public final class AllocationBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(AllocationBenchmark.class);

    private static final int[] WIDTHS = {2, 3, 4, 8};
    private static final double[] SHARES = {0.35, 0.5, 0.7};
    private static final int POINTS = 100;
    private static final double NANOS = 1e9;

    @CommandLine.Option(
            names = "--layers",
            defaultValue = "50",
            description = "layers of a network (default: ${DEFAULT-VALUE})")
    private int layers;

    @CommandLine.Option(
            names = "--networks",
            defaultValue = "10",
            description = "random networks of each kind (default: ${DEFAULT-VALUE})")
    private int networks;

    @CommandLine.Option(
            names = "--tied",
            description = "networks whose loss is proportional to their size, too")
    private boolean tied;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the benchmark and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new AllocationBenchmark(), args));
    }

    @Override
    public Integer call() {
        CommandLines.require(command, "--layers", layers, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--networks", networks, 1, CommandLines.NO_LIMIT);
        TextTable table =
                TextTable.of(
                        "",
                        "solved",
                        "median, s",
                        "90 %, s",
                        "worst, s",
                        "CPU median, s",
                        "CPU 90 %, s",
                        "CPU worst, s");
        for (boolean hard : tied ? new boolean[] {false, true} : new boolean[] {false}) {
            Times[] best = new Times[networks * SHARES.length];
            Times[] fronts = new Times[networks];
            for (int seed = 0; seed < networks; seed++) {
                Network network = Network.draw(seed, layers, hard);
                for (int i = 0; i < SHARES.length; i++) {
                    double share = SHARES[i];
                    List<Budget> budgets =
                            List.of(
                                    new Budget("bytes", share * network.bytes()),
                                    new Budget(
                                            "operations",
                                            1.3 * share * share * network.operations()));
                    best[seed * SHARES.length + i] =
                            Times.of(() -> BitAllocation.best(network.groups(), budgets).loss());
                }
                fronts[seed] =
                        Times.of(
                                () ->
                                        BitAllocation.front(network.bytesOnly(), "bytes", POINTS)
                                                .size());
            }
            String kind = hard ? "tied" : "typical";
            row(table, kind + ", two budgets", best);
            row(table, kind + ", front of " + POINTS, fronts);
        }
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    /** A random network: its choices, and the costs of 8 bits everywhere. */
    private record Network(List<ChoiceGroup> groups, double bytes, double operations) {

        static Network draw(long seed, int layers, boolean tied) {
            Random random = new Random(seed);
            List<ChoiceGroup> groups = new ArrayList<>();
            double bytes = 0;
            double operations = 0;
            for (int layer = 0; layer < layers; layer++) {
                double size = Math.exp(random.nextGaussian() + 10);
                double products = Math.exp(random.nextGaussian() * 1.2 + 14);
                double sensitivity = Math.exp(random.nextGaussian() * 1.5);
                List<Choice> choices = new ArrayList<>();
                for (int bits : WIDTHS) {
                    double noise = random.nextGaussian();
                    double loss =
                            tied
                                    ? (8 - bits) * size * (1 + 0.01 * noise) * 1e-5
                                    : sensitivity * Math.pow(4, -bits) * size * (1 + 0.2 * noise);
                    choices.add(
                            new Choice(
                                    bits + " bits",
                                    loss,
                                    List.of(size * bits / 8, products * bits * bits)));
                }
                bytes += size;
                operations += products * 64;
                groups.add(new ChoiceGroup("layer " + layer, choices));
            }
            return new Network(groups, bytes, operations);
        }

        List<ChoiceGroup> bytesOnly() {
            List<ChoiceGroup> all = new ArrayList<>();
            for (ChoiceGroup group : groups) {
                all.add(
                        new ChoiceGroup(
                                group.name(),
                                group.choices().stream()
                                        .map(
                                                choice ->
                                                        new Choice(
                                                                choice.name(),
                                                                choice.loss(),
                                                                choice.costs().subList(0, 1)))
                                        .toList()));
            }
            return all;
        }
    }

    /** How long something took: by the clock, and of its thread's processor, in seconds. */
    private record Times(double passed, double processor) {

        static Times of(Callable<? extends Number> task) {
            ThreadMXBean threads = ManagementFactory.getThreadMXBean();
            long start = System.nanoTime();
            long processorStart = threads.getCurrentThreadCpuTime();
            try {
                task.call();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return new Times(
                    (System.nanoTime() - start) / NANOS,
                    (threads.getCurrentThreadCpuTime() - processorStart) / NANOS);
        }
    }

    private static void row(TextTable table, String name, Times[] times) {
        List<String> cells = new ArrayList<>(List.of(name, "" + times.length));
        cells.addAll(quantiles(Arrays.stream(times).mapToDouble(Times::passed)));
        cells.addAll(quantiles(Arrays.stream(times).mapToDouble(Times::processor)));
        table.row(cells.toArray(String[]::new));
    }

    private static List<String> quantiles(DoubleStream seconds) {
        double[] sorted = seconds.sorted().toArray();
        return List.of(
                number(sorted[sorted.length / 2]),
                number(sorted[sorted.length * 9 / 10]),
                number(sorted[sorted.length - 1]));
    }

    private static String number(double seconds) {
        return String.format(Locale.ROOT, "%.3f", seconds);
    }
}
