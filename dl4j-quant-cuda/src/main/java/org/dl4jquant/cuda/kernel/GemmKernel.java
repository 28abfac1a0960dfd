// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;

/**
 * The kernel for a product of matrices: that of {@code igemm.cu}, or that of {@code wgmma.cu} if
 * the tile is multiplied by groups of warps.
 *
 * <p>Arguments: input, weights, bias, multipliers, residual (not read if there is none), output,
 * scratch (not read unless the sum is split), examples. A batch may have at most 2^32 - 1 output
 * pixels, and an input of less than 32 GiB (8 GiB if its pixels are 4 bytes).
 */
public final class GemmKernel {

    private static final String BY_WARP = "igemm.cu";
    private static final String BY_GROUP = "wgmma.cu";
    private static final int BYTE = 0xff;

    private final Constants constants = new Constants();

    private GemmKernel() {}

    /**
     * {@return the kernel}
     *
     * @param problem what it computes
     * @param tile how the product is cut; any gives the same codes
     * @param architecture what it is compiled for
     * @throws IllegalArgumentException if the tile needs an instruction, or more registers or
     *     shared memory, than the architecture has, or if the problem cannot be cut so
     */
    public static KernelSpec of(GemmProblem problem, Tile tile, Architecture architecture) {
        return of(problem, new GemmTactic(tile, 1), architecture);
    }

    /**
     * {@return the kernel}
     *
     * @param problem what it computes
     * @param tactic how the product is cut; any gives the same codes
     * @param architecture what it is compiled for
     * @throws IllegalArgumentException if the tile needs an instruction, or more registers or
     *     shared memory, than the architecture has, or if the problem cannot be cut so
     */
    public static KernelSpec of(GemmProblem problem, GemmTactic tactic, Architecture architecture) {
        Tile tile = tactic.tile();
        Require.argument(
                tile.suits(architecture) || !tile.byGroup(),
                "tile %s is multiplied by groups of warps, which %s cannot; choose another, or"
                        + " compile for sm_90a",
                tile,
                architecture.target());
        Require.argument(
                !(tile.byGroup() && problem.packedWeights()),
                "tile %s is multiplied by groups of warps, which read weights of one byte; choose"
                        + " another, or leave the weights unpacked",
                tile);
        Require.argument(
                tile.holdsWindows(problem),
                "tile %s has fewer pixels than a window of the pool; choose another",
                tile);
        Require.argument(
                !problem.packedWeights() || tile.fetchesPacked(),
                "tile %s has too few packed weights for its threads; choose another, or leave the"
                        + " weights unpacked",
                tile);
        Require.argument(
                tile.suits(problem),
                "tile %s leaves no registers for pixels of %d bytes; choose another",
                tile,
                problem.image().pitch());
        Require.argument(
                tile.suits(architecture),
                "tile %s needs more registers than a thread of %s has; choose another",
                tile,
                architecture.target());
        int shared = tile.sharedBytes(architecture, problem.packedWeights());
        Require.argument(
                shared <= architecture.sharedBytes(),
                "tile %s needs %d bytes of shared memory; %s has %d",
                tile,
                shared,
                architecture.target(),
                architecture.sharedBytes());
        Require.argument(
                tactic.suits(problem),
                "%s leaves a block without a part of the sum or without registers, or has more"
                        + " tiles than blocks may share; use fewer parts",
                tactic);
        GemmKernel kernel = new GemmKernel();
        kernel.image(problem);
        kernel.window(problem);
        kernel.output(problem, architecture);
        kernel.residual(problem, architecture);
        kernel.pool(problem, tile, architecture);
        kernel.tile(tile, architecture);
        kernel.put("SPLITS", tactic.splits());
        Launch launch =
                new Launch(
                        GemmTactic.unitsOf(problem, tile),
                        GemmTactic.unitsOfBlock(problem, tile),
                        tactic.columns(problem) * tactic.splits(),
                        tile.threads(),
                        shared,
                        tactic.mostRows(problem),
                        tactic.scratchBytes(problem));
        return new KernelSpec(
                tile.byGroup() ? BY_GROUP : BY_WARP,
                kernel.constants.toMap(),
                launch,
                tile.minBlocks(architecture));
    }

