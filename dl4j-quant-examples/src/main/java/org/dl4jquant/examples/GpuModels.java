// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Makes the bundle with which the speed of this library on a GPU is measured: {@link GpuModel}'s
 * networks with random weights, from DL4J over {@code prepare} and {@code lower} to engines, with
 * what the reference engine makes of random inputs, and everything that runs them on a machine with
 * a GPU and a JRE, {@code run.sh}. It needs no GPU itself.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,nvrtc compile -Dexec.mainClass=org.dl4jquant.examples.GpuModels \
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

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Option(
            names = "--arch",
            required = true,
            description = "the GPUs: one or several of sm_75, sm_80, sm_86, sm_89, sm_90, sm_90a")
    private String architectures = "";

    @CommandLine.Option(
            names = {"-o", "--out"},
            required = true,
            description = "the folder; files of the same names are replaced")
    private Path out = Path.of("");

    @CommandLine.Option(
            names = "--models",
            split = ",",
            description =
                    "some of resnet50, resnet18, mobilenetv2, lenet, dense8x4096, gemm8192 (default: all)")
    private List<String> models = Arrays.stream(GpuModel.values()).map(GpuModel::file).toList();

    @CommandLine.Option(
            names = "--size",
            defaultValue = "224",
            description = "height and width of pictures (default: ${DEFAULT-VALUE})")
    private int size;

    @CommandLine.Option(
            names = "--divisor",
            defaultValue = "1",
            description =
                    "divides channels and units, for a quick try: 1, 2, 4 or 8 (default: ${DEFAULT-VALUE})")
    private int divisor;

    @CommandLine.Option(
            names = "--tactics",
            defaultValue = "2",
            description =
                    "how many kernels of each product, for each of several batches, are there for the"
                            + " GPU to choose from; 0 for the one that the model chooses (default:"
                            + " ${DEFAULT-VALUE})")
    private int tactics;

    @CommandLine.Option(
            names = "--examples",
            defaultValue = "2",
            description = "how many random inputs are compared (default: ${DEFAULT-VALUE})")
    private int examples;

    @CommandLine.Option(names = "--onnx", description = "a folder that gets the ONNX files, too")
    private @Nullable Path onnx;

    @CommandLine.Option(
            names = "--jre",
            description = "adds a Java runtime, for a machine of this one's kind that has none")
    private boolean jre;

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
        CommandLines.require(command, "--examples", examples, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--tactics", tactics, 0, CommandLines.NO_LIMIT);
        try {
            if (!List.of(1, 2, 4, 8).contains(divisor)) {
                throw new IllegalArgumentException(
                        "--divisor is %d, but must be 1, 2, 4 or 8".formatted(divisor));
            }
            List<GpuModel> chosen = models.stream().map(GpuModel::named).toList();
            Target target = Target.parse(architectures).withTactics(tactics);
            EngineBundle bundle = new EngineBundle(out, EngineCompiler.find(), target);
            for (GpuModel model : chosen) {
                add(model, bundle);
            }
            bundle.complete(jre);
            log.info("On the machine with the GPU: {}/run.sh", out.getFileName());
        } catch (IllegalArgumentException | CompilationException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return CommandLines.OK;
    }

    private void add(GpuModel model, EngineBundle bundle) throws IOException {
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
