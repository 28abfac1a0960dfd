// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.report.TextTable;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The memory that training takes, in float and with INT8 quantizers by LSQ: the most that the
 * process held at any time, and how much of it came with the network and its training, after ND4J
 * had started. Each network trains in a JVM of its own, batches of 64.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.benchmark.speed.MemoryBenchmark
 * }</pre>
 *
 * <p>It reads Linux's account of the process, and returns 0, or 2 if there is none.
 */
@CommandLine.Command(
        name = "memory-benchmark",
        mixinStandardHelpOptions = true,
        description = "Compares the memory that training takes in float and in INT8.")
public final class MemoryBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(MemoryBenchmark.class);

    private static final Path ACCOUNT = Path.of("/proc/self/status");
    /* DL4J computes with oneDNN if this is false. */
    private static final String FAST = "org.eclipse.deeplearning4j.helpers.disable";

    private static final String PEAK = "VmHWM:";
    private static final String MARK = "KiB:";
    private static final double KIB_PER_MIB = 1024;

    @CommandLine.Option(
            names = "--network",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "lenet,resnet",
            description = "what to train: ${COMPLETION-CANDIDATES} (default: both)")
    private List<BenchNetwork> networks = List.of();

    @CommandLine.Option(
            names = "--iterations",
            paramLabel = "N",
            defaultValue = "50",
            description = "how long it trains (default: ${DEFAULT-VALUE})")
    private int iterations;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the benchmark and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new MemoryBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        CommandLines.require(command, "--iterations", iterations, 1, CommandLines.NO_LIMIT);
        if (!Files.isReadable(ACCOUNT)) {
            throw new IOException(ACCOUNT + " cannot be read; this benchmark needs Linux");
        }
        TextTable table =
                TextTable.of("network", "float, MiB", "INT8, MiB", "whole process", "by training");
        for (BenchNetwork network : networks) {
            Peak inFloat = measure(network, false);
            Peak quantized = measure(network, true);
            table.row(
                    network.name(),
                    inFloat.toString(),
                    quantized.toString(),
                    ratio(quantized.all(), inFloat.all()),
                    ratio(quantized.training(), inFloat.training()));
        }
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    /** The memory of a process before there was a network, and its maximum; KiB. */
    private record Peak(long before, long all) {

        long training() {
            return all - before;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.0f (%.0f by training)",
                    all / KIB_PER_MIB,
                    training() / KIB_PER_MIB);
        }
    }

    private static String ratio(long quantized, long inFloat) {
        return String.format(Locale.ROOT, "%.2f times", (double) quantized / inFloat);
    }

    private Peak measure(BenchNetwork network, boolean quantized) throws IOException {
        /* A small heap is collected often: garbage is not what a network needs. */
        Process process =
                ChildJvm.start(
                        "-XX:+UseSerialGC",
                        "-Xmx512m",
                        "-D" + FAST + "=" + System.getProperty(FAST, "true"),
                        Child.class.getName(),
                        network.name(),
                        String.valueOf(quantized),
                        String.valueOf(iterations));
        try (BufferedReader answers = process.inputReader()) {
            List<String> marked = answers.lines().filter(line -> line.startsWith(MARK)).toList();
            if (marked.size() != 1) {
                throw new IOException(
                        "the JVM that trained %s ended early; its last messages are above"
                                .formatted(network));
            }
            String[] numbers = marked.get(0).substring(MARK.length()).split(" ", -1);
            return new Peak(Long.parseLong(numbers[0]), Long.parseLong(numbers[1]));
        } finally {
            process.destroy();
        }
    }

    /** The other JVM's program. */
    static final class Child {

        private Child() {}

        /**
         * Trains a network and prints the process's memory before it, and its maximum.
         *
         * @param args the network, whether it is quantized, iterations
         * @throws IOException if there is no account of the process
         */
        public static void main(String[] args) throws IOException {
            Nd4j.create(1).addi(1);
            long before = peak();
            Runnable fit = BenchNetwork.valueOf(args[0]).fit(Boolean.parseBoolean(args[1]));
            for (int i = Integer.parseInt(args[2]); i > 0; i--) {
                fit.run();
            }
            System.out.println(MARK + before + " " + peak());
        }

        private static long peak() throws IOException {
            String line =
                    Files.readAllLines(ACCOUNT).stream()
                            .filter(each -> each.startsWith(PEAK))
                            .findAny()
                            .orElseThrow(() -> new IOException(ACCOUNT + " has no " + PEAK));
            String[] words = line.split("\\s+", -1);
            return Long.parseLong(Arrays.asList(words).get(1));
        }
    }
}