    private void image(GemmProblem problem) {
        ImageLayout image = problem.image();
        put("HEIGHT", image.height());
        put("WIDTH", image.width());
        put("CHANNELS", ImageLayout.padded(image.channels()));
        put("REAL_CHANNELS", image.channels());
        put("IN_PITCH", image.pitch());
        put("IN_UNSIGNED", !problem.input().range().signed());
        put("PAD_CODE", problem.input().zeroPoint() & BYTE);
        put("PADDED", problem.padded());
    }

    private void window(GemmProblem problem) {
        Window window = problem.window();
        constants.put("KERNEL", window.kernel());
        constants.put("STRIDE", window.stride());
        constants.put("DILATION", window.dilation());
        constants.put("OUT", problem.result());
        put("PAD_TOP", window.before().height());
        put("PAD_LEFT", window.before().width());
        put("FILTERS", problem.filters());
        put("REAL_FILTERS", problem.filters() - problem.gaps());
        put("FILTER_PITCH", ImageLayout.padded(problem.filters()));
        put("PACKED_WEIGHTS", problem.packedWeights());
    }

    private void output(GemmProblem problem, Architecture architecture) {
        put("OUT_PITCH", problem.outputPitch());
        put("FLOAT_OUTPUT", problem.output() instanceof Output.Floats);
        if (problem.output() instanceof Output.Codes codes) {
            codes("", codes, architecture);
            put("SHORT_SUMS", problem.shortSums() && !architecture.packsRounded());
        }
        GemmProblem.Second second = problem.second();
        put("SECOND_COLUMN", second == null ? 0 : second.column());
        if (second != null) {
            codes("SECOND_", second.output(), architecture);
        }
    }

    private void codes(String prefix, Output.Codes codes, Architecture architecture) {
        int zero = codes.params().zeroPoint();
        put(prefix + "ZERO", zero);
        constants.put(prefix + "LOWEST", (float) (codes.bounds().min() - zero));
        constants.put(prefix + "HIGHEST", (float) (codes.bounds().max() - zero));
        boolean packs = zero == 0 && architecture.packsRounded();
        boolean signed = codes.params().range().signed();
        CodeRange container = signed ? CodeRange.signed(Byte.SIZE) : CodeRange.unsigned(Byte.SIZE);
        put(prefix + "OUT_UNSIGNED", !signed);
        put(prefix + "PACKS", packs);
        put(prefix + "CLIPS_LOW", !packs || codes.bounds().min() > container.min());
        put(prefix + "CLIPS_HIGH", !packs || codes.bounds().max() < container.max());
    }

    private void residual(GemmProblem problem, Architecture architecture) {
        Residual residual = problem.residual();
        put("RESIDUAL", residual != null);
        if (residual == null || !(problem.output() instanceof Output.Codes own)) {
            return;
        }
        QuantParams left = residual.right() ? own.params() : residual.params();
        QuantParams right = residual.right() ? residual.params() : own.params();
        put("RESIDUAL_RIGHT", residual.right());
        put("RESIDUAL_PITCH", residual.pitch());
        constants.sum(left, right, residual.sum(), architecture.packsRounded());
    }

    private void pool(GemmProblem problem, Tile tile, Architecture architecture) {
        Window pool = problem.pool();
        put("POOL", pool != null);
        if (pool != null) {
            PoolTile part = PoolTile.of(problem, tile.blockRows()).orElseThrow();
            constants.put("POOLED", problem.stored());
            constants.put("POOL_TILE", new Window.Extent(part.height(), part.width()));
            constants.put("POOL_KERNEL", pool.kernel());
            constants.put("POOL_STRIDE", pool.stride());
            constants.put("POOL_DILATION", pool.dilation());
            put("POOL_PAIRS", architecture.comparesPairs());
            put("POOL_PAD_TOP", pool.before().height());
            put("POOL_PAD_LEFT", pool.before().width());
        }
    }

    private void tile(Tile tile, Architecture architecture) {
        put("BLOCK_M", tile.blockRows());
        put("BLOCK_N", tile.blockColumns());
        put("BLOCK_K", tile.depth());
        put("WARP_M", tile.warpRows());
        put("WARP_N", tile.warpColumns());
        put("STAGES", tile.stages(architecture));
        put("ASYNC", architecture.copiesAsync());
        put("BY_GROUP", tile.byGroup());
    }

    private void put(String name, boolean value) {
        constants.put(name, value);
    }

    private void put(String name, int value) {
        constants.put(name, value);
    }
}
