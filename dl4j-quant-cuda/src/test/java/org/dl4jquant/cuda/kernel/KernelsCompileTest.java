// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.kernel.CubinInspection.Opcode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels become good machine code for every architecture, in every tile. */
final class KernelsCompileTest {

    private static final int REGISTERS_OF_A_MULTIPROCESSOR = 65_536;

    private static final int FILTERS = 256;

    /** What the assembler says of wgmma that waits, or where it adds fences of its own. */
    private static final Pattern SERIALIZED = Pattern.compile("C75[0-9][0-9]|serializ");

    private static final GemmProblem CONVOLUTION =
            GemmCases.convolution(
                            GemmCases.image(FILTERS, 14, 14), GemmCases.window(3, 1, 1), FILTERS)
                    .withResidual(GemmCases.residual(FILTERS));

    @ParameterizedTest
    @EnumSource
    void usesTensorCoresAndSpillsNothing(Architecture architecture) {
        List<Executable> checks =
                Arrays.stream(Tile.values())
                        .filter(tile -> fits(tile, architecture))
                        .parallel()
                        .<Executable>map(tile -> check(tile, architecture))
                        .toList();
        assertTrue(checks.size() >= 8, () -> checks.size() + " tiles for " + architecture);
        assertAll(checks);
    }

    private static boolean fits(Tile tile, Architecture architecture) {
        return tile.suits(architecture)
                && tile.sharedBytes(architecture, false) <= architecture.sharedBytes();
    }

    private static Executable check(Tile tile, Architecture architecture) {
        KernelSpec spec = GemmKernel.of(CONVOLUTION, tile, architecture);
        CompiledCuda compiled = CompiledKernels.compile(spec, architecture);
        CubinInspection found = CubinInspection.of(compiled.cubin()).get(spec.entry());
        String what = tile + " for " + architecture + ": " + found + "\n" + compiled.log();
        int registers = found.registers() * spec.launch().threads() * spec.minBlocks();
        return () -> {
            assertEquals(0, found.localBytesWritten() + found.localBytesRead(), what);
            assertEquals(0, found.stackBytes(), what);
            assertTrue(registers <= REGISTERS_OF_A_MULTIPROCESSOR, what);
            assertTrue(
                    found.sharedBytes() + spec.launch().sharedBytes() <= architecture.sharedBytes(),
                    what);
            assertEquals(!tile.byGroup(), found.count(Opcode.IMMA) > 0, what);
            assertEquals(!tile.byGroup(), found.count(Opcode.LDSM) > 0, what);
            assertEquals(tile.byGroup(), found.count(Opcode.IGMMA) > 0, what);
            assertFalse(SERIALIZED.matcher(compiled.log()).find(), what);
            assertEquals(architecture.copiesAsync(), found.count(Opcode.LDGSTS) > 0, what);
        };
    }

    @ParameterizedTest
    @EnumSource
    void becomesTheSameBytesEachTime(Architecture architecture) {
        KernelSpec spec = GemmKernel.of(CONVOLUTION, Tile.M64_N64_K64, architecture);
        assertArrayEquals(
                CompiledKernels.compile(spec, architecture).cubin(),
                CompiledKernels.compile(spec, architecture).cubin());
    }

    @Test
    void groupsOfWarpsBecomeTheSameBytesEachTime() {
        KernelSpec spec =
                GemmKernel.of(CONVOLUTION, Tile.M128_N256_K128_GROUP, Architecture.SM_90A);
        assertArrayEquals(
                CompiledKernels.compile(spec, Architecture.SM_90A).cubin(),
                CompiledKernels.compile(spec, Architecture.SM_90A).cubin());
    }

    @ParameterizedTest
    @EnumSource
    void theConformanceKernelUsesWhatItTries(Architecture architecture) {
        KernelSpec spec = Conformance.kernel(architecture);
        CubinInspection found =
                CubinInspection.of(CompiledKernels.compile(spec, architecture).cubin())
                        .get(spec.entry());
        assertTrue(found.count(Opcode.IMMA) > 0, found.toString());
        assertTrue(found.count(Opcode.LDSM) > 0, found.toString());
        assertEquals(architecture.copiesAsync(), found.count(Opcode.LDGSTS) > 0, found.toString());
    }
}
