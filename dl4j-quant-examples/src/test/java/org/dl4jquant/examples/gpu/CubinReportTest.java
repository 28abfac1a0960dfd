// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.cuda.EngineCompiler;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.Target;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

final class CubinReportTest {

    @TempDir private Path folder;

    private static EngineFile compiled() {
        Nvrtc nvrtc;
        try {
            nvrtc = Nvrtc.find();
        } catch (CompilationException e) {
            return Assumptions.abort("not run: " + e.getMessage());
        }
        QuantParams params = new QuantParams(0.1f, 3, CodeRange.unsigned(8));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(3, 8, 8)),
                                new Quantize("q", "x", params),
                                new Dequantize("y", "q")),
                        List.of("y"));
        return EngineCompiler.of(nvrtc).compile(graph, Target.parse("sm_75,sm_90a"));
    }

    @Test
    void listsTheKernelsOfAnEngineAndOfACubin() throws IOException {
        EngineFile compiled = compiled();
        Path engine = folder.resolve("model.engine");
        compiled.write(engine);
        List<String> printed = report(engine);
        assertEquals(2 + 2 * 2, printed.size(), printed.toString());
        for (String source : List.of("quantize.cu", "dequantize.cu")) {
            for (String architecture : List.of("sm_75", "sm_90a")) {
                assertTrue(
                        printed.stream()
                                .anyMatch(
                                        line ->
                                                line.contains(" " + source + "  ")
                                                        && line.contains(architecture)),
                        printed.toString());
            }
        }
        ByteBuffer bytes = compiled.programs().get(0).cubins().values().iterator().next();
        byte[] cubin = new byte[bytes.remaining()];
        bytes.duplicate().get(cubin);
        Path file = folder.resolve("one.cubin");
        Files.write(file, cubin);
        printed = report(file);
        assertEquals(2 + 1, printed.size(), printed.toString());
        assertTrue(printed.get(2).contains("sm_75"), printed.toString());
    }

    @Test
    void explainsWhatIsWrong() throws IOException {
        Path damaged = folder.resolve("damaged.cubin");
        Files.write(damaged, new byte[3]);
        assertWrong("damaged.cubin: these 3 bytes are no cubin", damaged);
        assertWrong("there is no such file", folder.resolve("none.engine"));
        Path noEngine = folder.resolve("no.engine");
        Files.write(noEngine, new byte[300]);
        assertWrong("it is no engine file", noEngine);
    }

    private static void assertWrong(String part, Path file) {
        StringWriter errors = new StringWriter();
        assertEquals(
                CommandLines.WRONG_INPUT,
                CommandLines.run(new CubinReport(), new PrintWriter(errors), file.toString()));
        assertTrue(errors.toString().contains(part), errors.toString());
    }

    /* The lines of the table. */
    private static List<String> report(Path file) {
        Logger logger = (Logger) LoggerFactory.getLogger(CubinReport.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            assertEquals(CommandLines.OK, CommandLines.run(new CubinReport(), file.toString()));
        } finally {
            logger.detachAppender(lines);
        }
        return lines.list.get(0).getFormattedMessage().lines().skip(1).toList();
    }
}
