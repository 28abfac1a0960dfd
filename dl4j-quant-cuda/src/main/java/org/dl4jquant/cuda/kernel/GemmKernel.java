// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.Output;
import org.dl4jquant.graph.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeSum;
import org.dl4jquant.numeric.QuantParams;

/**
 * The kernel of {@code igemm.cu} for a product of matrices.
 *
 * <p>Arguments: input, weights, bias, multipliers, residual (not read if there is none), output,
 * examples. A batch may have at most 2^32 - 1 output pixels.
 */
public final class GemmKernel {

    private static final String FILE = "igemm.cu";
    private static final int BYTE = 0xff;
    private static final int INT8_OFFSET = 128;

    private final SortedMap<String, String> constants = new TreeMap<>();

    private GemmKernel() {}

    /**
     * {@return the kernel}
     *
     * @param problem what it computes
     * @param tile how the product is cut; any gives the same codes
     * @param architecture what it is compiled for
     * @throws IllegalArgumentException if the tile needs more registers or shared memory than the
     *     architecture has
     */
    public static KernelSpec of(GemmProblem problem, Tile tile, Architecture architecture) {
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
        GemmKernel kernel = new GemmKernel();
        kernel.image(problem);
        kernel.window(problem);
        kernel.output(problem);
        kernel.residual(problem);
        kernel.tile(tile, architecture);
        int columns = ImageLayout.padded(problem.filters());
        Launch launch =
                new Launch(
                        (long) problem.result().height() * problem.result().width(),
                        tile.blockRows(),
                        (columns + tile.blockColumns() - 1) / tile.blockColumns(),
                        tile.threads(),
                        shared);
        return new KernelSpec(FILE, kernel.constants, launch, tile.minBlocks(architecture));
    }

    private void image(GemmProblem problem) {
        ImageLayout image = problem.image();
        put("HEIGHT", image.height());
        put("WIDTH", image.width());
        put("CHANNELS", ImageLayout.padded(image.channels()));
        put("IN_PITCH", image.pitch());
        put("IN_UNSIGNED", !problem.input().range().signed());
        put("PAD_CODE", problem.input().zeroPoint() & BYTE);
        put("PADDED", problem.padded());
    }

    private void window(GemmProblem problem) {
        Window window = problem.window();
        extent("KERNEL", window.kernel());
        extent("STRIDE", window.stride());
        extent("DILATION", window.dilation());
        extent("OUT", problem.result());
        put("PAD_TOP", window.before().height());
        put("PAD_LEFT", window.before().width());
        put("FILTERS", problem.filters());
        put("FILTER_PITCH", ImageLayout.padded(problem.filters()));
        put("PACKED_WEIGHTS", problem.packedWeights());
    }

    private void output(GemmProblem problem) {
        put("OUT_PITCH", problem.outputPitch());
        put("FLOAT_OUTPUT", problem.output() instanceof Output.Floats);
        if (problem.output() instanceof Output.Codes codes) {
            int zero = codes.params().zeroPoint();
            put("ZERO", zero);
            put("LOWEST", codes.bounds().min() - zero + ".0f");
            put("HIGHEST", codes.bounds().max() - zero + ".0f");
        }
    }

    private void residual(GemmProblem problem) {
        Residual residual = problem.residual();
        put("RESIDUAL", residual != null);
        if (residual == null || !(problem.output() instanceof Output.Codes own)) {
            return;
        }
        QuantParams left = residual.right() ? own.params() : residual.params();
        QuantParams right = residual.right() ? residual.params() : own.params();
        CodeRange bounds = residual.sum().bounds();
        CodeSum sum = CodeSum.of(left, right, residual.sum().params(), bounds);
        put("OUT_UNSIGNED", !own.params().range().signed());
        put("RESIDUAL_UNSIGNED", !residual.params().range().signed());
        put("RESIDUAL_RIGHT", residual.right());
        put("RESIDUAL_PITCH", residual.pitch());
        boolean signed = residual.sum().params().range().signed();
        int offset = signed ? INT8_OFFSET : 0;
        put("SUM_UNSIGNED", !signed);
        put("SUM_LEFT", literal(sum.leftRatio()));
        put("SUM_RIGHT", literal(sum.rightRatio()));
        put("SUM_FIXED", literal(sum.fixedPart()));
        put("SUM_LOWEST", bounds.min() + offset + ".0f");
        put("SUM_HIGHEST", bounds.max() + offset + ".0f");
    }

    private void tile(Tile tile, Architecture architecture) {
        put("BLOCK_M", tile.blockRows());
        put("BLOCK_N", tile.blockColumns());
        put("BLOCK_K", tile.depth());
        put("WARP_M", tile.warpRows());
        put("WARP_N", tile.warpColumns());
        put("STAGES", tile.stages(architecture));
        put("ASYNC", architecture.copiesAsync());
    }

    private void extent(String name, Window.Extent extent) {
        put(name + "_HEIGHT", extent.height());
        put(name + "_WIDTH", extent.width());
    }

    private void put(String name, boolean value) {
        put(name, value ? 1 : 0);
    }

    private void put(String name, int value) {
        put(name, Integer.toString(value));
    }

    private void put(String name, String value) {
        constants.put("QK_" + name, value.startsWith("-") ? "(" + value + ")" : value);
    }

    private static String literal(float value) {
        return Float.toHexString(value) + "f";
    }
}
