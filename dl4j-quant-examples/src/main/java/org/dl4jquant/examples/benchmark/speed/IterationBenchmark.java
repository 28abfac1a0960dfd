// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dl4jquant.engine.InterleavedTimer;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.report.TextTable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The time of one training iteration of a LeNet and of a ResNet with a batch of 64: in float, with
 * INT8 quantization by LSQ (weights per channel), and, of the LeNet, in float with DL4J as it
 * comes, in turn; medians.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Domp.threads=1 -Dexec.mainClass=org.dl4jquant.examples.benchmark.speed.IterationBenchmark
 * }</pre>
 *
 * <p>ND4J has {@code -Domp.threads=} threads, in both JVMs; one for figures that scatter little.
 */
@CommandLine.Command(
        name = "iteration-benchmark",
        mixinStandardHelpOptions = true,
        description = "Times training iterations in float, in INT8, and with DL4J out of the box.")
public final class IterationBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(IterationBenchmark.class);

    private static final String FLOAT = "float";
    private static final String QUANTIZED = "INT8 by LSQ";
    private static final String STOCK = "float, DL4J out of the box";

    @CommandLine.Option(
            names = "--network",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "lenet,resnet",
            description = "what to train: ${COMPLETION-CANDIDATES} (default: both)")
    private List<BenchNetwork> networks = List.of();

    @CommandLine.Mixin private SpeedOptions options = new SpeedOptions();

    /**
     * Runs the benchmark and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new IterationBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.validate();
        log.info(
                "DL4J computes {} oneDNN in this JVM.",
                new FloatTask.Bench().usesOneDnn() ? "with" : "without");
        for (BenchNetwork network : networks) {
            log.info("{}{}{}", network, System.lineSeparator(), table(time(network)));
        }
        return CommandLines.OK;
    }

    private InterleavedTimer.Medians time(BenchNetwork network) throws IOException {
        InterleavedTimer times =
                new InterleavedTimer()
                        .with(FLOAT, network.fit(false))
                        .with(QUANTIZED, network.fit(true));
        if (network != BenchNetwork.LENET) {
            return times.run(options.warmUp(), options.rounds());
        }
        try (StockDl4j stock = StockDl4j.start()) {
            return times.withReported(STOCK, stock.nanos(FloatTask.FIT))
                    .run(options.warmUp(), options.rounds());
        }
    }

    private static String table(InterleavedTimer.Medians medians) {
        TextTable table = TextTable.of("training iteration", "ms", "by float");
        medians.nanos()
                .forEach(
                        (name, nanos) ->
                                table.row(
                                        name,
                                        String.format(Locale.ROOT, "%.2f", medians.millis(name)),
                                        String.format(
                                                Locale.ROOT,
                                                "%.3f",
                                                nanos / medians.nanos(FLOAT))));
        return table.toString();
    }
}
