// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.LongRange;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolutions that are pooled before they are stored, under the shim, and faults in them. */
@Execution(ExecutionMode.CONCURRENT)
class PooledProductTest {

    private static final int TRIES = 16;
    private static final int MANY_TRIES = 500;
    private static final int SCHEDULES = 2;
    private static final Tile SMALL = Tile.M64_N64_K64;
    private static final Tile GROUP = Tile.M128_N64_K128_GROUP;
    private static final List<Tile> TILES = List.of(Tile.values());
    private static final Architecture[] ARCHITECTURES = {
        Architecture.SM_75, Architecture.SM_80, Architecture.SM_90A, Architecture.SM_90A
    };

    private static Window pool(int kernel, int stride, int before, int after) {
        return new Window(
                Extent.square(kernel),
                Extent.square(stride),
                Extent.ONE,
                Extent.square(before),
                Extent.square(after));
    }

    /* As the first layers of a ResNet, with tails on all sides and codes of both signs. */
    private static GemmTrial stem() {
        GemmProblem problem =
                GemmCases.withOutput(
                        GemmCases.convolution(
                                GemmCases.image(3, 41, 49).withPitch(4),
                                GemmCases.window(7, 2, 3),
                                70),
                        GemmCases.codes(GemmCases.INT8, 0));
        return GemmTrial.convolution(problem.withPool(pool(3, 2, 1, 1)), GemmCases.NARROW, 2, 1);
    }

