// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Makes the bundle with which the speed of this library on a GPU is measured: {@link GpuModel}'s
 * networks with random weights, from DL4J over {@code prepare} and {@code lower} to engines, with
 * the reference engine's results of random inputs, and everything that runs them on a machine with
 * a GPU and a JRE, {@code run.sh}. It needs no GPU itself.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,nvrtc compile -Dexec.mainClass=org.dl4jquant.examples.gpu.GpuModels \
 *     -Dexec.args="--arch sm_90a -o bundle"
 * }</pre>
 *
 * <p>It returns 0, or 2 if an option is wrong.
 */
@CommandLine.Command(
        name = "gpu-models",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Makes a bundle of well-known networks to be timed on a GPU.")
public final class GpuModels implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(GpuModels.class);

    private static final int SMALLEST_SIDE = 32;
    private static final List<Integer> DIVISORS = List.of(1, 2, 4, 8);

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Mixin private BundleOptions options = new BundleOptions();

    @CommandLine.Option(
            names = "--models",
            paramLabel = "MODEL",
            split = ",",
            description = "some of ${COMPLETION-CANDIDATES} (default: all)")
    private List<GpuModel> models = List.of(GpuModel.values());

    @CommandLine.Option(
            names = "--size",
            defaultValue = "224",
            description = "height and width of images (default: ${DEFAULT-VALUE})")
    private int size;

    @CommandLine.Option(
            names = "--divisor",
            defaultValue = "1",
            description =
                    "divides channels and units, for a quick try: 1, 2, 4 or 8 (default: ${DEFAULT-VALUE})")
    private int divisor;

    @CommandLine.Option(names = "--onnx", description = "a folder that gets the ONNX files, too")
    private @Nullable Path onnx;

    /**
     * Makes the bundle and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new GpuModels(), args));
    }

    @Override
    public Integer call() throws IOException {
        CommandLine.Model.CommandSpec command = Objects.requireNonNull(spec);
        CommandLines.require(command, "--size", size, SMALLEST_SIDE, CommandLines.NO_LIMIT);
        if (!DIVISORS.contains(divisor)) {
            throw new CommandLine.ParameterException(
                    command.commandLine(),
                    "--divisor is %d, but must be 1, 2, 4 or 8".formatted(divisor));
        }
        options.make(
                (bundle, examples) -> {
                    for (GpuModel model : models) {
                        add(model, bundle, examples);
                    }
                });
        return CommandLines.OK;
    }

    private void add(GpuModel model, EngineBundle bundle, int examples) throws IOException {
        long start = System.nanoTime();
        IntGraph graph =
                RandomNetwork.lowered(model.create(size, divisor), model.input(size, divisor));
        if (onnx != null) {
            OnnxWriter.write(graph, onnx.resolve(model.file() + ".onnx"));
        }
        String lowered = seconds(start);
        long goldenStart = System.nanoTime();
        bundle.addGolden(model.file(), graph, examples);
        String golden = seconds(goldenStart);
        long compileStart = System.nanoTime();
        bundle.addEngine(
                model.file(), graph, model.mostly(), new Trial(model.file(), model.batches()));
        log.info(
                "{}: lowered in {} s, golden run in {} s, compiled in {} s",
                model.file(),
                lowered,
                golden,
                seconds(compileStart));
    }

    private static String seconds(long start) {
        return String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) / 1e9);
    }
}
