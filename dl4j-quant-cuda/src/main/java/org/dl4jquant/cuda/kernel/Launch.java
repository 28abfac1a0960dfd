// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;

/**
 * How many threads a kernel is launched with.
 *
 * @param unitsPerExample how much work one example is, along the grid's first dimension: pixels,
 *     rows, chunks of 16 bytes
 * @param unitsPerBlock how much of it one block does
 * @param columns blocks along the grid's second dimension, whatever the batch
 * @param threads threads of a block, a multiple of 32 up to 1,024
 * @param sharedBytes dynamic shared memory of a block
 */
public record Launch(
        long unitsPerExample, int unitsPerBlock, int columns, int threads, int sharedBytes) {

    private static final int WARP = 32;
    private static final int MOST_THREADS = 1024;

    /** Checks the numbers. */
    public Launch {
        Require.argument(
                unitsPerExample > 0 && unitsPerBlock > 0 && columns > 0,
                "a launch of %d units an example, %d units a block and %d columns; each must be"
                        + " above 0",
                unitsPerExample,
                unitsPerBlock,
                columns);
        Require.argument(
                threads > 0 && threads <= MOST_THREADS && threads % WARP == 0,
                "blocks of %d threads; a multiple of 32 up to 1,024 is allowed",
                threads);
        Require.argument(sharedBytes >= 0, "%d bytes of shared memory", sharedBytes);
    }

    /**
     * {@return blocks along the grid's first dimension}
     *
     * @param examples the batch's size, at least 1
     * @throws ArithmeticException if there are more than a grid has room for
     */
    public int rows(int examples) {
        Require.argument(examples >= 1, "a launch for %d examples", examples);
        long units = Math.multiplyExact(unitsPerExample, examples);
        return Math.toIntExact((units + unitsPerBlock - 1) / unitsPerBlock);
    }
}
