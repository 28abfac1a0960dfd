// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Window;

/*
 * A multiprocessor that has `each` blocks to do, `resident` of them at a time, is busy for the longest of
 *
 *   each * multiplications of a block / multiplications a cycle
 *   each * bytes that a block fetches / bytes a cycle
 *   rounds * latency of a block, with rounds = each / resident, rounded up
 *
 * and then for the epilogues. The numbers of an architecture are those of its best known chip (T4, A100, A10, L4, H100), by data sheet; the
 * latencies are round numbers. None is measured: the model has to order the tiles, not to predict times.
 */
/** Chooses a tile without a device, by an estimate of the cycles that each would take. */
public final class TileModel {

    /** What one kind of work delays the other, although they overlap. */
    private static final double UNHIDDEN = 0.2;

    private static final double FETCH_LATENCY = 800;
    private static final double TILE_LATENCY = 120;
    private static final double START_LATENCY = 1500;
    private static final double RESULTS_A_CYCLE = 16;
    private static final double BYTES_A_CYCLE = 40;
    private static final int GROUP_STEP = 32;
    private static final int[] SPLITS = {1, 2, 3, 4, 6, 8, 12, 16};

    /* A fence, a ticket and reading the sums again; and adding to the second-level cache. */
    private static final double JOIN_LATENCY = 2500;
    private static final double JOINED_A_CYCLE = 24;
    private static final int THREADS_OF_PROCESSOR = 1024;

    private final Architecture architecture;
    private final ToLongFunction<Tile> down;
    private final double compared;
    private final long columns;
    private final long sumBytes;
    private final boolean packed;

    private TileModel(
            Architecture architecture,
            ToLongFunction<Tile> down,
            double compared,
            int filters,
            long sumBytes,
            boolean packed) {
        this.architecture = architecture;
        this.down = down;
        this.compared = compared;
        this.columns = ImageLayout.padded(filters);
        this.sumBytes = sumBytes;
        this.packed = packed;
    }

    private static TileModel of(GemmProblem problem, Architecture architecture, int examples) {
        Require.argument(examples >= 1, "a tile for %d examples", examples);
        return new TileModel(
                architecture,
                tile ->
                        over(
                                GemmTactic.unitsOf(problem, tile) * examples,
                                GemmTactic.unitsOfBlock(problem, tile)),
                problem.pool() == null ? 0 : compared(problem.pool()),
                problem.filters(),
                (long) problem.window().kernel().height() * problem.weightsOfRow(),
                problem.packedWeights());
    }

    /**
     * {@return the tile with the least estimated time; every tile gives the same codes}
     *
     * @param problem the product
     * @param architecture what the kernel is compiled for
     * @param examples the batch that it is mostly run with
     */
    public static Tile best(GemmProblem problem, Architecture architecture, int examples) {
        TileModel model = of(problem, architecture, examples);
        return Stream.of(Tile.values())
                .filter(tile -> tile.suits(architecture) && tile.suits(problem))
                .min(Comparator.comparingDouble(tile -> model.cycles(tile, 1)))
                .orElseThrow();
    }

    /**
     * {@return the tactics that suit, the one with the least estimated time first}
     *
     * @param problem the product
     * @param architecture what the kernel is compiled for
     * @param examples the batch
     */
    public static List<Estimate> ranking(
            GemmProblem problem, Architecture architecture, int examples) {
        TileModel model = of(problem, architecture, examples);
        List<Estimate> ranking = new ArrayList<>();
        for (Tile tile : Tile.values()) {
            if (!tile.suits(architecture) || !tile.suits(problem)) {
                continue;
            }
            for (int splits : SPLITS) {
                GemmTactic tactic = new GemmTactic(tile, splits);
                long tiles =
                        model.down.applyAsLong(tile) * over(model.columns, tile.blockColumns());
                if (splits == 1
                        || (tactic.suits(problem)
                                && tiles < model.processors()
                                && GemmKernel.of(problem, tactic, architecture)
                                                .launch()
                                                .mostExamples()
                                        >= examples)) {
                    ranking.add(new Estimate(problem, tactic, model.cycles(tile, splits)));
                }
            }
        }
        ranking.sort(Comparator.comparingDouble(Estimate::cycles));
        return ranking;
    }

    /**
     * What a tactic is believed to take.
     *
     * @param problem the product
     * @param tactic how it is computed
     * @param cycles of a multiprocessor
     */
    public record Estimate(GemmProblem problem, GemmTactic tactic, double cycles) {}

