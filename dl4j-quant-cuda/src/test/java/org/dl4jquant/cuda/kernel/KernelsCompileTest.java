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
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.cuda.driver.CompiledCuda;
import org.dl4jquant.cuda.kernel.CubinInspection.Opcode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels become good machine code for every architecture, in every tile. */
final class KernelsCompileTest {

    private static final int REGISTERS_OF_A_MULTIPROCESSOR = 65_536;

    private static final int FILTERS = 256;
    private static final int LARGE = 128 * 128;

    /** What the assembler says of wgmma that waits, or where it adds fences of its own. */
    private static final Pattern SERIALIZED = Pattern.compile("C75[0-9][0-9]|serializ");

    private static final GemmProblem CONVOLUTION =
            GemmCases.convolution(
                            GemmCases.image(FILTERS, 14, 14), GemmCases.window(3, 1, 1), FILTERS)
                    .withResidual(GemmCases.residual(FILTERS));

    @ParameterizedTest
    @EnumSource(names = {"SM_75", "SM_90A"})
    void usesTensorCoresAndSpillsNothing(Architecture architecture) {
        requireTensorCores(architecture, IntStream.of(1));
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource
    void usesTensorCoresAndSpillsNothingWhereSumsAreSplit(Architecture architecture) {
        requireTensorCores(architecture, IntStream.of(1, 3));
    }

    /* What a split adds is the same code for all tiles of one kind of multiplication. */
    @ParameterizedTest
    @EnumSource(names = {"M64_N64_K64", "M128_N64_K128", "M128_N64_K128_GROUP"})
    void aSplitSumSpillsNothing(Tile tile) {
        Architecture architecture = tile.byGroup() ? Architecture.SM_90A : Architecture.SM_80;
        assertAll(check(CONVOLUTION, new GemmTactic(tile, 3), architecture));
    }

    private static void requireTensorCores(Architecture architecture, IntStream splits) {
        int[] parts = splits.toArray();
        List<Executable> checks =
                Arrays.stream(Tile.values())
                        .filter(tile -> fits(tile, architecture))
                        .parallel()
                        .flatMap(
                                tile ->
                                        IntStream.of(parts)
                                                .mapToObj(count -> new GemmTactic(tile, count)))
                        .filter(tactic -> tactic.suits(CONVOLUTION))
                        .map(tactic -> check(CONVOLUTION, tactic, architecture))
                        .toList();
        assertTrue(checks.size() >= 4, () -> checks.size() + " tiles for " + architecture);
        assertAll(checks);
    }

    private static boolean fits(Tile tile, Architecture architecture) {
        return tile.suits(architecture)
                && tile.sharedBytes(architecture, false) <= architecture.sharedBytes();
    }

    /**
     * Products whose windows, padding or results take registers that {@link #CONVOLUTION}'s do not.
     */
    static Stream<GemmProblem> products() {
        GemmProblem dilated =
                GemmCases.convolution(
                        GemmCases.image(48, 15, 17),
                        new Window(
                                new Extent(3, 5),
                                new Extent(2, 1),
                                new Extent(1, 2),
                                new Extent(1, 4),
                                new Extent(2, 3)),
                        FILTERS - 12);
        return Stream.of(
                GemmCases.withInput(dilated, GemmCases.params(GemmCases.INT8, 7))
                        .withResidual(GemmCases.residual(FILTERS - 12)),
                GemmCases.withOutput(
                        GemmCases.convolution(
                                GemmCases.image(FILTERS, 14, 14),
                                GemmCases.window(3, 1, 1),
                                FILTERS),
                        new Output.Floats()),
                GemmCases.withInput(
                        GemmCases.convolution(
                                GemmCases.image(3, 224, 224).withPitch(4),
                                GemmCases.window(7, 2, 3),
                                FILTERS),
                        GemmCases.params(GemmCases.UINT8, 7)));
    }

    @Test
    void groupsOfWarpsSpillNothingInADilatedWindow() {
        requireNoSpills(products().findFirst().orElseThrow());
    }

    @Tag("thorough")
    @ParameterizedTest
    @MethodSource("products")
    void groupsOfWarpsSpillNothingWhateverTheyMultiply(GemmProblem problem) {
        requireNoSpills(problem);
    }

    private static void requireNoSpills(GemmProblem problem) {
        assertAll(
                Arrays.stream(Tile.values())
                        .filter(tile -> tile.byGroup() && tile.suits(problem))
                        .parallel()
                        .map(tile -> check(problem, new GemmTactic(tile, 1), Architecture.SM_90A))
                        .toList());
    }

    @Test
    void layersOfTwoKindsSpillNothing() {
        requireNoSpillsOfTwoKinds(Architecture.SM_90A);
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource
    void layersOfTwoKindsSpillNothingAnywhere(Architecture architecture) {
        requireNoSpillsOfTwoKinds(architecture);
    }

    private static void requireNoSpillsOfTwoKinds(Architecture architecture) {
        GemmProblem first =
                GemmCases.convolution(
                        GemmCases.image(64, 56, 56), GemmCases.window(1, 1, 0), FILTERS);
        GemmProblem second = GemmCases.withOutput(first, GemmCases.codes(GemmCases.INT8, 5));
        GemmProblem problem = new StackedLayers(List.of(first, second)).problem();
        assertAll(
                Arrays.stream(Tile.values())
                        .filter(tile -> fits(tile, architecture))
                        .filter(tile -> tile.blockRows() * tile.blockColumns() >= LARGE)
                        .parallel()
                        .<Executable>map(
                                tile -> check(problem, new GemmTactic(tile, 1), architecture))
                        .toList());
    }

    @Test
    void aPooledStemSpillsNothing() {
        requireNoSpillsOfAPooledStem(Architecture.SM_90A);
    }

    @Tag("thorough")
    @ParameterizedTest
    @EnumSource
    void aPooledStemSpillsNothingAnywhere(Architecture architecture) {
        requireNoSpillsOfAPooledStem(architecture);
    }

    private static void requireNoSpillsOfAPooledStem(Architecture architecture) {
        GemmProblem problem =
                GemmCases.convolution(
                                GemmCases.image(3, 224, 224).withPitch(4),
                                GemmCases.window(7, 2, 3),
                                64)
                        .withPool(GemmCases.window(3, 2, 1));
        assertAll(
                Arrays.stream(Tile.values())
                        .filter(tile -> fits(tile, architecture) && tile.suits(problem))
                        .filter(tile -> tile.blockRows() * tile.blockColumns() >= LARGE)
                        .parallel()
                        .<Executable>map(
                                tile -> check(problem, new GemmTactic(tile, 1), architecture))
                        .toList());
    }

    private static Executable check(
            GemmProblem problem, GemmTactic tactic, Architecture architecture) {
        Tile tile = tactic.tile();
        KernelSpec spec = GemmKernel.of(problem, tactic, architecture);
        CompiledCuda compiled = CompiledKernels.compile(spec, architecture);
        CubinInspection found = CubinInspection.of(compiled.cubin()).get(spec.entry());
        String what = tactic + " for " + architecture + ": " + found + "\n" + compiled.log();
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
