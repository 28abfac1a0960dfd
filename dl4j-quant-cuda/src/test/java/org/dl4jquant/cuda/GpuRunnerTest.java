// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.dl4jquant.cuda.driver.CudaDriver;
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

    private static final IntGraph GRAPH = Networks.smallLeNet();
    private static final int LOGITS = 10;

    @TempDir private Path bundle;
    @TempDir private Path out;
    private final EmulatedDriver driver = new EmulatedDriver(86);
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeEach
    void writeABundle() throws IOException {
        Step step = new Step("conformance", Conformance.kernel(Architecture.SM_80), List.of());
        Plan plan = new Plan(List.of(step), ByteBuffer.allocate(0), 0, List.of(), List.of());
        Program program = EmulatedDriver.program(Architecture.SM_80, Program.Purpose.RUN, plan);
        new EngineFile("nobody", "", List.of(program)).write(bundle.resolve("conformance.engine"));
        EmulatedDriver.engine(GRAPH, Architecture.SM_80).write(bundle.resolve("lenet.engine"));
        golden().write(bundle.resolve("lenet.golden"));
        new Trial("lenet", List.of(1)).write(bundle, "lenet");
    }

    private static GoldenRun golden() {
        try (Engine reference = Engine.open("reference", GRAPH)) {
            return GoldenRun.of(reference, Networks.inputs(GRAPH, 2));
        }
    }

    private int run() throws IOException {
        return run(driver);
    }

    private int run(CudaDriver on, String... part) throws IOException {
        PrintStream print = new PrintStream(printed, true, StandardCharsets.UTF_8);
        List<String> args = new ArrayList<>(List.of(bundle.toString(), out.toString()));
        args.addAll(List.of(part));
        return GpuRunner.run(on, args.toArray(new String[0]), print, new Effort(1, 0, 1 << 16, 20));
    }

    private String text() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    @Test
    void findsAllCodesEqualAndWritesTheFigures() throws IOException {
        assertEquals(0, run(), text());
        String text = text();
        assertEquals(text, Files.readString(out.resolve("summary.txt")));
        assertTrue(text.contains("conformance.cu for sm_80: all words are equal"), text);
        assertTrue(text.contains("lenet: codes are equal"), text);
        assertTrue(text.contains("lenet after it was timed: codes are equal"), text);
        assertTrue(text.endsWith("all codes are equal\n"), text);
        List<Figure> figures = Figure.read(out.resolve("figures.tsv"));
        // The copy, and four ways to time a batch.
        assertEquals(1 + 4, figures.size());
        assertEquals("GB/s", figures.get(0).unit());
        figures.forEach(figure -> assertTrue(figure.rate() > 0, figure.line()));
        assertEquals("", driver.held());
    }

    @Test
    void writesWhatEachLaunchTook() throws IOException {
        assertEquals(0, run(), text());
        List<String> lines = Files.readAllLines(out.resolve("layers.tsv"));
        // A head, the sum, the whole, and each launch: two convolutions with their pools, two
        // layers,
        // and what makes codes.
        assertEquals(3 + 5, lines.size());
        assertTrue(lines.get(2).startsWith("lenet\t1\tpool1\tigemm.cu "), lines.get(2));
        long columns = lines.get(0).chars().filter(c -> c == '\t').count();
        for (String line : lines) {
            assertEquals(columns, line.chars().filter(c -> c == '\t').count(), line);
        }
    }

    @Test
    void enginesOfOneModelShareItsGoldenRun() throws IOException {
        Files.copy(bundle.resolve("lenet.engine"), bundle.resolve("lenet-cut1.engine"));
        new Trial("lenet", List.of(1)).write(bundle, "lenet-cut1");
        assertEquals(0, run(), text());
        assertTrue(text().contains("lenet-cut1: codes are equal"), text());
        assertTrue(
                Figure.read(out.resolve("figures.tsv")).stream()
                        .anyMatch(figure -> figure.who().equals("dl4j-quant int8 (lenet-cut1)")));
    }

    @Test
    void partsAddToWhatWasFound() throws IOException {
        assertEquals(0, run(driver, "conformance"), text());
        assertEquals(0, run(driver, "lenet"), text());
        assertEquals(text(), Files.readString(out.resolve("summary.txt")));
        assertEquals(1 + 4, Figure.read(out.resolve("figures.tsv")).size());
        assertEquals(0, run(driver, "conformance"), text());
        assertEquals(1, Figure.read(out.resolve("figures.tsv")).size());
    }

    @Test
    void whatFailsOnTheGpuIsSaid() throws IOException {
        driver.fail("cuGraphLaunch");
        assertEquals(1, run(driver, "lenet"));
        assertTrue(text().contains("lenet on No GPU: cuGraphLaunch failed"), text());
    }

    @Test
    void batchesThatDoNotFitAreSaidAndLeftOut() throws IOException {
        new Trial("lenet", List.of(1, 4000)).write(bundle, "lenet");
        driver.limit(2 << 20);
        assertEquals(0, run(), text());
        assertTrue(text().contains("lenet: a batch of 4,000 examples needs "), text());
        assertTrue(Files.readString(out.resolve("layers.tsv")).contains("\nlenet\t1\t"));
        assertEquals("", driver.held());
    }

    @Test
    void namesTheNodeThatDiffers() throws IOException {
        GoldenRun right = golden();
        Map<String, String> wrong = new TreeMap<>(right.results());
        wrong.put("pool2", "0");
        new GoldenRun(right.inputs(), wrong).write(bundle.resolve("lenet.golden"));
        assertEquals(1, run());
        assertTrue(text().contains("codes DIFFER; the first is of 'pool2', traced"), text());
        assertTrue(text().endsWith("CODES DIFFER\n"), text());
    }

    @Test
    void seesWhenReplaysDifferFromTheEngine() throws IOException {
        assertEquals(1, run(damagingResult(1)));
        assertTrue(text().contains("lenet, 1: codes DIFFER; the first is of 'logits', replayed"));
    }

    @Test
    void seesWhenResultsChangeWhileTheyAreTimed() throws IOException {
        assertEquals(1, run(damagingResult(2 * Replays.SETS)));
        assertTrue(text().contains("the replays: results changed while they were timed"), text());
    }

    /* The driver, which changes a byte of what is copied from the device for the nth time, if
     * the engine has many. */
    private CudaDriver damagingResult(int number) {
        AtomicInteger left = new AtomicInteger(number);
        return (CudaDriver)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {CudaDriver.class},
                        (proxy, method, args) -> {
                            Object result = method.invoke(driver, args);
                            if (method.getName().equals("copyToHost")
                                    && args[0] instanceof ByteBuffer bytes
                                    && bytes.capacity() == LOGITS * Float.BYTES
                                    && left.decrementAndGet() == 0) {
                                bytes.put(0, (byte) (bytes.get(0) + 1));
                            }
                            return result;
                        });
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
