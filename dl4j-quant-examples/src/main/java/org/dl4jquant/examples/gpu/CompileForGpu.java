// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.Program;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.CudaCompiler;
import org.dl4jquant.cuda.driver.Nvcc;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.report.TextTable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Compiles a quantized network to an engine for NVIDIA GPUs; needs no GPU.
 *
 * <p>In goes an ONNX file in QDQ form, such as {@code OnnxWriter} writes, or another tool's with
 * the same operators; out comes one file with machine code for each architecture.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart,nvrtc compile -Dexec.mainClass=org.dl4jquant.examples.gpu.CompileForGpu \
 *     -Dexec.args="model.onnx --arch sm_80,sm_90a -o model.engine"
 * }</pre>
 *
 * <p>The profile {@code nvrtc} brings NVIDIA's compiler, which is not needed where the CUDA toolkit
 * is installed. It returns 0, or 2 if an option or a file is wrong.
 */
@CommandLine.Command(
        name = "compile-for-gpu",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compiles an ONNX file in QDQ form to an engine for NVIDIA GPUs.")
public final class CompileForGpu implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(CompileForGpu.class);

    private static final long NANOS_BETWEEN_LINES = 1_000_000_000L;
    private static final int KIB = 1024;

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Parameters(paramLabel = "MODEL", description = "the ONNX file")
    private Path model = Path.of("");

    @CommandLine.Option(
            names = "--arch",
            required = true,
            description = "the GPUs: one or several of sm_75, sm_80, sm_86, sm_89, sm_90, sm_90a")
    private String architectures = "";

    @CommandLine.Option(
            names = {"-o", "--out"},
            required = true,
            description = "the engine file; replaced if there is one")
    private Path out = Path.of("");

    @CommandLine.Option(
            names = "--batch",
            defaultValue = "8",
            description =
                    "the batch that it is mostly run with (default: ${DEFAULT-VALUE}); it runs with"
                            + " any, and the numbers are the same")
    private int batch;

    @CommandLine.Option(
            names = "--trace",
            description = "the engine can give the result of every node, too; twice as large")
    private boolean trace;

    @CommandLine.Option(
            names = "--tactics",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "compile N kernels of each product for each of several batches; the GPU finds out"
                            + " which are the fastest when the engine is tuned (default: ${DEFAULT-VALUE})")
    private int tactics;

    @CommandLine.Option(
            names = "--nvcc",
            description = "compile by this nvcc, not by NVRTC",
            paramLabel = "PROGRAM")
    private @Nullable String nvcc;

    @CommandLine.Option(
            names = "--nvrtc",
            description = "compile by this libnvrtc.so, not by the first that is found",
            paramLabel = "LIBRARY")
    private @Nullable Path nvrtc;

    /** When the last line of progress was written. */
    private long lastLine;

    /**
     * Compiles and ends the JVM.
     *
     * @param args the options; {@code --help} lists them
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new CompileForGpu(), args));
    }

    @Override
    public Integer call() throws IOException {
        CommandLine.Model.CommandSpec command = Objects.requireNonNull(spec);
        CommandLines.require(command, "--batch", batch, 1, CommandLines.NO_LIMIT);
        CommandLines.require(command, "--tactics", tactics, 0, CommandLines.NO_LIMIT);
        CommandLines.requirePlace(command, "--out", out);
        long start = System.nanoTime();
        EngineFile engine;
        try {
            Target target = Target.parse(architectures).withExamples(batch).withTactics(tactics);
            IntGraph graph = OnnxReader.read(model);
            engine =
                    EngineCompiler.of(compiler())
                            .withProgress(this::tell)
                            .compile(graph, trace ? target.withTraces() : target);
        } catch (IllegalArgumentException | CompilationException e) {
            throw new CommandLine.ParameterException(
                    command.commandLine(), String.valueOf(e.getMessage()), e);
        }
        engine.write(out);
        log.info("{}{}", System.lineSeparator(), table(engine));
        log.info(
                "{}: {} KiB, compiled by {} in {} s",
                out,
                Files.size(out) / KIB,
                engine.compiler(),
                String.format(Locale.ROOT, "%.1f", (System.nanoTime() - start) / 1e9));
        return CommandLines.OK;
    }

    private CudaCompiler compiler() {
        if (nvcc != null) {
            return Nvcc.open(nvcc);
        }
        return nvrtc != null ? Nvrtc.open(nvrtc) : Nvrtc.find();
    }

    private void tell(int done, int total, String kernel) {
        long now = System.nanoTime();
        if (done == total || now - lastLine > NANOS_BETWEEN_LINES) {
            lastLine = now;
            log.info("  {} of {} kernels compiled, the last of {}", done, total, kernel);
        }
    }

    private static TextTable table(EngineFile engine) {
        TextTable table =
                TextTable.of(
                        "", "launches", "kernels", "constants, KiB", "memory per example, KiB");
        for (Program program : engine.programs()) {
            table.row(
                    program.architecture()
                            + (program.purpose() == Program.Purpose.TRACE ? ", tracing" : ""),
                    "" + program.plan().steps().size(),
                    "" + program.plan().kernels().size(),
                    "" + program.plan().constants().remaining() / KIB,
                    "" + program.plan().arenaBytes() / KIB);
        }
        return table;
    }
}
