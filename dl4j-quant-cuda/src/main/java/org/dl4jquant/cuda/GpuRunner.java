// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CudaDriver;
import org.dl4jquant.cuda.driver.CudaException;
import org.dl4jquant.cuda.driver.LibCuda;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Conformance;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.WarpgroupConformance;
import org.dl4jquant.cuda.plan.Step;

/**
 * Tries a GPU: the driver, what single instructions return, whether every kernel of every engine
 * returns the reference's integers, and how fast. Needs a JRE, the jars of this module and of the
 * core, JNA and the shaded Jackson; no Maven, no ND4J, no compiler.
 *
 * <pre>{@code
 * java -cp 'lib/*' org.dl4jquant.cuda.GpuRunner BUNDLE OUT
 * }</pre>
 *
 * <p>The bundle is a folder of engines, {@code NAME.engine} with traces, each beside its {@link
 * GoldenRun}, {@code NAME.golden}, and of {@code conformance.engine}, see {@link
 * #conformance(EngineCompiler, List)}. What is printed is short; OUT gets the time, rate and
 * bandwidth of each launch. It returns 0, 1 if a code differs, or 2 if something is missing.
 */
public final class GpuRunner {

    private static final int[] BATCHES = {1, 8, 32, 128, 256};
    private static final int REPEATS = 30;
    private static final int CONFORMANCE_EXAMPLES = 1000;
    private static final String ENGINE = ".engine";
    private static final String CONFORMANCE = "conformance" + ENGINE;

    private final CudaDriver driver;
    private final Path bundle;
    private final Path out;
    private final PrintStream print;
    private final int[] batches;
    private final int repeats;
    private final List<String> summary = new ArrayList<>();
    private boolean equal = true;

