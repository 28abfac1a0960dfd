// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.dl4jquant.cuda.driver.CudaCompilers;
import org.dl4jquant.cuda.driver.CudaSource;
import org.dl4jquant.cuda.kernel.Operation.Pipe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that are written with known instructions are read with these. */
final class MachineCodeTest {

    private static final String SOURCE =
            """
            extern "C" __global__ void dots(int *p) {
                int t = threadIdx.x, a = p[t], b = p[t + 32], c = p[t + 64];
            #pragma unroll
                for (int i = 0; i < 13; i++) asm volatile("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));
                p[t] = c;
            }

            extern "C" __global__ void looping(int *p, int rounds) {
                int t = threadIdx.x, a = p[t], b = p[t + 32], c = p[t + 64];
            #pragma unroll 1
                for (int k = 0; k < rounds; k++) {
            #pragma unroll 1
                    for (int j = 0; j < rounds; j++) {
            #pragma unroll
                        for (int i = 0; i < 9; i++) asm volatile("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));
                    }
                    asm volatile("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(c) : "r"(b), "r"(b));
                }
                p[t] = c;
            }

            extern "C" __global__ void small(int *p) {
                int a = p[0], b = p[1], c = 0, d = 0;
            #pragma unroll
                for (int i = 0; i < 5; i++)
                    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                                 : "+r"(c), "+r"(d) : "r"(a), "r"(b));
                p[2] = c + d;
            }

            extern "C" __global__ void moves(const float *f, int *p) {
                __shared__ float4 tile[64];
                __shared__ unsigned char bytes[64];
                int t = threadIdx.x;
                tile[t] = *(const float4 *) (f + 4 * t);
                bytes[t] = (unsigned char) t;
                __syncthreads();
                float4 other = tile[63 - t];
                int low = bytes[63 - t];
                int rounded = __float2int_rn(__fmul_rn(other.x, other.y)) + __float2int_rn(other.z);
                p[t] = __shfl_xor_sync(0xffffffff, rounded, 1) + low;
            }

            #if __CUDA_ARCH__ >= 800
            extern "C" __global__ void large(int *p) {
                int a = p[0], b = p[1], c = 0, d = 0, e = 0, f = 0;
            #pragma unroll
                for (int i = 0; i < 3; i++)
                    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %4, %5},"
                                 " {%5, %4}, {%0, %1, %2, %3};" : "+r"(c), "+r"(d), "+r"(e), "+r"(f) : "r"(a), "r"(b));
                asm volatile("mma.sync.aligned.m16n8k16.row.col.s32.s8.u8.s32 {%0, %1, %2, %3}, {%4, %5}, {%5},"
                             " {%0, %1, %2, %3};" : "+r"(c), "+r"(d), "+r"(e), "+r"(f) : "r"(a), "r"(b));
                p[2] = c + d + e + f;
            }
            #endif
            """;

    private static byte[] compile(String source, Architecture architecture) {
        return CudaCompilers.nvrtc()
                .compile(
                        CudaSource.of("known.cu", source),
                        List.of("--gpu-architecture=" + architecture.target(), "-fmad=false"))
                .cubin();
    }

    private static SortedMap<String, MachineCode> known(Architecture architecture) {
        return MachineCode.of(compile(SOURCE, architecture));
    }

    @ParameterizedTest
    @EnumSource
    void countsTheInstructionsThatWereWritten(Architecture architecture) {
        Map<String, MachineCode> kernels = known(architecture);
        CodeCost dots = kernels.get("dots").pass();
        assertEquals(13, dots.count(Operation.IDP));
        assertEquals(3, dots.count(Operation.LDG));
        assertEquals(1, dots.count(Operation.STG));
        assertEquals(1, dots.count(Operation.EXIT));
        CodeCost moves = kernels.get("moves").pass();
        assertEquals(2, moves.count(Operation.STS));
        assertEquals(2, moves.count(Operation.LDS));
        assertEquals(2, moves.count(Operation.F2I));
        assertEquals(1, moves.count(Operation.FMUL));
        assertEquals(1, moves.count(Operation.BAR));
        assertEquals(1, moves.count(Operation.SHFL));
        assertEquals(8 * 2, moves.cycles(Pipe.CONVERT));
        assertEquals(5, kernels.get("small").pass().count(Operation.IMMA));
        assertEquals(5L * 8 * 8 * 16, kernels.get("small").pass().products());
    }

    @ParameterizedTest
    @EnumSource
    void theSumOfTheHistogramIsTheCode(Architecture architecture) {
        known(architecture)
                .forEach(
                        (name, code) -> {
                            int sum =
                                    code.pass().operations().values().stream()
                                            .mapToInt(n -> n)
                                            .sum();
                            assertEquals(code.bytes(), 16 * sum, name);
                            assertEquals(sum, code.pass().instructions(), name);
                            assertEquals(sum, code.inspection().instructions(), name);
                            assertTrue(code.pass().stallCycles() >= sum / 2, name);
                            assertEquals(
                                    architecture.target().substring(3, 5), "" + code.capability());
                        });
    }

