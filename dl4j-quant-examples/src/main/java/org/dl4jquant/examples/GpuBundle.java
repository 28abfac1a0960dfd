// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.GpuRunner;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Prepares a trial on a machine with a GPU, and without Maven, network and compiler: a folder with
 * an engine of each model, with what the reference engine makes of random inputs, and with the jars
 * that are needed. There {@code run.sh} compares and times, see {@link GpuRunner}; it needs a JRE.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,nvrtc compile -Dexec.mainClass=org.dl4jquant.examples.GpuBundle \
 *     -Dexec.args="lenet.onnx resnet.onnx --arch sm_90a -o bundle"
 * }</pre>
 *
 * <p>It returns 0, or 2 if an option or a file is wrong.
 */
@CommandLine.Command(
        name = "gpu-bundle",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Prepares a trial of models on a machine with a GPU.")
public final class GpuBundle implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(GpuBundle.class);

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Parameters(
            paramLabel = "MODEL",
            arity = "1..*",
            description = "ONNX files; an engine gets its model's name")
    private List<Path> models = List.of();

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
            names = "--batch",
            defaultValue = "256",
            description = "the batch that kernels are cut for (default: ${DEFAULT-VALUE})")
    private int batch;

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

    @CommandLine.Option(
            names = "--jre",
            description = "adds a Java runtime, for a machine of this one's kind that has none")
    private boolean jre;

    /**
     * Prepares and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new GpuBundle(), args));
    }

    @Override
    public Integer call() throws IOException {
        CommandLine.Model.CommandSpec command = Objects.requireNonNull(spec);
        CommandLines.require(command, "--batch", batch, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--examples", examples, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--tactics", tactics, 0, CommandLines.NO_LIMIT);
        try {
            EngineBundle bundle =
                    new EngineBundle(
                            out,
                            EngineCompiler.find(),
                            Target.parse(architectures).withTactics(tactics));
            for (Path model : models) {
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

    private void add(Path model, EngineBundle bundle) throws IOException {
        String name = model.getFileName().toString().replaceAll("\\.onnx$", "");
        IntGraph graph = OnnxReader.read(model);
        bundle.addGolden(name, graph, examples);
        bundle.addEngine(name, graph, batch, new Trial(name, Trial.BATCHES));
        log.info("{} is ready", name);
    }
}
