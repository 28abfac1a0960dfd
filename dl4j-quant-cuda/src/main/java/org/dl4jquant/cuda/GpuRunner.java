// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Conformance;
import org.dl4jquant.cuda.kernel.WarpgroupConformance;
import org.dl4jquant.cuda.plan.Step;

/**
 * Tries a GPU: the driver, what single instructions return, the bandwidth of its memory, whether
 * every kernel of every engine returns the reference's integers, and how fast. Needs a JRE, the
 * jars of this module and of the core, JNA and the shaded Jackson; no Maven, no ND4J, no compiler.
 *
 * <pre>{@code
 * java -cp 'lib/*' org.dl4jquant.cuda.GpuRunner BUNDLE OUT
 * }</pre>
 *
 * <p>The bundle is a folder of engines, {@code NAME.engine} with traces, each with its {@link
 * Trial} and {@link GoldenRun}, and of {@code conformance.engine}, see {@link
 * #conformance(EngineCompiler, List)}. What is printed is short, and also written to {@code
 * summary.txt} in OUT, which gets {@code figures.tsv}, all times, and for each engine and batch
 * {@code NAME-BATCH.tsv}, the time, rate, bandwidth, bound and tactic of each launch. It returns 0,
 * 1 if a code differs, or 2 if something is missing.
 */
public final class GpuRunner {

    private static final String ENGINE = ".engine";
    private static final String CONFORMANCE = "conformance" + ENGINE;

    private final CudaDriver driver;
    private final Path bundle;
    private final Path out;
    private final PrintStream print;
    private final Effort effort;
    private final List<String> summary = new ArrayList<>();
    private final List<Figure> figures = new ArrayList<>();
    private boolean equal = true;

    GpuRunner(CudaDriver driver, Path bundle, Path out, PrintStream print, Effort effort) {
        this.driver = driver;
        this.bundle = bundle;
        this.out = out;
        this.print = print;
        this.effort = effort;
    }

    /**
     * Tries the first GPU and ends the JVM.
     *
     * @param args the bundle's folder and the folder for the figures
     */
    public static void main(String[] args) {
        PrintStream print = new PrintStream(System.out, true, Charset.defaultCharset());
        int result = 2;
        if (args.length != 2) {
            print.println("two folders are needed: the bundle, and one for the figures");
        } else {
            try {
                result =
                        new GpuRunner(
                                        LibCuda.open(),
                                        Path.of(args[0]),
                                        Path.of(args[1]),
                                        print,
                                        Effort.USUAL)
                                .run();
            } catch (IOException | CudaException | IllegalArgumentException e) {
                print.println(e.getMessage());
            }
        }
        System.exit(result);
    }

    /**
     * {@return an engine file that holds the conformance kernels}
     *
     * @param compiler the compiler
     * @param architectures for which
     */
    public static EngineFile conformance(
            EngineCompiler compiler, List<Architecture> architectures) {
        return compiler.single(
                architectures,
                architecture ->
                        architecture == Architecture.SM_90A
                                ? List.of(
                                        Conformance.kernel(architecture),
                                        WarpgroupConformance.kernel())
                                : List.of(Conformance.kernel(architecture)));
    }

    /** {@return 0, or 1 if a code differs} */
    int run() throws IOException {
        Files.createDirectories(out);
        driver.init();
        DeviceReport gpu = DeviceReport.of(driver, 0);
        line(gpu.toString());
        try (Device device = Device.open(driver, 0)) {
            device.enter();
            conformance(gpu);
            copies();
        }
        for (Path engine : engines()) {
            tryEngine(engine, gpu);
        }
        line("");
        Figures.table(figures).forEach(this::line);
        line(equal ? "all codes are equal" : "CODES DIFFER");
        Files.write(out.resolve("summary.txt"), summary);
        Figure.write(out.resolve("figures.tsv"), figures);
        return equal ? 0 : 1;
    }

