// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * java -cp 'lib/*' org.dl4jquant.cuda.GpuRunner BUNDLE OUT [PART]
 * }</pre>
 *
 * <p>The bundle is a folder of engines, {@code NAME.engine} with traces, each with its {@link
 * Trial} and {@link GoldenRun}, and of {@code conformance.engine}, see {@link
 * #conformance(EngineCompiler, List)}. A part is {@code conformance}, the GPU itself, or an
 * engine's name, and adds to what is in OUT; without a part, all are tried in one process.
 *
 * <p>What is printed is short, and also written to {@code summary.txt} in OUT. There, {@code
 * figures.tsv} gets all times, and {@code layers.tsv} the time, rate, bandwidth, bound and tactic
 * of each launch for each engine and batch. It returns 0, 1 if a code differs or an engine fails,
 * or 2 if something is missing.
 */
public final class GpuRunner {

    private static final String ENGINE = ".engine";
    private static final String CONFORMANCE = "conformance";

    private final CudaDriver driver;
    private final Path bundle;
    private final Findings findings;
    private final Effort effort;
    private boolean equal = true;

    GpuRunner(CudaDriver driver, Path bundle, Findings findings, Effort effort) {
        this.driver = driver;
        this.bundle = bundle;
        this.findings = findings;
        this.effort = effort;
    }

    /**
     * Tries the first GPU and ends the JVM.
     *
     * @param args the bundle's folder, the folder for the figures and, if wanted, a part
     */
    public static void main(String[] args) {
        PrintStream print = new PrintStream(System.out, true, Charset.defaultCharset());
        int result = 2;
        if (args.length < 2 || args.length > 3) {
            print.println(
                    "two folders are needed, the bundle and one for the figures; an engine's name"
                            + " may follow");
        } else {
            try {
                result = run(LibCuda.open(), args, print, Effort.USUAL);
            } catch (IOException | CudaException | IllegalArgumentException e) {
                print.println(e.getMessage());
            }
        }
        System.exit(result);
    }

    static int run(CudaDriver driver, String[] args, PrintStream print, Effort effort)
            throws IOException {
        Path out = Path.of(args[1]);
        boolean all = args.length == 2;
        Findings findings =
                all || args[2].equals(CONFORMANCE)
                        ? Findings.begin(out, print)
                        : Findings.more(out, print);
        GpuRunner runner = new GpuRunner(driver, Path.of(args[0]), findings, effort);
        return all ? runner.runAll() : runner.run(args[2]);
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

    private int runAll() throws IOException {
        run(CONFORMANCE);
        try (Stream<Path> files = Files.list(bundle)) {
            List<String> names =
                    files.map(file -> file.getFileName().toString())
                            .filter(file -> file.endsWith(ENGINE))
                            .map(file -> file.replace(ENGINE, ""))
                            .filter(name -> !name.equals(CONFORMANCE))
                            .sorted()
                            .toList();
            for (String name : names) {
                run(name);
            }
        }
        Figures.table(findings.figures()).forEach(findings::say);
        findings.say(equal ? "all codes are equal" : "CODES DIFFER");
        return equal ? 0 : 1;
    }

    private int run(String part) throws IOException {
        driver.init();
        DeviceReport gpu = DeviceReport.of(driver, 0);
        if (part.equals(CONFORMANCE)) {
            findings.say(gpu.toString());
            try (Device device = Device.open(driver, 0)) {
                device.enter();
                conformance(gpu);
                copies();
            }
        } else {
            tryEngine(part, gpu);
        }
        return equal ? 0 : 1;
    }

    private void conformance(DeviceReport gpu) throws IOException {
        EngineFile file = EngineFile.read(bundle.resolve(CONFORMANCE + ENGINE));
        String architecture =
                gpu.wouldRun(file)
                        .orElseThrow(() -> new IllegalArgumentException(gpu.verdict(file)));
        Program program = ProgramChoice.of(file, architecture, Program.Purpose.RUN).orElseThrow();
        ConformanceTrial trial = new ConformanceTrial(driver, program);
        for (Step step : program.plan().steps()) {
            Optional<String> different =
                    trial.firstDifference(step.kernel(), effort.conformances());
            equal &= different.isEmpty();
            findings.say(
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
            findings.add(
                    List.of(Figure.of(EngineTrial.US, "copy", 1, spread, 2 * bytes / 1e3, "GB/s")));
        } finally {
            resources.close();
        }
    }

    private void tryEngine(String name, DeviceReport gpu) throws IOException {
        Trial trial = Trial.read(bundle, name);
        GoldenRun golden = GoldenRun.read(bundle.resolve(trial.model() + ".golden"));
        long start = System.nanoTime();
        EngineFile file = EngineFile.read(bundle.resolve(name + ENGINE));
        try (EngineTrial engine = new EngineTrial(driver, file, trial, effort)) {
            findings.say(
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
            findings.say(name + " on " + gpu.name() + ": " + e.getMessage());
        }
    }

    private void compare(String name, String when, Optional<String> different) {
        equal &= different.isEmpty();
        findings.say(
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
            EngineTrial.Timed timed =
                    engine.time(name, batch, golden.inputs(), gpu, findings.tactics());
            findings.add(timed.figures());
            findings.addLayers(timed.layers());
            timed.different().ifPresent(what -> compare(name, ", " + batch, timed.different()));
        } catch (OutOfDeviceMemoryException e) {
            findings.say("%s: %s".formatted(name, e.getMessage()));
        }
    }
}