    /* Five tiles along the sum, so that the last lies where the codes are staged. */
    private static GemmTrial deep() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(300, 11, 9), GemmCases.window(1, 1, 0), 20);
        return GemmTrial.convolution(problem.withPool(pool(3, 2, 1, 1)), GemmCases.NARROW, 2, 1);
    }

    /* Where a window has pixels outside, it need not have those at the border. */
    private static GemmTrial dilated() {
        Window pool =
                new Window(
                        Extent.square(3),
                        Extent.square(2),
                        Extent.square(2),
                        Extent.ONE,
                        Extent.square(2));
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 11, 9), GemmCases.window(1, 1, 0), 20)
                        .withPool(pool);
        return GemmTrial.convolution(problem, GemmCases.NARROW, 2, 1);
    }

    static Stream<Tile> tiles() {
        return Stream.of(Tile.values()).filter(tile -> tile.suits(stem().problem()));
    }

    @ParameterizedTest
    @MethodSource("tiles")
    void aPooledStemIsExact(Tile tile) {
        requireEqual(stem(), tile, tile.byGroup() ? Architecture.SM_90A : Architecture.SM_80);
    }

    @ParameterizedTest
    @CsvSource({
        "2, 2, 0, 0, 12, 12", "2, 2, 0, 0, 13, 11", "3, 2, 1, 1, 13, 10", "3, 2, 0, 0, 9, 16",
        "3, 1, 1, 1, 6, 7", "3, 2, 0, 1, 12, 12", "1, 2, 0, 0, 7, 9", "5, 3, 2, 4, 10, 17"
    })
    void aPoolIsExact(int kernel, int stride, int before, int after, int height, int width) {
        GemmProblem problem =
                GemmCases.convolution(
                                GemmCases.image(20, height, width), GemmCases.window(3, 1, 1), 40)
                        .withPool(pool(kernel, stride, before, after));
        GemmTrial trial = GemmTrial.convolution(problem, GemmCases.NARROW, 3, kernel);
        requireEqual(trial, SMALL, Architecture.SM_75);
        requireEqual(trial, SMALL, Architecture.SM_80);
    }

    private static void requireEqual(GemmTrial trial, Tile tile, Architecture architecture) {
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            assertEquals(
                    Optional.empty(),
                    trial.fault(EmulatedKernels.available(), tile, architecture, schedule),
                    trial.problem() + " with " + tile);
        }
    }

    @Property(tries = TRIES, shrinking = ShrinkingMode.OFF)
    void aRandomPooledProductIsExact(@ForAll @LongRange(min = 0) long seed) {
        requireExact(seed);
    }

    @Tag("thorough")
    @Property(tries = MANY_TRIES, shrinking = ShrinkingMode.OFF)
    void eachOfManyRandomPooledProductsIsExact(@ForAll @LongRange(min = 0) long seed) {
        requireExact(seed);
    }

    private static void requireExact(long seed) {
        Random random = new Random(seed);
        Architecture architecture = ARCHITECTURES[random.nextInt(ARCHITECTURES.length)];
        Tile tile = TILES.get(random.nextInt(TILES.size()));
        GemmProblem problem = problem(random);
        if (!tile.suits(architecture) || !tile.suits(problem)) {
            tile = SMALL;
        }
        GemmTactic tactic = new GemmTactic(tile, 1 + random.nextInt(3));
        tactic = tactic.suits(problem) ? tactic : new GemmTactic(tile, 1);
        GemmTrial trial =
                GemmTrial.convolution(problem, GemmCases.NARROW, 1 + random.nextInt(3), seed);
        assertEquals(
                Optional.empty(),
                trial.fault(EmulatedKernels.available(), tactic, architecture, seed),
                trial.problem() + " with " + tactic);
    }

    private static GemmProblem problem(Random random) {
        Window window = window(random, 1 + random.nextInt(2));
        int channels = 1 + random.nextInt(40);
        int pitch = channels <= 4 ? ImageLayout.SMALL_PITCH : ImageLayout.padded(channels);
        ImageLayout image =
                new ImageLayout(channels, 9 + random.nextInt(16), 9 + random.nextInt(16), pitch);
        boolean signed = random.nextBoolean();
        CodeRange range = signed ? GemmCases.INT8 : GemmCases.UINT8;
        int zero = range.min() + random.nextInt(256) * random.nextInt(2);
        Output.Codes codes =
                new Output.Codes(
                        GemmCases.params(range, zero), new CodeRange(range.min(), range.max() - 9));
        GemmProblem plain =
                GemmCases.withOutput(
                        GemmCases.convolution(image, window, 1 + random.nextInt(80)), codes);
        return plain.withPool(window(random, 1 + random.nextInt(3)));
    }

    private static Window window(Random random, int stride) {
        Extent kernel = new Extent(1 + random.nextInt(3), 1 + random.nextInt(3));
        return new Window(
                kernel,
                Extent.square(stride),
                new Extent(1 + random.nextInt(2), 1),
                new Extent(random.nextInt(kernel.height()), random.nextInt(kernel.width())),
                new Extent(random.nextInt(kernel.height()), random.nextInt(kernel.width())));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "x * QK_POOL_STRIDE_WIDTH - QK_POOL_PAD_LEFT | x * QK_POOL_STRIDE_WIDTH",
                "y * QK_POOL_STRIDE_HEIGHT - QK_POOL_PAD_TOP | y * QK_POOL_STRIDE_HEIGHT",
                "QK_POOL_DILATION_HEIGHT == 1 | QK_POOL_DILATION_HEIGHT > 0",
                "QK_POOL_DILATION_WIDTH == 1 | QK_POOL_DILATION_WIDTH > 0",
                "under.x + x < QK_OUT_WIDTH | under.x + x <= QK_OUT_WIDTH + 1",
                "under.y + y < QK_OUT_HEIGHT | under.y + y + 1 < QK_OUT_HEIGHT",
                "AREA_WIDTH + x) * RESULT | (AREA_WIDTH - 1) + x) * RESULT",
                "i < QK_POOL_KERNEL_HEIGHT; | i < QK_POOL_KERNEL_HEIGHT - 1;",
                "j < QK_POOL_KERNEL_WIDTH; | j < QK_POOL_KERNEL_WIDTH - 1;",
                "? 0 : 0x80808080u | ? 0 : 0",
                "larger_codes<QK_OUT_UNSIGNED> | larger_codes<!QK_OUT_UNSIGNED>",
                "larger_pair<QK_OUT_UNSIGNED>(even, | larger_pair<!QK_OUT_UNSIGNED>(even,",
                "codes << 8) | codes)",
                "0x7351 | 0x6351",
                "x < QK_POOLED_WIDTH | x <= QK_POOLED_WIDTH",
                "y < QK_POOLED_HEIGHT && | y <= QK_POOLED_HEIGHT &&",
                "TILES_ACROSS % TILES_DOWN) | TILES_DOWN % TILES_ACROSS)",
                "(QK_POOL_KERNEL_WIDTH - 1) | (QK_POOL_KERNEL_WIDTH - 2)",
                "at < size ? at : size - 1 | at < size ? at : size",
                "in_tile_x * QK_POOL_STRIDE_WIDTH, i | in_tile_x, i",
                "STRIDE_WIDTH, i % WORDS * 4) | STRIDE_WIDTH, 0)",
                "in_block % AREA_WIDTH | in_block % (AREA_WIDTH + 1)"
            })
    void aMutantIsSeen(String from, String to) {
        requireSeen(from, to);
    }

    @Test
    void barriersThatAreMissingAreSeen() {
        String first = "sync_threads();  // the last tile is still being read";
        requireSeen(first, "");
        requireSeen(
                "stage_codes(sums, multipliers);\n    sync_threads();",
                "stage_codes(sums, multipliers);");
    }

    private static void requireSeen(String from, String to) {
        EmulatedKernels mutated =
                EmulatedKernels.available().edited(source -> source.replace(from, to));
        assertTrue(
                shows(mutated, stem(), SMALL, Architecture.SM_80)
                        || shows(mutated, deep(), SMALL, Architecture.SM_80)
                        || shows(mutated, dilated(), SMALL, Architecture.SM_80)
                        || shows(mutated, stem(), GROUP, Architecture.SM_90A),
                from + " went unnoticed");
    }

    private static boolean shows(
            EmulatedKernels kernels, GemmTrial trial, Tile tile, Architecture architecture) {
        return LongStream.range(0, 4 * SCHEDULES)
                .anyMatch(
                        schedule -> trial.fault(kernels, tile, architecture, schedule).isPresent());
    }

    @Test
    void theTilesOfAPoolAreLargeAndNearlySquare() {
        GemmProblem stem =
                GemmCases.convolution(
                                GemmCases.image(3, 224, 224).withPitch(4),
                                GemmCases.window(7, 2, 3),
                                64)
                        .withPool(pool(3, 2, 1, 1));
        assertEquals(new Extent(56, 56), stem.stored());
        // 15 x 17 pixels of 256, 56 of 3,136 pooled ones.
        assertEquals(Optional.of(new PoolTile(7, 8)), PoolTile.of(stem, 256));
        assertEquals(56, PoolTile.of(stem, 256).orElseThrow().count(stem.stored()));
        assertEquals(Optional.empty(), PoolTile.of(stem.withPool(pool(5, 2, 1, 1)), 16));
    }

    @Test
    void refusesATileThatIsSmallerThanAWindow() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 9, 9), GemmCases.window(1, 1, 0), 16)
                        .withPool(pool(5, 1, 0, 0));
        assertEquals(
                "tile M16_N64_K128 has fewer pixels than a window of the pool; choose another",
                refusal(() -> GemmKernel.of(problem, Tile.M16_N64_K128, Architecture.SM_80)));
    }

    @Test
    void refusesToPoolWhatIsNoCodesOfOneKind() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(16, 9, 9), GemmCases.window(1, 1, 0), 16);
        assertEquals(
                "a product that is pooled has codes of one kind, and no residual",
                refusal(
                        () ->
                                problem.withResidual(GemmCases.residual(16))
                                        .withPool(pool(2, 2, 0, 0))));
    }

    private static String refusal(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    @Test
    void thePooledCodesAreAllThatIsStored() {
        GemmProblem plain =
                GemmCases.convolution(GemmCases.image(16, 8, 8), GemmCases.window(1, 1, 0), 32);
        KernelCost all = cost(plain);
        KernelCost pooled = cost(plain.withPool(pool(2, 2, 0, 0)));
        assertEquals(all.operations(), pooled.operations());
        assertEquals(all.bytes() - (64 - 16) * 32, pooled.bytes());
    }

    private static KernelCost cost(GemmProblem problem) {
        return KernelCost.of(GemmKernel.of(problem, SMALL, Architecture.SM_80));
    }
}