    private List<Path> engines() throws IOException {
        try (Stream<Path> files = Files.list(bundle)) {
            return files.filter(file -> file.toString().endsWith(ENGINE))
                    .filter(file -> !file.endsWith(CONFORMANCE))
                    .sorted()
                    .toList();
        }
    }

    private void line(String text) {
        summary.add(text);
        print.println(text);
    }

    private void conformance(DeviceReport gpu) throws IOException {
        EngineFile file = EngineFile.read(bundle.resolve(CONFORMANCE));
        String architecture =
                gpu.wouldRun(file)
                        .orElseThrow(() -> new IllegalArgumentException(gpu.verdict(file)));
        Program program = ProgramChoice.of(file, architecture, Program.Purpose.RUN).orElseThrow();
        ConformanceTrial trial = new ConformanceTrial(driver, program);
        for (Step step : program.plan().steps()) {
            Optional<String> different =
                    trial.firstDifference(step.kernel(), effort.conformances());
            equal &= different.isEmpty();
            line(
                    "%s for %s: %s"
                            .formatted(
                                    step.kernel().file(),
                                    architecture,
                                    different.orElse("all words are equal")));
        }
    }

    /* Bytes that are read and bytes that are written both count. */
    private void copies() {
        long bytes = effort.flushBytes();
        Resources resources = new Resources();
        try (Stopwatch watch = new Stopwatch(driver, effort)) {
            long from = driver.allocate(bytes);
            resources.add(() -> driver.free(from));
            long to = driver.allocate(bytes);
            resources.add(() -> driver.free(to));
            driver.fill(from, (byte) 77, bytes, watch.stream());
            Spread spread =
                    watch.rounds(
                            List.of(() -> driver.copyOnDevice(to, from, bytes, watch.stream())));
            figures.add(Figure.of(EngineTrial.US, "copy", 1, spread, 2 * bytes / 1e3, "GB/s"));
        } finally {
            resources.close();
        }
    }

    private void tryEngine(Path path, DeviceReport gpu) throws IOException {
        String name = path.getFileName().toString().replace(ENGINE, "");
        Trial trial = Trial.read(bundle, name);
        GoldenRun golden = GoldenRun.read(bundle.resolve(trial.model() + ".golden"));
        long start = System.nanoTime();
        EngineFile file = EngineFile.read(path);
        try (EngineTrial engine = new EngineTrial(driver, file, trial, effort)) {
            line(
                    String.format(
                            Locale.ROOT,
                            "%s: loaded in %.3f s",
                            name,
                            (System.nanoTime() - start) / 1e9));
            compare(name, "", engine.firstDifference(golden));
            for (int batch : trial.batches()) {
                time(engine, name, batch, golden, gpu);
            }
            compare(name, " after it was timed", engine.firstDifference(golden));
        } catch (CudaException | OutOfDeviceMemoryException | IllegalArgumentException e) {
            equal = false;
            line(name + " on " + gpu.name() + ": " + e.getMessage());
        }
    }

    private void compare(String name, String when, Optional<String> different) {
        equal &= different.isEmpty();
        line(
                "%s%s: %s"
                        .formatted(
                                name,
                                when,
                                different
                                        .map(node -> "codes DIFFER; the first is of " + node)
                                        .orElse("codes are equal")));
    }

    private void time(
            EngineTrial engine, String name, int batch, GoldenRun golden, DeviceReport gpu)
            throws IOException {
        try {
            EngineTrial.Timed timed = engine.time(name, batch, golden.inputs(), gpu);
            figures.addAll(timed.figures());
            Files.writeString(out.resolve(name + "-" + batch + ".tsv"), timed.layers());
            timed.different().ifPresent(what -> compare(name, ", " + batch, timed.different()));
        } catch (OutOfDeviceMemoryException e) {
            line("%s: %s".formatted(name, e.getMessage()));
        }
    }
}
