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
 * @param mostRows the most blocks along the grid's first dimension
 * @param scratchBytes global memory that the blocks share: zeros before the launch, and again
 *     behind it
 */
public record Launch(
        long unitsPerExample,
        int unitsPerBlock,
        int columns,
        int threads,
        int sharedBytes,
        int mostRows,
        int scratchBytes) {

    private static final int WARP = 32;
    private static final int MOST_THREADS = 1024;

    /* Below 2^32 by the units of one block, whose count must not wrap around. */
    private static final long MOST_UNITS = 0xffff_0000L;

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
                unitsPerExample <= MOST_UNITS,
                "a launch of %d units an example; at most %d are allowed",
                unitsPerExample,
                MOST_UNITS);
        Require.argument(
                threads > 0 && threads <= MOST_THREADS && threads % WARP == 0,
                "blocks of %d threads; a multiple of 32 up to 1,024 is allowed",
                threads);
        Require.argument(sharedBytes >= 0, "%d bytes of shared memory", sharedBytes);
        Require.argument(mostRows > 0, "a launch of at most %d blocks", mostRows);
        Require.argument(scratchBytes >= 0, "%d bytes of scratch memory", scratchBytes);
    }

    /**
     * A launch of any number of blocks, which share nothing.
     *
     * @param unitsPerExample as above
     * @param unitsPerBlock as above
     * @param columns as above
     * @param threads as above
     * @param sharedBytes as above
     */
    public Launch(
            long unitsPerExample, int unitsPerBlock, int columns, int threads, int sharedBytes) {
        this(unitsPerExample, unitsPerBlock, columns, threads, sharedBytes, Integer.MAX_VALUE, 0);
    }

    /**
     * {@return blocks along the grid's first dimension}
     *
     * @param examples the batch's size, at least 1
     * @throws IllegalArgumentException if there are more than {@link #mostExamples()}
     */
    public int rows(int examples) {
        Require.argument(examples >= 1, "a launch for %d examples", examples);
        Require.argument(
                examples <= mostExamples(),
                "a launch for %d examples of %d units; at most %d examples are allowed",
                examples,
                unitsPerExample,
                mostExamples());
        return Math.toIntExact((unitsPerExample * examples + unitsPerBlock - 1) / unitsPerBlock);
    }

    /** {@return the largest batch: kernels count units in 32 bits, and a grid has 2^31 - 1 rows} */
    public int mostExamples() {
        long units = Math.min(MOST_UNITS, (long) unitsPerBlock * mostRows);
        return (int) Math.min(Integer.MAX_VALUE, units / unitsPerExample);
    }
}
