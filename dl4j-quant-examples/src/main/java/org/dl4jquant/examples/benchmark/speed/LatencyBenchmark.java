// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.InterleavedTimer;
import org.dl4jquant.examples.benchmark.LeNetExperiment;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.examples.data.LabelledImages;
import org.dl4jquant.examples.support.InferenceTasks;
import org.dl4jquant.examples.support.Training;
import org.dl4jquant.report.TextTable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The latency of a LeNet, of one image and of a batch of 32: INT8 on ONNX Runtime against DL4J's
 * float {@code output} with oneDNN and out of the box, interleaved; medians.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Domp.threads=1 -Dexec.mainClass=org.dl4jquant.examples.benchmark.speed.LatencyBenchmark
 * }</pre>
 *
 * <p>ONNX Runtime has one thread, ND4J what {@code -Domp.threads=} says, in both JVMs.
 */
@CommandLine.Command(
        name = "latency-benchmark",
        mixinStandardHelpOptions = true,
        description = "Times INT8 inference on ONNX Runtime against DL4J in float.")
public final class LatencyBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(LatencyBenchmark.class);

    private static final String INTEGER = "ONNX Runtime INT8";
    private static final String FLOAT = "DL4J float";
    private static final String STOCK = "DL4J float, out of the box";

    @CommandLine.Mixin private SpeedOptions options = new SpeedOptions();

    /**
     * Runs the benchmark and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new LatencyBenchmark(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.validate();
        FloatTask.Bench bench = new FloatTask.Bench();
        log.info("DL4J computes {} oneDNN in this JVM.", bench.usesOneDnn() ? "with" : "without");
        MultiLayerNetwork quantized =
                LeNetExperiment.prepare(bench.network(), new Training(bench.images(), 1, 1));
        TextTable table =
                TextTable.of("", "one image, ms", "times INT8", "batch of 32, ms", "times INT8");
        try (Engine engine = Engine.open("onnxruntime", Quantization.lower(quantized));
                StockDl4j stock = StockDl4j.start()) {
            InterleavedTimer.Medians one = times(bench, engine, stock, FloatTask.ONE, 1);
            InterleavedTimer.Medians batch =
                    times(bench, engine, stock, FloatTask.BATCH, InferenceTasks.BATCH);
            for (String name : one.nanos().keySet()) {
                table.row(
                        name,
                        millis(one, name),
                        ratio(one, name),
                        millis(batch, name),
                        ratio(batch, name));
            }
        }
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    private InterleavedTimer.Medians times(
            FloatTask.Bench bench, Engine engine, StockDl4j stock, FloatTask task, int size) {
        LabelledImages images = bench.images().first(size);
        return new InterleavedTimer()
                .with(INTEGER, InferenceTasks.of(engine, images))
                .with(FLOAT, bench.runnable(task))
                .withReported(STOCK, stock.nanos(task))
                .run(options.warmUp(), options.rounds());
    }

    private static String millis(InterleavedTimer.Medians medians, String name) {
        return String.format(Locale.ROOT, "%.3f", medians.millis(name));
    }

    private static String ratio(InterleavedTimer.Medians medians, String name) {
        return String.format(Locale.ROOT, "%.2f", medians.nanos(name) / medians.nanos(INTEGER));
    }
}
