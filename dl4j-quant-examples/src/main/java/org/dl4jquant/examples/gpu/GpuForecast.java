// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.plan.Planner;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.report.TextTable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * How long a quantized network should take on a GPU that is not here: for each kernel what it has
 * to compute and to move, the least time that the data sheet allows, and the time that the model
 * believes by which kernels are chosen.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.gpu.GpuForecast \
 *     -Dexec.args="model.onnx --chip h200 --batch 256"
 * }</pre>
 *
 * <p>A forecast is no measurement. It returns 0, or 2 if an option or the file is wrong.
 */
@CommandLine.Command(
        name = "gpu-forecast",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Estimates the time of each kernel on a GPU, without one.")
public final class GpuForecast implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(GpuForecast.class);

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Parameters(paramLabel = "MODEL", description = "the ONNX file")
    private Path model = Path.of("");

    @CommandLine.Option(
            names = "--chip",
            defaultValue = "h200",
            description = "t4, a100, a10, l4, h100 or h200 (default: ${DEFAULT-VALUE})")
    private String chip = "";

    @CommandLine.Option(
            names = "--batch",
            defaultValue = "8",
            description = "how many examples at once (default: ${DEFAULT-VALUE})")
    private int batch;

    /**
     * Estimates and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new GpuForecast(), args));
    }

    @Override
    public Integer call() {
        CommandLine.Model.CommandSpec command = Objects.requireNonNull(spec);
        CommandLines.require(command, "--batch", batch, 1, CommandLines.NO_LIMIT);
        try {
            Chip on = Chip.named(chip);
            log.info(
                    "{}{}",
                    System.lineSeparator(),
                    table(
                            Planner.run(OnnxReader.read(model), on.architecture(), batch).steps(),
                            on));
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return CommandLines.OK;
    }

    private TextTable table(List<Step> steps, Chip on) {
        TextTable table =
                TextTable.of("", "kernel", "tile", "GOP", "MB", "least, us", "by", "believed, us");
        double least = 0;
        double believed = 0;
        double operations = 0;
        double bytes = 0;
        for (Step step : steps) {
            KernelSpec kernel =
                    step.ways().get(step.likelyFastest(on.architecture(), batch)).kernel();
            KernelCost cost = KernelCost.of(kernel);
            double all = (double) cost.bytes() * batch + cost.constantBytes();
            table.row(
                    step.result(),
                    kernel.file(),
                    kernel.tile(),
                    cost.operations() == 0 ? "" : number(cost.operations() * batch / 1e9),
                    number(all / 1e6),
                    number(cost.leastMicros(on, batch)),
                    cost.boundByCompute(on, batch) ? "compute" : "memory",
                    number(cost.believedMicros(on, kernel, batch)));
            least += cost.leastMicros(on, batch);
            believed += cost.believedMicros(on, kernel, batch);
            operations += cost.operations() * (double) batch;
            bytes += all;
        }
        table.row(
                "all",
                "",
                "",
                number(operations / 1e9),
                number(bytes / 1e6),
                number(least),
                "",
                number(believed));
        table.row("examples a second", "", "", "", "", perSecond(least), "", perSecond(believed));
        return table;
    }

    private String perSecond(double micros) {
        return String.format(Locale.ROOT, "%,.0f", batch / micros * 1e6);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