    @ParameterizedTest
    @EnumSource
    void findsTheInnerLoopOnly(Architecture architecture) {
        MachineCode code = known(architecture).get("looping");
        assertEquals(1, code.innerLoops().size(), code.toString());
        CodeCost round = code.mainLoop().orElseThrow().cost();
        assertEquals(9, round.count(Operation.IDP));
        assertEquals(10, code.pass().count(Operation.IDP));
        assertEquals(1, round.count(Operation.BRA));
        assertTrue(round.stallCycles() >= 9 * 2, round.toString());
        assertEquals(Pipe.MULTIPLY, round.bound());
        assertTrue(round.boundCycles() >= 18, round.toString());
        assertTrue(known(architecture).get("dots").mainLoop().isEmpty());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SM_75")
    void tellsTheShapesOfProducts(Architecture architecture) {
        CodeCost pass = known(architecture).get("large").pass();
        assertEquals(4, pass.count(Operation.IMMA));
        assertEquals(3L * 16 * 8 * 32 + 16 * 8 * 16, pass.products());
        double rate =
                architecture == Architecture.SM_80
                        ? 2048
                        : architecture.name().startsWith("SM_9") ? 4096 : 1024;
        assertEquals(4 * pass.products() / rate, pass.cycles(Pipe.TENSOR));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 24, 32, 48, 96, 192, 256})
    void tellsTheColumnsOfAWarpgroupsProduct(int columns) {
        StringBuilder registers = new StringBuilder();
        StringBuilder operands = new StringBuilder();
        for (int i = 0; i < columns / 2; i++) {
            registers.append(i == 0 ? "" : ",").append('%').append(i);
            operands.append("\"+r\"(c[").append(i).append("]),");
        }
        String source =
                """
                extern "C" __global__ void group(int *p, unsigned long long a, unsigned long long b) {
                    int c[N / 2];
                #pragma unroll
                    for (int i = 0; i < N / 2; i++) c[i] = p[i];
                    asm volatile("wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64nNk32.s32.s8.s8 {REGISTERS},"
                                 " %0A, %0B, 1; wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;"
                                 : OPERANDS : "l"(a), "l"(b));
                #pragma unroll
                    for (int i = 0; i < N / 2; i++) p[i] = c[i];
                }
                """
                        .replace("%0A", "%" + columns / 2)
                        .replace("%0B", "%" + (columns / 2 + 1))
                        .replace("N / 2", "" + columns / 2)
                        .replace("nNk", "n" + columns + "k")
                        .replace("REGISTERS", registers)
                        .replace("OPERANDS", operands.substring(0, operands.length() - 1));
        CodeCost pass = MachineCode.of(compile(source, Architecture.SM_90A)).get("group").pass();
        assertEquals(1, pass.count(Operation.IGMMA));
        assertEquals(16L * columns * 32, pass.products());
        assertEquals(columns / 2.0, pass.cycles(Pipe.TENSOR));
    }

    @Test
    void refusesABranchThatLeavesItsKernel() {
        byte[] cubin = compile(SOURCE, Architecture.SM_80);
        ByteBuffer file = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + 16 <= cubin.length; at += 16) {
            if ((file.getLong(at) & 0xfff) == 0x947 && file.getLong(at + 8) >>> 41 != 0) {
                file.putLong(at, (file.getLong(at) & 0xffffffffL) | (0x7ffffff0L << 32));
            }
        }
        String message = refusal(cubin);
        assertTrue(message.startsWith("a branch of dots at byte "), message);
        assertTrue(message.endsWith("or between instructions: the cubin is damaged"), message);
    }

    @Test
    void refusesAnotherArchitecture() {
        byte[] cubin = compile(SOURCE, Architecture.SM_80);
        cubin[48] = 120;
        assertEquals(
                "the cubin is for sm_120, and only sm_75 to sm_90a can be read", refusal(cubin));
    }

    @Test
    void refusesCodeThatIsNoWholeNumberOfInstructions() {
        byte[] cubin = compile(SOURCE, Architecture.SM_80);
        ByteBuffer file = ByteBuffer.wrap(cubin).order(ByteOrder.LITTLE_ENDIAN);
        int sections = (int) file.getLong(40);
        for (int i = 0; i < file.getShort(60); i++) {
            int header = sections + i * 64;
            boolean executable = (file.getLong(header + 8) & 4) != 0;
            file.putLong(header + 32, file.getLong(header + 32) - (executable ? 8 : 0));
        }
        String message = refusal(cubin);
        assertTrue(message.startsWith("the code of dots has "), message);
        assertTrue(message.endsWith(" bytes, no multiple of 16: the cubin is damaged"), message);
    }

    private static String refusal(byte[] cubin) {
        return assertThrows(IllegalArgumentException.class, () -> MachineCode.of(cubin))
                .getMessage();
    }
}
