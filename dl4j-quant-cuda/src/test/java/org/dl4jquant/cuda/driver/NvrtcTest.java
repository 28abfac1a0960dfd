// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** The real NVRTC compiles here, and says what is wrong with a source. */
@Isolated("sets the system property that says where the library is")
final class NvrtcTest {

    private static final List<String> SM_80 = List.of("--gpu-architecture=sm_80");

    private static final String KERNEL =
            """
            extern "C" __global__ void scale(float *values, unsigned long long count) {
                unsigned long long i = blockIdx.x * 256ull + threadIdx.x;
                if (i < count) values[i] = values[i] * FACTOR;
            }
            """;

    private final Nvrtc nvrtc = CudaCompilers.nvrtc();

    @Test
    void knowsItsVersionAndArchitectures() {
        assertTrue(nvrtc.version().matches("NVRTC 1[2-9]\\.[0-9]+"), nvrtc.version());
        List<Integer> architectures = nvrtc.architectures();
        assertTrue(architectures.containsAll(List.of(75, 80, 86, 89, 90)), "" + architectures);
        assertEquals(architectures.stream().sorted().toList(), architectures);
    }

    @Test
    void compilesTheSameBytesInEveryThread() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<byte[]> compile = () -> compile(KERNEL, "-DFACTOR=2.0f").cubin();
            byte[] expected = compile.call();
            List<Future<byte[]>> all =
                    threads.invokeAll(IntStream.range(0, 8).mapToObj(i -> compile).toList());
            for (Future<byte[]> one : all) {
                assertArrayEquals(expected, one.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void includesTheHeadersThatItIsGiven() {
        CudaSource source =
                new CudaSource(
                        "scale.cu",
                        "#include \"factor.cuh\"\n" + KERNEL,
                        new TreeMap<>(Map.of("factor.cuh", "#define FACTOR 2.0f\n")));
        assertArrayEquals(
                compile(KERNEL, "-DFACTOR=2.0f").cubin(), nvrtc.compile(source, SM_80).cubin());
    }

    @Test
    void saysWhatIsWrongWithASource() {
        CompilationException error =
                assertThrows(CompilationException.class, () -> compile(KERNEL, "-DOTHER=1"));
        assertTrue(
                error.log().contains("scale.cu(3): error: identifier \"FACTOR\" is undefined"),
                error.log());
        assertEquals(
                "scale.cu: does not compile ("
                        + nvrtc.version()
                        + ", [--gpu-architecture=sm_80, -DOTHER=1]):\n"
                        + error.log().strip(),
                error.getMessage());
    }

    @Test
    void saysWhatIsWrongWithAnOption() {
        CompilationException error =
                assertThrows(
                        CompilationException.class,
                        () -> nvrtc.compile(CudaSource.of("a.cu", ""), List.of("--no-such")));
        assertTrue(
                error.getMessage()
                        .startsWith("a.cu: NVRTC_ERROR_INVALID_OPTION (" + nvrtc.version()),
                error.getMessage());
        assertTrue(error.log().contains("--no-such"), error.log());
    }

    @Test
    void wantsAnArchitectureOfMachineCode() {
        CompilationException error =
                assertThrows(
                        CompilationException.class,
                        () ->
                                nvrtc.compile(
                                        CudaSource.of("a.cu", "__global__ void k() {}"),
                                        List.of("--gpu-architecture=compute_80")));
        assertTrue(
                error.getMessage()
                        .startsWith(
                                "a.cu: no machine code was made with the options"
                                        + " [--gpu-architecture=compute_80]; --gpu-architecture"
                                        + " must be of the form sm_XX"),
                error.getMessage());
    }

    @Test
    void returnsWarnings() {
        CompiledCuda compiled = compile("extern \"C\" __global__ void k() { int unused; }\n");
        assertTrue(compiled.log().contains("was declared but never referenced"), compiled.log());
        assertEquals("", compile(KERNEL, "-DFACTOR=2.0f").log());
    }

    @Test
    void saysWhatToDoWhereItIsNot(@TempDir Path folder) throws Exception {
        Path nowhere = folder.resolve("libnvrtc.so.12");
        String remedy =
                "NVRTC cannot be loaded from "
                        + nowhere
                        + ". Give the path of its libnvrtc.so in -Ddl4jquant.nvrtc, install the"
                        + " CUDA toolkit, or put the jar"
                        + " org.bytedeco:cuda-redist:12.9-9.10-1.5.12:linux-x86_64 on the class"
                        + " path:\n";
        assertTrue(refusal(nowhere).startsWith(remedy), refusal(nowhere));
        Files.writeString(nowhere, "no library");
        assertTrue(refusal(nowhere).startsWith(remedy), refusal(nowhere));
    }

    private static String refusal(Path path) {
        return assertThrows(CompilationException.class, () -> Nvrtc.open(path)).getMessage();
    }

    @Test
    void saysWhereItLookedInVain() {
        String message =
                assertThrows(CompilationException.class, () -> Nvrtc.first(Optional.empty()))
                        .getMessage();
        assertTrue(message.startsWith("NVRTC was not found; looked in ["), message);
        assertTrue(
                message.contains("] and for org/bytedeco/cuda/linux-")
                        && message.contains("/libnvrtc.so.* on the class path. Give the path"),
                message);
    }

    @Test
    void looksNowhereElseWhenAPathIsGiven(@TempDir Path folder) {
        Path given = folder.resolve("given.so");
        System.setProperty(Nvrtc.PROPERTY, given.toString());
        try {
            String message = assertThrows(CompilationException.class, Nvrtc::find).getMessage();
            assertTrue(message.startsWith("NVRTC cannot be loaded from " + given), message);
        } finally {
            System.clearProperty(Nvrtc.PROPERTY);
        }
    }

    @Test
    void hasItsBuiltinsBesideIt() {
        assertTrue(nvrtc.hasBuiltins(), () -> "none beside " + nvrtc.file());
    }

    @Test
    void choosesTheNewestOfAFolderWithItsOwnBuiltins(@TempDir Path folder) throws Exception {
        assertTrue(NvrtcPlaces.newestIn(folder.resolve("nowhere")).isEmpty());
        for (String name :
                List.of(
                        "libnvrtc.so.11.2",
                        "libnvrtc.so.12",
                        "libnvrtc-builtins.so.11.2",
                        "libnvrtc-builtins.so.12.9",
                        "libnvrtc-builtins.so.13.0")) {
            Files.createFile(folder.resolve(name));
        }
        Path newest = NvrtcPlaces.newestIn(folder).orElseThrow();
        assertEquals(folder.resolve("libnvrtc.so.12"), newest);
        assertEquals(
                folder.resolve("libnvrtc-builtins.so.12.9"),
                NvrtcPlaces.builtinsBeside(newest).orElseThrow());
    }

    @Test
    void refusesNamesThatAreNoFiles() {
        assertEquals(
                "'../a.cu' cannot name a source; letters, digits, '_', '.' and '-' are allowed",
                assertThrows(IllegalArgumentException.class, () -> CudaSource.of("../a.cu", ""))
                        .getMessage());
    }

    private CompiledCuda compile(String text, String... options) {
        List<String> all = new ArrayList<>(SM_80);
        all.addAll(List.of(options));
        return nvrtc.compile(CudaSource.of("scale.cu", text), all);
    }
}
