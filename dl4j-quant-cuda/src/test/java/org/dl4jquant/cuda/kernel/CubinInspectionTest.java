// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.driver.CudaCompilers;
import org.dl4jquant.cuda.driver.CudaSource;
import org.dl4jquant.cuda.kernel.CubinInspection.Opcode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is read of machine code is what the assembler says of it. */
final class CubinInspectionTest {

    private static final String SOURCE =
            """
            extern "C" __global__ void __launch_bounds__(32, 1) tensor(const int *in, int *out) {
                __shared__ __align__(16) int tile[512];
                unsigned smem = (unsigned) __cvta_generic_to_shared(tile + threadIdx.x * 4);
            #if __CUDA_ARCH__ >= 800
                asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(smem), "l"(in + threadIdx.x * 4));
                asm volatile("cp.async.commit_group; cp.async.wait_group 0;");
            #else
                tile[threadIdx.x] = in[threadIdx.x];
            #endif
                __syncthreads();
                int a, b, c = 0, d = 0;
                asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(a), "=r"(b) : "r"(smem));
                asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                             : "+r"(c), "+r"(d) : "r"(a), "r"(b));
                out[threadIdx.x] = c + d;
            }

            extern "C" __global__ void __launch_bounds__(1024, 2) spilling(float *values) {
                float kept[128];
            #pragma unroll
                for (int i = 0; i < 128; i++) kept[i] = values[i * 2048 + threadIdx.x];
                __syncthreads();
            #pragma unroll
                for (int i = 0; i < 128; i++) values[(127 - i) * 2048 + threadIdx.x] = kept[i] * kept[(i * 7) % 128];
            }
            """;

    private static final Pattern ASSEMBLED =
            Pattern.compile(
                    "Function properties for (\\w+)\nptxas\\s+\\.?\\s+(\\d+) bytes stack frame,"
                            + " (\\d+) bytes spill stores, (\\d+) bytes spill loads\n.*?Used"
                            + " (\\d+) registers");

    private static CompiledCuda compile(Architecture architecture) {
        return CudaCompilers.nvrtc()
                .compile(
                        CudaSource.of("inspected.cu", SOURCE),
                        List.of(
                                "--gpu-architecture=" + architecture.target(),
                                "--ptxas-options=-v"));
    }

    @ParameterizedTest
    @EnumSource
    void agreesWithTheAssemblersReport(Architecture architecture) {
        CompiledCuda compiled = compile(architecture);
        var kernels = CubinInspection.of(compiled.cubin());
        assertEquals(Set.of("tensor", "spilling"), kernels.keySet());
        Matcher matcher = ASSEMBLED.matcher(compiled.log());
        int reported = 0;
        while (matcher.find()) {
            CubinInspection kernel = kernels.get(matcher.group(1));
            assertEquals(Integer.parseInt(matcher.group(2)), kernel.stackBytes());
            assertEquals(Integer.parseInt(matcher.group(5)), kernel.registers());
            assertEquals(Integer.parseInt(matcher.group(3)), kernel.localBytesWritten());
            assertEquals(Integer.parseInt(matcher.group(4)), kernel.localBytesRead());
            reported++;
        }
        assertEquals(2, reported, compiled.log());
        assertTrue(kernels.get("spilling").usesLocalMemory());
        assertTrue(kernels.get("spilling").count(Opcode.STL) > 0);
        assertTrue(kernels.get("spilling").count(Opcode.LDL) > 0);
    }

    @ParameterizedTest
    @EnumSource
    void countsWhatTheTensorCoresDo(Architecture architecture) {
        CubinInspection kernel = CubinInspection.of(compile(architecture).cubin()).get("tensor");
        assertEquals(1, kernel.count(Opcode.IMMA));
        assertEquals(1, kernel.count(Opcode.LDSM));
        assertEquals(architecture.copiesAsync() ? 1 : 0, kernel.count(Opcode.LDGSTS));
        assertEquals(0, kernel.count(Opcode.IGMMA));
        assertEquals(2048, kernel.sharedBytes());
        assertFalse(kernel.usesLocalMemory());
        assertTrue(kernel.instructions() > 10, kernel.toString());
    }

    @Test
    void refusesWhatIsNoCubin() {
        assertEquals(
                "these 3 bytes are no cubin: they do not begin as an ELF file for CUDA does",
                refusal(new byte[3]));
        assertEquals(
                "these 64 bytes are no cubin: they do not begin as an ELF file for CUDA does",
                refusal(new byte[64]));
    }

    @Test
    void refusesACubinThatIsCutOffAnywhere() {
        byte[] cubin = compile(Architecture.SM_80).cubin();
        for (int bytes = 64; bytes < cubin.length; bytes += 509) {
            assertEquals(
                    "the cubin of " + bytes + " bytes is damaged or cut off",
                    refusal(Arrays.copyOf(cubin, bytes)));
        }
    }

    @Test
    void refusesACubinWithoutKernels() {
        byte[] empty =
                CudaCompilers.nvrtc()
                        .compile(
                                CudaSource.of("empty.cu", "__device__ int unused;\n"),
                                List.of("--gpu-architecture=sm_80"))
                        .cubin();
        assertEquals("the cubin has no kernel", refusal(empty));
    }

    @Test
    void refusesACubinWithoutSymbols() {
        byte[] cubin = compile(Architecture.SM_80).cubin();
        ByteBuffer file = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
        int sections = (int) file.getLong(40);
        for (int i = 0; i < file.getShort(60); i++) {
            int type = sections + i * 64 + 4;
            if (file.getInt(type) == 2) {
                file.putInt(type, 1);
            }
        }
        assertEquals("the cubin has no symbols", refusal(cubin));
    }

    private static String refusal(byte[] cubin) {
        return assertThrows(IllegalArgumentException.class, () -> CubinInspection.of(cubin))
                .getMessage();
    }
}
