// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.GpuRunner;
import org.dl4jquant.cuda.Trial;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Prepares a trial on a machine with a GPU, and without Maven, network and compiler: a folder with
 * an engine of each model, with the reference engine's results of random inputs, and with the jars
 * that are needed. There {@code run.sh} compares and times, see {@link GpuRunner}; it needs a JRE.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,nvrtc compile -Dexec.mainClass=org.dl4jquant.examples.gpu.GpuBundle \
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

    @CommandLine.Mixin private BundleOptions options = new BundleOptions();

    @CommandLine.Parameters(
            paramLabel = "MODEL",
            arity = "1..*",
            description = "ONNX files; an engine gets its model's name")
    private List<Path> models = List.of();

    @CommandLine.Option(
            names = "--batch",
            defaultValue = "256",
            description = "the batch that kernels are cut for (default: ${DEFAULT-VALUE})")
    private int batch;

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
        options.make(
                (bundle, examples) -> {
                    for (Path model : models) {
                        add(model, bundle, examples);
                    }
                });
        return CommandLines.OK;
    }

    private void add(Path model, EngineBundle bundle, int examples) throws IOException {
        String name = model.getFileName().toString().replaceAll("\\.onnx$", "");
        IntGraph graph = OnnxReader.read(model);
        bundle.addGolden(name, graph, examples);
        bundle.addEngine(name, graph, batch, new Trial(name, Trial.BATCHES));
        log.info("{} is ready", name);
    }
}
