// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The products' kernel under the shim, for both ways of loading, against the reference engine. */
@Execution(ExecutionMode.CONCURRENT)
class GemmKernelTest {

    private static final Tile SMALL = Tile.M64_N64_K64;
    private static final Tile GROUP = Tile.M64_N64_K128_GROUP;
    private static final int SCHEDULES = 3;

    static Stream<Arguments> tiles() {
        return tiles(Architecture.SM_80);
    }

    static Stream<Arguments> tilesOfTuring() {
        return tiles(Architecture.SM_75);
    }

    private static Stream<Arguments> tiles(Architecture architecture) {
        return Stream.of(Tile.values())
                .filter(tile -> tile.suits(architecture))
                .map(tile -> Arguments.of(tile, architecture));
    }

    static Stream<Arguments> tilesOfBytes() {
        return Stream.concat(
                tiles(),
                Stream.of(Tile.values())
                        .filter(Tile::byGroup)
                        .map(tile -> Arguments.of(tile, Architecture.SM_90A)));
    }

    private static void requireEqual(GemmTrial trial, Tile tile, Architecture architecture) {
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            assertEquals(
                    Optional.empty(),
                    trial.fault(EmulatedKernels.available(), tile, architecture, schedule),
                    trial.problem() + " with " + tile + ", " + architecture.target());
        }
    }

    private static void requireEqual(GemmTrial trial) {
        requireEqual(trial, SMALL, Architecture.SM_75);
        requireEqual(trial, SMALL, Architecture.SM_80);
        if (GROUP.suits(trial.problem())) {
            requireEqual(trial, GROUP, Architecture.SM_90A);
        }
    }

    @ParameterizedTest
    @MethodSource("tilesOfBytes")
    void aTileWithTailsEverywhereIsExact(Tile tile, Architecture architecture) {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(23, 7, 9), GemmCases.window(3, 1, 1), 50)
                        .withResidual(GemmCases.residual(50));
        GemmTrial trial = GemmTrial.convolution(problem, GemmCases.NARROW, 2, 1);
        requireEqual(trial, tile, architecture);
        assertEquals(0, trial.extraPhases(tile, architecture), "bank conflicts");
    }

    @Tag("thorough")
    @ParameterizedTest
    @MethodSource("tilesOfTuring")
    void aTileOfATuringGpuIsExact(Tile tile, Architecture architecture) {
        aTileWithTailsEverywhereIsExact(tile, architecture);
        aTileOfPackedWeightsIsExact(tile, architecture);
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void aTileOfPackedWeightsIsExact(Tile tile, Architecture architecture) {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(40, 5, 6), GemmCases.window(3, 1, 1), 70)
                        .withPackedWeights();
        if (!tile.fetchesPacked()) {
            assertEquals(
                    "tile "
                            + tile
                            + " has too few packed weights for its threads; choose another, or"
                            + " leave the weights unpacked",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> GemmKernel.of(problem, tile, architecture))
                            .getMessage());
            return;
        }
        GemmTrial trial = GemmTrial.convolution(problem, CodeRange.narrow(4), 2, 2);
        requireEqual(trial, tile, architecture);
        assertEquals(0, trial.extraPhases(tile, architecture), "bank conflicts");
    }

    /** One to nine tiles along the sum: every remainder by the number of stages, and none full. */
    static IntStream depths() {
        return IntStream.rangeClosed(1, 9);
    }

    private static GemmTrial ofDepth(int tiles) {
        GemmProblem problem =
                GemmCases.convolution(
                        GemmCases.image(64 * tiles - 30, 3, 3), GemmCases.window(1, 1, 0), 20);
        return GemmTrial.convolution(problem, GemmCases.NARROW, 2, tiles);
    }

    /** One tile of each number of stages, for each kind of loop. */
    @ParameterizedTest
    @CsvSource({
        "SM_75, M64_N64_K64, 2",
        "SM_80, M64_N64_K64, 5",
        "SM_80, M16_N64_K128, 4",
        "SM_90A, M128_N128_K128_GROUP, 3",
        "SM_90A, M64_N64_K128_GROUP, 4"
    })
    void everyNumberOfTilesUpToTheStagesIsExact(Architecture architecture, Tile tile, int stages) {
        assertEquals(stages, tile.stages(architecture));
        for (int tiles = 1; tiles <= stages + 1; tiles++) {
            requireEqual(ofDepth(tiles * tile.depth() / 64), tile, architecture);
        }
    }

    @Tag("thorough")
    @ParameterizedTest
    @MethodSource("depths")
    void everyNumberOfTilesAlongTheSumIsExact(int tiles) {
        GemmTrial trial = ofDepth(tiles);
        requireEqual(trial); // with 5, 2 and 4 stages
        if (tiles % 2 == 0) {
            requireEqual(
                    trial, Tile.M16_N64_K128, Architecture.SM_80); // with 4, half as many tiles
        }
        requireEqual(trial, Tile.M128_N128_K128_GROUP, Architecture.SM_90A); // with 3
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 255})
    void paddingIsTheInputsZeroPoint(int zeroPoint) {
        GemmProblem plain =
                GemmCases.convolution(GemmCases.image(5, 6, 5), GemmCases.window(3, 2, 2), 9);
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.withInput(plain, GemmCases.params(GemmCases.UINT8, zeroPoint)),
                        GemmCases.NARROW,
                        3,
                        zeroPoint));
    }

    @ParameterizedTest
    @ValueSource(ints = {-128, -3, 0, 127})
    void signedCodesAreExact(int zeroPoint) {
        GemmProblem plain =
                GemmCases.withOutput(
                        GemmCases.convolution(
                                GemmCases.image(17, 4, 6), GemmCases.window(3, 1, 1), 20),
                        GemmCases.codes(GemmCases.INT8, -zeroPoint / 2));
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.withInput(plain, GemmCases.params(GemmCases.INT8, zeroPoint)),
                        GemmCases.NARROW,
                        2,
                        zeroPoint));
    }

    @Test
    void unevenWindowsAreExact() {
        Window window =
                new Window(
                        new Extent(2, 3),
                        new Extent(2, 1),
                        new Extent(3, 2),
                        new Extent(0, 3),
                        new Extent(4, 0));
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.convolution(GemmCases.image(18, 9, 7), window, 33),
                        GemmCases.NARROW,
                        2,
                        5));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResidualIsAddedToRoundedCodes(boolean right) {
        GemmProblem plain =
                GemmCases.withOutput(
                        GemmCases.convolution(
                                GemmCases.image(32, 5, 5), GemmCases.window(1, 1, 0), 24),
                        GemmCases.codes(GemmCases.INT8, 5));
        for (CodeRange sum : new CodeRange[] {GemmCases.INT8, GemmCases.UINT8}) {
            for (CodeRange other : new CodeRange[] {GemmCases.INT8, GemmCases.UINT8}) {
                Residual residual =
                        new Residual(
                                GemmCases.params(other, 7), 48, right, GemmCases.codes(sum, 11));
                requireEqual(
                        GemmTrial.convolution(plain.withResidual(residual), GemmCases.NARROW, 3, 6),
                        SMALL,
                        Architecture.SM_80);
            }
        }
    }

    @Test
    void aClampInsideTheRangeHolds() {
        Output.Codes relu6 =
                new Output.Codes(GemmCases.params(GemmCases.INT8, -20), new CodeRange(-20, 60));
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.withOutput(
                                GemmCases.convolution(
                                        GemmCases.image(16, 4, 4), GemmCases.window(2, 1, 0), 16),
                                relu6),
                        GemmCases.NARROW,
                        2,
                        7));
    }

    @Test
    void aDenseLayerReadsTheImageThatTheGraphFlattens() {
        requireEqual(
                GemmTrial.dense(
                        GemmCases.dense(
                                GemmCases.image(10, 3, 4), 37, GemmCases.codes(GemmCases.INT8, 0)),
                        GemmCases.NARROW,
                        5,
                        8));
        requireEqual(
                GemmTrial.dense(
                        GemmCases.dense(GemmCases.image(100, 1, 1), 10, new Output.Floats()),
                        GemmCases.NARROW,
                        70,
                        9));
    }

    @Test
    void floatValuesLeaveInTheGraphsOrder() {
        GemmProblem problem =
                GemmCases.withOutput(
                        GemmCases.convolution(
                                GemmCases.image(16, 9, 8), GemmCases.window(3, 1, 0), 19),
                        new Output.Floats());
        requireEqual(GemmTrial.convolution(problem, GemmCases.NARROW, 3, 10));
        requireEqual(
                GemmTrial.convolution(problem.withPackedWeights(), CodeRange.narrow(4), 3, 10));
    }

    @Test
    void slicesOfWiderBuffersAreReadAndWritten() {
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.convolution(
                                        GemmCases.image(20, 5, 5).withPitch(64),
                                        GemmCases.window(3, 1, 1),
                                        30)
                                .withOutputPitch(80),
                        GemmCases.NARROW,
                        2,
                        11));
    }

    @ParameterizedTest
    @CsvSource({"1, 5", "2, 3", "3, 7", "4, 1"})
    void aFirstLayerReadsPixelsOfFourBytes(int channels, int kernel) {
        GemmProblem plain =
                GemmCases.convolution(
                        GemmCases.image(channels, 11, 13).withPitch(4),
                        GemmCases.window(kernel, 2, kernel / 2),
                        30);
        int zeroPoint = 128 * (kernel / 2 % 2);
        requireEqual(
                GemmTrial.convolution(
                        GemmCases.withInput(plain, GemmCases.params(GemmCases.UINT8, zeroPoint)),
                        GemmCases.NARROW,
                        2,
                        kernel));
    }

    @Tag("thorough")
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void aFirstLayerOfAnyWindowReadsPixelsOfFourBytes(int channels) {
        for (int kernel = 1; kernel <= 7; kernel += 2) {
            aFirstLayerReadsPixelsOfFourBytes(channels, kernel);
        }
    }

    @Test
    void refusesATileThatATuringGpuHasNoRegistersFor() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 4, 4), GemmCases.window(1, 1, 0), 16);
        assertEquals(
                "tile M128_N128_K64_WIDE needs more registers than a thread of sm_75 has; choose"
                        + " another",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        GemmKernel.of(
                                                problem,
                                                Tile.M128_N128_K64_WIDE,
                                                Architecture.SM_75))
                        .getMessage());
    }

    @Test
    void refusesGroupsOfWarpsWhereTheyDoNotMultiply() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 4, 4), GemmCases.window(1, 1, 0), 16);
        assertEquals(
                "tile M64_N64_K128_GROUP is multiplied by groups of warps, which sm_90 cannot;"
                        + " choose another, or compile for sm_90a",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> GemmKernel.of(problem, GROUP, Architecture.SM_90))
                        .getMessage());
        assertEquals(
                "tile M64_N64_K128_GROUP is multiplied by groups of warps, which read weights of"
                        + " one byte; choose another, or leave the weights unpacked",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        GemmKernel.of(
                                                problem.withPackedWeights(),
                                                GROUP,
                                                Architecture.SM_90A))
                        .getMessage());
        GemmProblem first =
                GemmCases.convolution(
                        GemmCases.image(3, 4, 4).withPitch(4), GemmCases.window(1, 1, 0), 16);
        assertEquals(
                "tile M256_N192_K128_GROUP leaves no registers for pixels of 4 bytes; choose"
                        + " another",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        GemmKernel.of(
                                                first,
                                                Tile.M256_N192_K128_GROUP,
                                                Architecture.SM_90A))
                        .getMessage());
    }

    @Test
    void everyTileFitsTheSharedMemoryOfWhatItSuits() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 4, 4), GemmCases.window(1, 1, 0), 16);
        for (Architecture architecture : Architecture.values()) {
            for (Tile tile : Tile.values()) {
                if (tile.suits(architecture)) {
                    KernelSpec spec = GemmKernel.of(problem, tile, architecture);
                    assertEquals(1, spec.launch().columns());
                    assertEquals(tile.threads(), spec.launch().threads());
                }
            }
        }
    }
}