    /**
     * {@return the estimated time of a product's kernel in cycles of a multiprocessor}
     *
     * @param kernel one that {@link GemmKernel} made
     * @param architecture what it is compiled for
     * @param examples the batch
     */
    public static double cycles(KernelSpec kernel, Architecture architecture, int examples) {
        KernelConstants constants = new KernelConstants(kernel);
        Tile tile =
                Stream.of(Tile.values())
                        .filter(each -> each.byGroup() == constants.is("BY_GROUP"))
                        .filter(each -> each.blockRows() == constants.of("BLOCK_M"))
                        .filter(each -> each.blockColumns() == constants.of("BLOCK_N"))
                        .filter(each -> each.depth() == constants.of("BLOCK_K"))
                        .filter(each -> each.warpColumns() == constants.of("WARP_N"))
                        .findFirst()
                        .orElseThrow();
        long pixel = Math.min(constants.of("CHANNELS"), constants.of("IN_PITCH"));
        return new TileModel(
                        architecture,
                        any ->
                                over(
                                        kernel.launch().unitsPerExample() * examples,
                                        kernel.launch().unitsPerBlock()),
                        constants.is("POOL") ? compared(constants) : 0,
                        Math.toIntExact(constants.of("FILTERS")),
                        constants.area("KERNEL_") * pixel,
                        constants.is("PACKED_WEIGHTS"))
                .cycles(tile, Math.toIntExact(constants.of("SPLITS")));
    }

    private double cycles(Tile tile, int splits) {
        long blocks = down.applyAsLong(tile) * over(columns, tile.blockColumns()) * splits;
        long each = over(blocks, processors());
        long steps = over(over(sumBytes, tile.depth()), splits);
        double part = Math.min((double) sumBytes, (double) steps * tile.depth());
        int shared = tile.sharedBytes(architecture, packed);
        int resident =
                Math.max(
                        1,
                        Math.min(
                                architecture.sharedBytes() / shared,
                                THREADS_OF_PROCESSOR / Math.max(tile.threads(), 256)));
        double results = (double) tile.blockRows() * tile.blockColumns();
        double products = each * multiplied(tile, part) * results / productsACycle(tile);
        double weights = packed ? tile.blockColumns() / 2.0 : tile.blockColumns();
        double bytes = each * part * (tile.blockRows() + weights) / BYTES_A_CYCLE;
        double ahead = tile.stages(architecture) - 1;
        double latency = START_LATENCY + steps * (TILE_LATENCY + FETCH_LATENCY / ahead / 4);
        double rounds = over(each, resident);
        double joined =
                splits == 1 ? 0 : JOIN_LATENCY + each * results * Integer.BYTES / JOINED_A_CYCLE;
        return Math.max(Math.max(products, bytes), rounds * latency)
                + UNHIDDEN * (products + bytes)
                + each * results / RESULTS_A_CYCLE / splits
                + each * results * compared / comparedACycle()
                + joined;
    }

    /* By the instructions for a window of 3 x 3. */
    private double comparedACycle() {
        return architecture.comparesPairs() ? 100 : 48;
    }

    /* Codes that are compared for each one that is computed. */
    private static double compared(Window pool) {
        return (double) pool.kernel().height()
                * pool.kernel().width()
                / (pool.stride().height() * pool.stride().width());
    }

    private static double compared(KernelConstants constants) {
        return (double) constants.area("POOL_KERNEL_") / constants.area("POOL_STRIDE_");
    }

    /* Groups of warps leave out what is beyond the sum; of a warp's tiles the whole is multiplied. */
    private static double multiplied(Tile tile, double part) {
        int step = tile.byGroup() ? GROUP_STEP : tile.depth();
        return Math.ceil(part / step) * step;
    }

    private static long over(long size, long part) {
        return (size + part - 1) / part;
    }

    private int processors() {
        return switch (architecture) {
            case SM_75 -> 40;
            case SM_80 -> 108;
            case SM_86 -> 72;
            case SM_89 -> 58;
            case SM_90, SM_90A -> 132;
        };
    }

    /* mma.sync reaches about 60 % of what Hopper's own instruction does. */
    private double productsACycle(Tile tile) {
        return switch (architecture) {
            case SM_75, SM_86, SM_89 -> 1024;
            case SM_80 -> 2048;
            case SM_90, SM_90A -> tile.byGroup() ? 4096 : 2458;
        };
    }
}
