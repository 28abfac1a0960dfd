// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jquant.cuda.DeviceReport;
import org.dl4jquant.cuda.EngineFile;
import org.dl4jquant.cuda.GoldenRun;
import org.dl4jquant.cuda.driver.CompilationException;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.Nvrtc;
import org.dl4jquant.examples.cli.CommandLines;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxWriter;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CompileForGpuTest {

    @TempDir private Path folder;
    private Path model = Path.of("");
    private Path engine = Path.of("");

    @BeforeEach
    void writeAModel() {
        QuantParams params = new QuantParams(0.1f, 3, CodeRange.unsigned(8));
        Window window = Window.of(Window.Extent.square(2), Window.Extent.square(2));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(3, 8, 8)),
                                new Quantize("q", "x", params),
                                new MaxPool("pool", "q", window),
                                new Dequantize("y", "pool")),
                        List.of("y"));
        model = folder.resolve("model.onnx");
        engine = folder.resolve("model.engine");
        OnnxWriter.write(graph, model);
    }

    @Test
    void writesAnEngineForEachArchitecture() throws IOException {
        requireNvrtc();
        assertEquals("", errors(model, "--arch", "sm_75,sm_90a", "--trace"));
        EngineFile read = EngineFile.read(engine);
        assertEquals(List.of("sm_75", "sm_90a"), read.architectures());
        assertEquals(4, read.programs().size());
    }

    @Test
    void explainsWhatIsWrong() throws IOException {
        Path damaged = folder.resolve("damaged.onnx");
        Files.writeString(damaged, "no model");
        assertWrong("there is no such file", folder.resolve("none.onnx"), "--arch", "sm_80");
        assertWrong("damaged.onnx", damaged, "--arch", "sm_80");
        assertWrong("'sm_60' is no architecture", model, "--arch", "sm_60");
        assertWrong(
                "--batch is 0, but must be 1 or more", model, "--arch", "sm_80", "--batch", "0");
        assertWrong("NVRTC cannot be loaded", model, "--arch", "sm_80", "--nvrtc", "none.so");
        assertFalse(Files.exists(engine));
    }

    @Test
    void looksForTheEnginesFolderBeforeItCompiles() {
        engine = folder.resolve("none").resolve("model.engine");
        String nvrtc = folder.resolve("none.so").toString(); // is not reached
        assertWrong(
                "but there is no folder " + folder.resolve("none"),
                model,
                "--arch",
                "sm_80",
                "--nvrtc",
                nvrtc);
        engine = folder;
        assertWrong(
                folder + ", which is a folder; name a file",
                model,
                "--arch",
                "sm_80",
                "--nvrtc",
                nvrtc);
    }

    @Test
    void preparesATrialOfModels() throws IOException {
        requireNvrtc();
        Path bundle = folder.resolve("bundle");
        String[] args = {model.toString(), "--arch", "sm_80,sm_90a", "-o", bundle.toString()};
        assertEquals(CommandLines.OK, CommandLines.run(new GpuBundle(), args));
        EngineFile conformance = EngineFile.read(bundle.resolve("conformance.engine"));
        assertEquals(List.of("sm_80", "sm_90a"), conformance.architectures());
        assertEquals(4, EngineFile.read(bundle.resolve("model.engine")).programs().size());
        assertEquals(
                List.of("q", "pool", "y"),
                List.copyOf(GoldenRun.read(bundle.resolve("model.golden")).results().keySet()));
    }

    @Test
    void aTrialNeedsNothingButItsFolder() throws IOException, InterruptedException {
        requireNvrtc();
        Path bundle = folder.resolve("bundle");
        String[] args = {
            model.toString(), "--arch", "sm_80,sm_90a", "--jre", "-o", bundle.toString()
        };
        assertEquals(CommandLines.OK, CommandLines.run(new GpuBundle(), args));
        ProcessBuilder run =
                new ProcessBuilder(bundle.resolve("run.sh").toString(), folder + "/out", "0");
        run.environment().remove("JAVA");
        run.environment().remove("CLASSPATH");
        Process process = run.redirectErrorStream(true).start();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int result = process.waitFor();
        if (hasGpu()) {
            assertEquals(0, result, printed);
        } else {
            assertEquals(2, result, printed);
            assertTrue(printed.startsWith("The CUDA driver cannot be loaded"), printed);
        }
    }

    @Test
    void saysWhereThereIsNoGpu() throws IOException {
        requireNvrtc();
        assertEquals("", errors(model, "--arch", "sm_75"));
        Assumptions.assumeFalse(hasGpu(), "not run: there is a GPU");
        StringWriter printed = new StringWriter();
        int result =
                CommandLines.run(new CudaLatency(), new PrintWriter(printed), engine.toString());
        assertEquals(CommandLines.WRONG_INPUT, result);
        assertTrue(printed.toString().contains("driver"), printed.toString());
    }

    private static boolean hasGpu() {
        try {
            return !DeviceReport.all().isEmpty();
        } catch (CudaException e) {
            return false;
        }
    }

    private static void requireNvrtc() {
        try {
            Nvrtc.find();
        } catch (CompilationException e) {
            Assumptions.abort("not run: " + e.getMessage());
        }
    }

    @Test
    void forecastsAGpuThatIsNotHere() {
        assertEquals(
                CommandLines.OK,
                CommandLines.run(new GpuForecast(), model.toString(), "--chip", "t4"));
        StringWriter printed = new StringWriter();
        assertEquals(
                CommandLines.WRONG_INPUT,
                CommandLines.run(
                        new GpuForecast(),
                        new PrintWriter(printed),
                        model.toString(),
                        "--chip",
                        "b200"));
        assertTrue(printed.toString().contains("'b200' is not one of"), printed.toString());
    }

    private void assertWrong(String part, Path from, String... options) {
        String errors = errors(from, options);
        assertTrue(errors.contains(part), errors);
    }

    /* What is printed; empty if all went well. */
    private String errors(Path from, String... options) {
        StringWriter printed = new StringWriter();
        String[] all = new String[options.length + 3];
        System.arraycopy(options, 0, all, 0, options.length);
        all[options.length] = "-o";
        all[options.length + 1] = engine.toString();
        all[options.length + 2] = from.toString();
        int result = CommandLines.run(new CompileForGpu(), new PrintWriter(printed), all);
        assertEquals(
                printed.toString().isEmpty() ? CommandLines.OK : CommandLines.WRONG_INPUT, result);
        return printed.toString();
    }
}
