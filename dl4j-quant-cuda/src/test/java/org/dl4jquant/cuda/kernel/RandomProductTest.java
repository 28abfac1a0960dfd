// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

/** Any product, any tile, any schedule. */
class RandomProductTest {

    private static final int TRIES = 30;
    private static final int MANY_TRIES = 1000;
    private static final List<Tile> TILES = List.of(Tile.values());
    private static final Architecture[] ARCHITECTURES = {
        Architecture.SM_75, Architecture.SM_80, Architecture.SM_90A, Architecture.SM_90A
    };
    private static final int[] CHANNELS = {1, 3, 4, 16, 17, 48, 64, 80, 130};
    private static final int[] FILTERS = {1, 10, 16, 31, 64, 65, 130};

    @Property(tries = TRIES, shrinking = ShrinkingMode.OFF)
    void aRandomProductIsExact(@ForAll("seeds") long seed) {
        requireExact(seed);
    }

    @Tag("thorough")
    @Property(tries = MANY_TRIES, shrinking = ShrinkingMode.OFF)
    void eachOfManyRandomProductsIsExact(@ForAll("seeds") long seed) {
        requireExact(seed);
    }

    private static void requireExact(long seed) {
        Random random = new Random(seed);
        Architecture architecture = ARCHITECTURES[random.nextInt(ARCHITECTURES.length)];
        Tile tile = TILES.get(random.nextInt(TILES.size()));
        boolean packed = random.nextInt(4) == 0;
        GemmProblem problem = problem(random, packed);
        if (!tile.suits(architecture) || !tile.suits(problem)) {
            tile = Tile.M64_N64_K64;
        }
        GemmTactic tactic = new GemmTactic(tile, 1 + random.nextInt(4));
        tactic = tactic.suits(problem) ? tactic : new GemmTactic(tile, 1);
        GemmTrial trial =
                GemmTrial.convolution(
                        problem, CodeRange.narrow(packed ? 4 : 8), 1 + random.nextInt(3), seed);
        assertEquals(
                Optional.empty(),
                trial.fault(EmulatedKernels.available(), tactic, architecture, seed),
                trial.problem() + " with " + tactic);
    }

    @Provide
    Arbitrary<Long> seeds() {
        return Arbitraries.longs().between(0, Long.MAX_VALUE);
    }

    private static GemmProblem problem(Random random, boolean packed) {
        Window window = window(random);
        int channels = CHANNELS[random.nextInt(CHANNELS.length)];
        int pitch = channels <= 4 && random.nextBoolean() ? 4 : ImageLayout.padded(channels);
        ImageLayout image =
                new ImageLayout(
                        channels, size(random, window, true), size(random, window, false), pitch);
        int filters = FILTERS[random.nextInt(FILTERS.length)];
        boolean floats = random.nextInt(5) == 0;
        Output output = floats ? new Output.Floats() : codes(random);
        GemmProblem plain = GemmProblem.plain(image, params(random), window, filters, output);
        GemmProblem problem = packed ? plain.withPackedWeights() : plain;
        return floats || random.nextBoolean()
                ? problem
                : problem.withResidual(residual(random, filters));
    }

    private static Residual residual(Random random, int filters) {
        return new Residual(
                params(random), ImageLayout.padded(filters), random.nextBoolean(), codes(random));
    }

    private static Window window(Random random) {
        return new Window(
                new Extent(1 + random.nextInt(3), 1 + random.nextInt(3)),
                new Extent(1 + random.nextInt(2), 1 + random.nextInt(2)),
                new Extent(1 + random.nextInt(2), 1 + random.nextInt(2)),
                new Extent(random.nextInt(3), random.nextInt(3)),
                new Extent(random.nextInt(3), random.nextInt(3)));
    }

    private static int size(Random random, Window window, boolean height) {
        int kernel = height ? window.kernel().height() : window.kernel().width();
        int dilation = height ? window.dilation().height() : window.dilation().width();
        return dilation * (kernel - 1) + 1 + random.nextInt(8);
    }

    private static QuantParams params(Random random) {
        CodeRange range = random.nextBoolean() ? GemmCases.UINT8 : GemmCases.INT8;
        boolean symmetric = random.nextBoolean();
        int zeroPoint = symmetric ? 0 : range.min() + random.nextInt(256);
        return GemmCases.params(range, zeroPoint);
    }

    private static Output.Codes codes(Random random) {
        QuantParams params = params(random);
        int least = random.nextBoolean() ? params.range().min() : params.range().min() + 20;
        return new Output.Codes(params, new CodeRange(least, params.range().max()));
    }
}