    GpuRunner(
            CudaDriver driver,
            Path bundle,
            Path out,
            PrintStream print,
            int[] batches,
            int repeats) {
        this.batches = batches.clone();
        this.repeats = repeats;
        this.driver = driver;
        this.bundle = bundle;
        this.out = out;
        this.print = print;
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
                                        BATCHES,
                                        REPEATS)
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
        }
        line(
                String.format(
                        Locale.ROOT,
                        "%-20s %8s %7s  %s",
                        "engine",
                        "load, s",
                        "codes",
                        "ms and examples a second for batches of " + Arrays.toString(batches)));
        List<Path> engines;
        try (Stream<Path> files = Files.list(bundle)) {
            engines =
                    files.filter(file -> file.toString().endsWith(ENGINE))
                            .filter(file -> !file.endsWith(CONFORMANCE))
                            .sorted()
                            .toList();
        }
        for (Path engine : engines) {
            tryEngine(engine, gpu);
        }
        line(equal ? "all codes are equal" : "CODES DIFFER");
        Files.write(out.resolve("summary.txt"), summary);
        return equal ? 0 : 1;
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
        Architecture target = Architecture.valueOf(architecture.toUpperCase(Locale.ROOT));
        for (Step step : program.plan().steps()) {
            boolean groups = step.kernel().file().startsWith("conformance_");
            byte[] inputs =
                    groups
                            ? WarpgroupConformance.inputs(CONFORMANCE_EXAMPLES / 10, 1)
                            : Conformance.inputs(CONFORMANCE_EXAMPLES, 1);
            int[] expected =
                    groups
                            ? WarpgroupConformance.expected(inputs)
                            : Conformance.expected(inputs, target);
            int examples = groups ? CONFORMANCE_EXAMPLES / 10 : CONFORMANCE_EXAMPLES;
            int[] found = launch(program, step.kernel(), inputs, expected.length, examples);
            int at = Arrays.mismatch(expected, found);
            equal &= at < 0;
            line(
                    step.kernel().file()
                            + " for "
                            + architecture
                            + ": "
                            + (at < 0
                                    ? expected.length + " words equal"
                                    : "word " + at + " is " + found[at] + ", not " + expected[at]));
        }
    }

    private int[] launch(
            Program program, KernelSpec kernel, byte[] inputs, int words, int examples) {
        Resources resources = new Resources();
        try {
            ByteBuffer cubin = Objects.requireNonNull(program.cubins().get(kernel.entry()));
            byte[] image = new byte[cubin.remaining()];
            cubin.duplicate().get(image);
            long module = driver.loadModule(image);
            resources.add(() -> driver.unloadModule(module));
            long function = driver.function(module, kernel.entry());
            driver.setDynamicSharedMemory(function, kernel.launch().sharedBytes());
            long from = driver.allocate(inputs.length);
            resources.add(() -> driver.free(from));
            long to = driver.allocate((long) words * Integer.BYTES);
            resources.add(() -> driver.free(to));
            ByteBuffer direct = ByteBuffer.allocateDirect(inputs.length).put(inputs).flip();
            try {
                driver.copyToDevice(from, direct, 0);
                driver.synchronize();
            } finally {
                Reference.reachabilityFence(direct);
            }
            driver.launch(
                    function,
                    kernel.launch().rows(examples),
                    kernel.launch().columns(),
                    kernel.launch().threads(),
                    kernel.launch().sharedBytes(),
                    0,
                    new long[] {from, to, examples});
            ByteBuffer results =
                    ByteBuffer.allocateDirect(words * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            driver.copyToHost(results, to, 0);
            driver.synchronize();
            int[] found = new int[words];
            results.asIntBuffer().get(found);
            return found;
        } finally {
            resources.close();
        }
    }

    private void tryEngine(Path path, DeviceReport gpu) throws IOException {
        String name = path.getFileName().toString().replace(ENGINE, "");
        GoldenRun golden = GoldenRun.read(path.resolveSibling(name + ".golden"));
        long start = System.nanoTime();
        EngineFile file = EngineFile.read(path);
        try (EngineOnDevice engine =
                EngineOnDevice.open(file, driver, 0, EngineOnDevice.LARGEST_BATCH)) {
            double seconds = (System.nanoTime() - start) / 1e9;
            Optional<String> different = golden.firstDifference(engine);
            equal &= different.isEmpty();
            StringBuilder times = new StringBuilder();
            for (int batch : batches) {
                times.append(time(engine, name, batch));
            }
            line(
                    String.format(
                            Locale.ROOT,
                            "%-20s %8.3f %7s  %s",
                            name,
                            seconds,
                            different.isEmpty() ? "equal" : "DIFFER",
                            times));
            different.ifPresent(node -> line("  the first that differs is " + node));
        } catch (CudaException | OutOfDeviceMemoryException | IllegalArgumentException e) {
            equal = false;
            line(name + " on " + gpu.name() + ": " + e.getMessage());
        }
    }

    private String time(EngineOnDevice engine, String name, int batch) throws IOException {
        Times times;
        try {
            times = engine.time(batch, repeats);
        } catch (OutOfDeviceMemoryException e) {
            return " (" + batch + " do not fit)";
        }
        StringBuilder table =
                new StringBuilder("result\tkernel\tmicroseconds\tTOPS\tGB/s\tentry\n");
        List<Step> steps = engine.steps();
        for (int i = 0; i < steps.size(); i++) {
            KernelCost cost = KernelCost.of(steps.get(i).kernel());
            double micros = times.stepMicros().get(i);
            table.append(
                    String.format(
                            Locale.ROOT,
                            "%s\t%s\t%.2f\t%.1f\t%.0f\t%s%n",
                            steps.get(i).result(),
                            described(steps.get(i).kernel()),
                            micros,
                            cost.operations() * (double) batch / micros / 1e6,
                            (cost.bytes() * (double) batch + cost.constantBytes()) / micros / 1e3,
                            steps.get(i).kernel().entry()));
        }
        table.append(String.format(Locale.ROOT, "all\t\t%.2f%n", times.micros()));
        Files.writeString(out.resolve(name + "-" + batch + ".tsv"), table, StandardCharsets.UTF_8);
        return String.format(
                Locale.ROOT, " %.3f/%,.0f", times.micros() / 1e3, batch / times.micros() * 1e6);
    }

    private static String described(KernelSpec kernel) {
        Map<String, String> constants = kernel.constants();
        return constants.containsKey("QK_BLOCK_M")
                ? kernel.file()
                        + " "
                        + constants.get("QK_BLOCK_M")
                        + "x"
                        + constants.get("QK_BLOCK_N")
                        + "x"
                        + constants.get("QK_BLOCK_K")
                : kernel.file();
    }
}
