// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Conformance;
import org.dl4jquant.cuda.plan.Plan;
import org.dl4jquant.cuda.plan.Step;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runner, on an emulated GPU. */
class GpuRunnerTest {

    private static final IntGraph GRAPH = Networks.leNet(8);

    @TempDir private Path bundle;
    @TempDir private Path out;
    private final EmulatedDriver driver = new EmulatedDriver(86);
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeEach
    void writeABundle() throws IOException {
        Step step = new Step("conformance", Conformance.kernel(Architecture.SM_80), List.of());
        Plan plan = new Plan(List.of(step), ByteBuffer.allocate(0), 0, List.of(), List.of());
        Program program = EmulatedDriver.program(Architecture.SM_80, Program.Purpose.RUN, plan);
        new EngineFile("nobody", List.of(program)).write(bundle.resolve("conformance.engine"));
        EmulatedDriver.engine(GRAPH, Architecture.SM_80).write(bundle.resolve("lenet.engine"));
        golden().write(bundle.resolve("lenet.golden"));
    }

    private static GoldenRun golden() {
        try (Engine reference = Engine.open("reference", GRAPH)) {
            return GoldenRun.of(reference, Networks.inputs(GRAPH, 2));
        }
    }

    private int run() throws IOException {
        PrintStream print = new PrintStream(printed, true, StandardCharsets.UTF_8);
        return new GpuRunner(driver, bundle, out, print, new int[] {1, 2}, 1).run();
    }

    @Test
    void findsAllCodesEqualAndWritesTheFigures() throws IOException {
        assertEquals(0, run(), printed.toString(StandardCharsets.UTF_8));
        String text = printed.toString(StandardCharsets.UTF_8);
        assertEquals(text, Files.readString(out.resolve("summary.txt")));
        assertTrue(text.contains("conformance.cu for sm_80: 1088000 words equal"), text);
        assertTrue(text.contains("lenet "), text);
        assertTrue(text.endsWith("all codes are equal\n"), text);
        List<String> figures = Files.readAllLines(out.resolve("lenet-2.tsv"));
        // A head, the whole, and each launch: quantization, two convolutions, pools and layers.
        assertEquals(2 + 7, figures.size());
        assertTrue(figures.get(2).startsWith("conv1\tigemm.cu "), figures.get(2));
        assertEquals("", driver.held());
    }

    @Test
    void namesTheNodeThatDiffers() throws IOException {
        GoldenRun right = golden();
        Map<String, String> wrong = new TreeMap<>(right.results());
        wrong.put("pool2", "0");
        new GoldenRun(right.inputs(), wrong).write(bundle.resolve("lenet.golden"));
        assertEquals(1, run());
        String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("DIFFER"), text);
        assertTrue(text.contains("the first that differs is 'pool2', traced"), text);
    }

    @Test
    void goldenRunsAreReadBack() throws IOException {
        GoldenRun right = golden();
        GoldenRun read = GoldenRun.read(bundle.resolve("lenet.golden"));
        assertEquals(right.results(), read.results());
        assertEquals(List.copyOf(right.results().keySet()), List.copyOf(read.results().keySet()));
        Path other = Files.writeString(bundle.resolve("x.golden"), "something else");
        assertEquals(
                other + " is no golden run",
                assertThrows(IOException.class, () -> GoldenRun.read(other)).getMessage());
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        Files.delete(bundle.resolve("lenet.golden"));
        assertTrue(
                assertThrows(IOException.class, this::run).getMessage().endsWith("lenet.golden"));
    }
}
