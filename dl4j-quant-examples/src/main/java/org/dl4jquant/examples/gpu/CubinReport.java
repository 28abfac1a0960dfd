// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.Program;
import org.dl4jquant.cuda.kernel.CodeCost;
import org.dl4jquant.cuda.kernel.CubinInspection;
import org.dl4jquant.cuda.kernel.MachineCode;
import org.dl4jquant.cuda.kernel.Operation;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.report.TextTable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * Properties of an engine's kernels, or of cubins, from their machine code, without a GPU and
 * without any tool of CUDA: registers, spills, shared memory, the operations, and what bounds the
 * inner loop.
 *
 * <pre>{@code
 * mvn -Dquick -Pquickstart compile -Dexec.mainClass=org.dl4jquant.examples.gpu.CubinReport \
 *     -Dexec.args="model.engine"
 * }</pre>
 *
 * <p>Loop cycles are those of one round, for one warp, on a quarter of a multiprocessor: "alone" by
 * the stalls that the compiler put in, "bound" what many warps cannot go below. It returns 0, or 2
 * if a file is wrong.
 */
@CommandLine.Command(
        name = "cubin-report",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Judges compiled kernels without a GPU.")
public final class CubinReport implements Callable<Integer> {

    private static final Logger log = LoggerFactory.getLogger(CubinReport.class);

    private static final List<Operation> SHOWN =
            List.of(
                    Operation.IMMA,
                    Operation.IGMMA,
                    Operation.IDP,
                    Operation.LDSM,
                    Operation.LDGSTS,
                    Operation.LDG,
                    Operation.STG,
                    Operation.F2I);

    @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

    @CommandLine.Parameters(
            paramLabel = "FILE",
            arity = "1..*",
            description = "engine files, and machine code in files named *.cubin")
    private List<Path> files = List.of();

    /**
     * Reports and ends the JVM.
     *
     * @param args the files
     */
    public static void main(String[] args) {
        System.exit(CommandLines.run(new CubinReport(), args));
    }

    @Override
    public Integer call() throws IOException {
        TextTable table =
                TextTable.of(
                        "kernel",
                        "source",
                        "arch",
                        "code, B",
                        "registers",
                        "spills, B",
                        "shared, B",
                        "IMMA",
                        "IGMMA",
                        "IDP",
                        "LDSM",
                        "LDGSTS",
                        "LDG",
                        "STG",
                        "F2I",
                        "pass alone",
                        "loop instr.",
                        "products",
                        "alone",
                        "bound",
                        "by");
        for (Path file : files) {
            if (file.toString().endsWith(".cubin")) {
                add(table, file, "", Files.readAllBytes(file), "", 0);
            } else {
                add(table, file);
            }
        }
        log.info("{}{}", System.lineSeparator(), table);
        return CommandLines.OK;
    }

    private void add(TextTable table, Path file) throws IOException {
        for (Program program : EngineFile.read(file).programs()) {
            for (var kernel : program.plan().kernels()) {
                ByteBuffer cubin =
                        Objects.requireNonNull(program.cubins().get(kernel.entry())).duplicate();
                byte[] bytes = new byte[cubin.remaining()];
                cubin.get(bytes);
                int shared = kernel.launch().sharedBytes();
                add(table, file, kernel.file(), bytes, program.architecture(), shared);
            }
        }
    }

    private void add(
            TextTable table,
            Path file,
            String source,
            byte[] cubin,
            String architecture,
            int launchBytes) {
        Map<String, MachineCode> kernels;
        try {
            kernels = MachineCode.of(cubin);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(), file + ": " + e.getMessage(), e);
        }
        kernels.forEach(
                (name, code) ->
                        table.row(
                                row(
                                        name,
                                        source,
                                        architecture.isEmpty()
                                                ? "sm_" + code.capability()
                                                : architecture,
                                        code,
                                        launchBytes)));
    }

    private static String[] row(
            String name, String source, String architecture, MachineCode code, int launchBytes) {
        CubinInspection inspection = code.inspection();
        List<String> cells = new ArrayList<>();
        cells.addAll(
                List.of(
                        name,
                        source,
                        architecture,
                        "" + code.bytes(),
                        "" + inspection.registers(),
                        "" + (inspection.localBytesWritten() + inspection.localBytesRead()),
                        "" + (inspection.sharedBytes() + launchBytes)));
        SHOWN.forEach(operation -> cells.add("" + code.pass().count(operation)));
        cells.add("" + code.pass().stallCycles());
        cells.addAll(
                code.mainLoop()
                        .map(loop -> loop(loop.cost()))
                        .orElse(List.of("", "", "", "", "no loop")));
        return cells.toArray(String[]::new);
    }

    private static List<String> loop(CodeCost round) {
        return List.of(
                "" + round.instructions(),
                "" + round.products(),
                "" + round.stallCycles(),
                String.format(Locale.ROOT, "%.0f", round.boundCycles()),
                round.bound() == Operation.Pipe.NONE
                        ? "issue"
                        : round.bound().name().toLowerCase(Locale.ROOT));
    }
}
