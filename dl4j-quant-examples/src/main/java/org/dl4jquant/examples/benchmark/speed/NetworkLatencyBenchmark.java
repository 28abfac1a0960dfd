// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.benchmark.speed;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.InterleavedTimer;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.lower.LoweringException;
import org.dl4jquant.report.EngineInputs;
import org.dl4jquant.report.TextTable;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.adapter.SingletonDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The latency of networks of all families, of one example and of a batch: INT8 on ONNX Runtime
 * against DL4J's float {@code output}, interleaved; medians.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Domp.threads=1 -Dexec.mainClass=org.dl4jquant.examples.benchmark.speed.NetworkLatencyBenchmark
 * }</pre>
 *
 * <p>ONNX Runtime has one thread, ND4J what {@code -Domp.threads=} says. A network that does not
 * become integers has a row with the reason.
 */
@CommandLine.Command(
        name = "network-latency-benchmark",
        mixinStandardHelpOptions = true,
        description = "Times INT8 inference on ONNX Runtime against DL4J in float.")
public final class NetworkLatencyBenchmark implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(NetworkLatencyBenchmark.class);

    private static final String INTEGER = "INT8";
    private static final String FLOAT = "float";
    private static final int CALIBRATION = 4;
    private static final double NANOS = 1e9;

    @CommandLine.Mixin private SpeedOptions options = new SpeedOptions();

    @CommandLine.Option(
            names = "--networks",
            split = ",",
            paramLabel = "NAME",
            description = "which: ${COMPLETION-CANDIDATES} (default: all)")
    private List<SpeedNetwork> networks = Arrays.asList(SpeedNetwork.values());

    @CommandLine.Option(
            names = "--batches",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,32",
            description = "examples that go in at once (default: ${DEFAULT-VALUE})")
    private List<Integer> batches = List.of();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command = CommandLine.Model.CommandSpec.create();

    /**
     * Runs the benchmark and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new NetworkLatencyBenchmark(), args));
    }

    @Override
    public Integer call() {
        options.validate();
        for (int batch : batches) {
            CommandLines.require(command, "--batches", batch, 1, CommandLines.NO_LIMIT);
        }
        TextTable table =
                TextTable.of("", "prepare, s", "batch", "float, ms", "INT8, ms", "float / INT8");
        for (SpeedNetwork network : networks) {
            log.info("{}....", network.label());
            measure(network, table);
        }
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    private void measure(SpeedNetwork network, TextTable table) {
        ComputationGraph floats = network.create();
        INDArray calibration = Nd4j.rand(network.shape(CALIBRATION));
        long start = System.nanoTime();
        ComputationGraph quantized =
                Quantization.prepare(
                        floats,
                        QuantSpec.of(LayerScheme.INT8),
                        new SingletonDataSetIterator(new DataSet(calibration, calibration)));
        String seconds = number((System.nanoTime() - start) / NANOS, 1);
        IntGraph graph;
        try {
            graph = Quantization.lower(quantized);
        } catch (LoweringException refused) {
            String reason = String.valueOf(refused.getMessage()).lines().findFirst().orElse("");
            table.row(network.label(), seconds, "", "", "", reason);
            return;
        }
        try (Engine engine = Engine.open("onnxruntime", graph)) {
            for (int batch : batches) {
                row(network, floats, engine, batch, seconds, table);
            }
        }
    }

    private void row(
            SpeedNetwork network,
            ComputationGraph floats,
            Engine engine,
            int batch,
            String seconds,
            TextTable table) {
        INDArray features = Nd4j.rand(network.shape(batch));
        Map<String, Batch.Floats> inputs = EngineInputs.of(engine.graph(), features);
        InterleavedTimer.Medians medians =
                new InterleavedTimer()
                        .with(FLOAT, () -> floats.output(features))
                        .with(INTEGER, () -> engine.run(inputs))
                        .run(options.warmUp(), options.rounds());
        table.row(
                network.label(),
                seconds,
                "" + batch,
                number(medians.millis(FLOAT), 3),
                number(medians.millis(INTEGER), 3),
                number(medians.nanos(FLOAT) / medians.nanos(INTEGER), 2));
    }

    private static String number(double value, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
