// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.DeviceReport;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.EngineOnDevice;
import org.dl4jquant.cuda.OutOfDeviceMemoryException;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.plan.Port;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.report.TextTable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The latency of an engine on this machine's GPU by batch size: on the GPU alone, and with the
 * copies from and to Java's arrays; medians. Before that it says whether the engine runs here.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.gpu.CudaLatency -Dexec.args="model.engine"
 * }</pre>
 *
 * <p>It returns 0, or 2 if an option or the file is wrong, or there is no GPU.
 */
@CommandLine.Command(
        name = "cuda-latency",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Times an engine on this machine's GPU.")
public final class CudaLatency implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(CudaLatency.class);

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Parameters(paramLabel = "ENGINE", description = "what CompileForGpu wrote")
    private Path engine = Path.of("");

    @CommandLine.Option(
            names = "--batches",
            split = ",",
            defaultValue = "1,8,32,128,256",
            description = "sizes of batches (default: ${DEFAULT-VALUE})")
    private List<Integer> batches = List.of();

    @CommandLine.Option(
            names = "--repeats",
            defaultValue = "50",
            description = "how often each is timed (default: ${DEFAULT-VALUE})")
    private int repeats;

    @CommandLine.Option(
            names = "--gpu",
            defaultValue = "0",
            description = "which GPU (default: ${DEFAULT-VALUE})")
    private int gpu;

    /**
     * Times and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new CudaLatency(), args));
    }

    @Override
    public Integer call() throws IOException {
        CommandLine.Model.CommandSpec command = Objects.requireNonNull(spec);
        CommandLines.require(command, "--repeats", repeats, 1, CommandLines.NO_LIMIT);
        for (int batch : batches) {
            CommandLines.require(command, "--batches", batch, 1, EngineOnDevice.LARGEST_BATCH);
        }
        EngineFile file = EngineFile.read(engine);
        try {
            List<DeviceReport> gpus = DeviceReport.all();
            CommandLines.require(command, "--gpu", gpu, 0, Math.max(0, gpus.size() - 1));
            log.info("{}", gpus.get(gpu));
            log.info("{} {}", engine, gpus.get(gpu).verdict(file));
            try (EngineOnDevice loaded =
                    EngineOnDevice.open(file, LibCuda.open(), gpu, EngineOnDevice.LARGEST_BATCH)) {
                log.info("{}{}", System.lineSeparator(), table(loaded));
            }
        } catch (IllegalArgumentException | CudaException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return CommandLines.OK;
    }

    private TextTable table(EngineOnDevice loaded) {
        TextTable table =
                TextTable.of("batch", "on the GPU, ms", "examples a second", "with copies, ms");
        for (int batch : batches) {
            try {
                double micros = loaded.time(batch, repeats).micros();
                table.row(
                        "" + batch,
                        millis(micros),
                        String.format(Locale.ROOT, "%,.0f", batch / micros * 1e6),
                        millis(withCopies(loaded, batch)));
            } catch (OutOfDeviceMemoryException e) {
                log.warn("{}", e.getMessage());
            }
        }
        return table;
    }

    private double withCopies(EngineOnDevice loaded, int batch) {
        Random random = new Random(1);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Port port : loaded.inputs()) {
            float[] values = new float[batch * port.type().shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            inputs.put(port.name(), Batch.Floats.of(batch, port.type().shape(), values));
        }
        loaded.run(inputs);
        double[] micros = new double[repeats];
        for (int i = 0; i < repeats; i++) {
            long start = System.nanoTime();
            loaded.run(inputs);
            micros[i] = (System.nanoTime() - start) / 1e3;
        }
        Arrays.sort(micros);
        return micros[repeats / 2];
    }

    private static String millis(double micros) {
        return String.format(Locale.ROOT, "%.3f", micros / 1e3);
    }
}
