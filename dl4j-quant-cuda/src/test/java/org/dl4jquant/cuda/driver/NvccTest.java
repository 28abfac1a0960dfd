// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** nvcc compiles as NVRTC does. */
final class NvccTest {

    private static final List<String> OPTIONS =
            List.of("--gpu-architecture=sm_80", "-fmad=false", "--std=c++17");

    @Test
    void compilesASourceWithItsHeaders() {
        Nvcc nvcc = CudaCompilers.nvcc();
        CudaSource source =
                new CudaSource(
                        "half.cu",
                        """
                        #include "half.cuh"
                        extern "C" __global__ void half(float *x) { *x *= HALF; }
                        """,
                        new TreeMap<>(Map.of("half.cuh", "#define HALF 0.5f\n")));
        byte[] cubin = nvcc.compile(source, OPTIONS).cubin();
        assertEquals("\u007fELF", new String(cubin, 0, 4, StandardCharsets.US_ASCII));
        assertArrayEquals(cubin, nvcc.compile(source, OPTIONS).cubin());
        assertTrue(nvcc.version().matches("nvcc [0-9]+\\.[0-9]+"), nvcc.version());
        assertTrue(nvcc.architectures().containsAll(List.of(80, 90)), "" + nvcc.architectures());
    }

    @Test
    void saysWhatIsWrongWithASource() {
        Nvcc nvcc = CudaCompilers.nvcc();
        CompilationException error =
                assertThrows(
                        CompilationException.class,
                        () -> nvcc.compile(CudaSource.of("wrong.cu", "int x = y;\n"), OPTIONS));
        assertTrue(
                error.getMessage()
                        .startsWith(
                                "wrong.cu: does not compile ("
                                        + nvcc.version()
                                        + ", "
                                        + OPTIONS
                                        + "):\nwrong.cu(1): error: identifier \"y\" is undefined"),
                error.getMessage());
    }

    @Test
    void saysWhatToDoWhereItIsNot() {
        String message =
                assertThrows(CompilationException.class, () -> Nvcc.open("no-such-nvcc"))
                        .getMessage();
        assertTrue(message.startsWith("nvcc does not run: "), message);
        assertTrue(
                message.endsWith("; install the CUDA toolkit, or give the path of its nvcc"),
                message);
    }

    @Test
    void refusesAnotherProgram() {
        assertTrue(
                assertThrows(CompilationException.class, () -> Nvcc.open("java"))
                        .getMessage()
                        .startsWith("this program is no nvcc:\n"));
    }

    @Test
    void saysHowAProgramEnded() {
        String message =
                assertThrows(CompilationException.class, () -> Nvcc.open("false")).getMessage();
        assertTrue(message.startsWith("'false --version' ended with 1"), message);
    }

    @Test
    void stopsWhenTheThreadIsInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertEquals(
                    "interrupted while nvcc ran",
                    assertThrows(CompilationException.class, () -> Nvcc.open("java")).getMessage());
        } finally {
            assertTrue(Thread.interrupted(), "the thread stays interrupted");
        }
    }
}
