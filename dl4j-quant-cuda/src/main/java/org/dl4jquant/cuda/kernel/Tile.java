// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

/**
 * How a matrix product is cut: what a block computes, what of it a warp does, how much of the sum
 * is in shared memory at once, and how far copies run ahead. The name is rows, columns and depth;
 * where it ends in GROUP, four warps multiply together, as only {@link Architecture#SM_90A} can.
 */
public enum Tile {
    /** For large products. */
    M128_N256_K64(128, 256, 64, 64, 64, 4, 1),
    /** For large products. */
    M256_N128_K64(256, 128, 64, 64, 64, 4, 1),
    /** For large products, few warps with much work each. */
    M128_N128_K64_WIDE(128, 128, 64, 64, 64, 4, 1),
    /** For large products. */
    M128_N128_K64(128, 128, 64, 64, 32, 4, 1),
    /** For 64 channels. */
    M128_N64_K64(128, 64, 64, 64, 32, 4, 3),
    /** For 64 channels and many rows, or pools, which lose less at the borders of large blocks. */
    M256_N64_K64(256, 64, 64, 64, 32, 4, 1),
    /** For few rows. */
    M64_N128_K64(64, 128, 64, 32, 64, 4, 3),
    /** For 64 channels and long sums. */
    M128_N64_K128(128, 64, 128, 32, 32, 4, 2),
    /** For few rows and long sums. */
    M64_N64_K128(64, 64, 128, 32, 32, 4, 3),
    /** For few rows and short sums. */
    M64_N64_K64(64, 64, 64, 32, 32, 5, 4),
    /** For the last layers' few pixels. */
    M32_N64_K128(32, 64, 128, 16, 32, 4, 4),
    /** For dense layers and batches up to 16. */
    M16_N64_K128(16, 64, 128, 16, 16, 4, 4),
    /** For the largest products on Hopper: it fetches least for each product. */
    M256_N192_K128_GROUP(256, 192, 32, 3, 1),
    /** For the largest products on Hopper. */
    M128_N256_K128_GROUP(128, 256, 16, 4, 1),
    /** For the largest products on Hopper. */
    M256_N128_K128_GROUP(256, 128, 32, 4, 1),
    /** For large products of 192 channels, or a multiple, on Hopper. */
    M128_N192_K128_GROUP(128, 192, 16, 4, 1),
    /** For large products on Hopper, two blocks at a time. */
    M128_N128_K128_GROUP(128, 128, 16, 3, 2),
    /** For 64 channels on Hopper. */
    M128_N64_K128_GROUP(128, 64, 16, 4, 2),
    /** For 64 channels and many rows on Hopper, or pools. */
    M256_N64_K128_GROUP(256, 64, 32, 4, 1),
    /** For few rows and many channels on Hopper. */
    M64_N256_K128_GROUP(64, 256, 16, 4, 1),
    /** For few rows on Hopper. */
    M64_N128_K128_GROUP(64, 128, 16, 4, 2),
    /** For few rows and channels on Hopper. */
    M64_N64_K128_GROUP(64, 64, 16, 4, 3);

    private static final int WARP_THREADS = 32;
    private static final int STAGES_THROUGH_REGISTERS = 2;
    private static final int RESULT_PADDING = 16;
    private static final int GROUP_DEPTH = 128;

    /* As many weights of 4 bits are fetched at once. */
    private static final int PACKED_CHUNK = 32;

    private final int blockRows;
    private final int blockColumns;
    private final int depth;
    private final int warpRows;
    private final int warpColumns;
    private final int stages;
    private final int minBlocks;
    private final boolean byGroup;

    /* By warp. */
    Tile(
            int blockRows,
            int blockColumns,
            int depth,
            int warpRows,
            int warpColumns,
            int stages,
            int minBlocks) {
        this(blockRows, blockColumns, depth, warpRows, warpColumns, stages, minBlocks, false);
    }

    /* By group: rows of the shared memory that it reads are of 128 bytes, and every column is all its warps'. */
    Tile(int blockRows, int blockColumns, int warpRows, int stages, int minBlocks) {
        this(blockRows, blockColumns, GROUP_DEPTH, warpRows, blockColumns, stages, minBlocks, true);
    }

    Tile(
            int blockRows,
            int blockColumns,
            int depth,
            int warpRows,
            int warpColumns,
            int stages,
            int minBlocks,
            boolean byGroup) {
        this.blockRows = blockRows;
        this.blockColumns = blockColumns;
        this.depth = depth;
        this.warpRows = warpRows;
        this.warpColumns = warpColumns;
        this.stages = stages;
        this.minBlocks = minBlocks;
        this.byGroup = byGroup;
    }

    /** {@return pixels of a block} */
    public int blockRows() {
        return blockRows;
    }

    /** {@return output channels of a block} */
    public int blockColumns() {
        return blockColumns;
    }

    /** {@return products summed between two barriers} */
    public int depth() {
        return depth;
    }

    /** {@return whether four warps multiply together} */
    public boolean byGroup() {
        return byGroup;
    }

    /**
     * {@return whether the product can be cut so: groups of warps read weights of one byte, the
     * largest tile leaves no registers for pixels of 4 bytes, and a block has the pixels of a whole
     * window if the result is pooled}
     *
     * @param problem the product
     */
    public boolean suits(GemmProblem problem) {
        boolean small = problem.image().pitch() == ImageLayout.SMALL_PITCH;
        return !(byGroup && problem.packedWeights())
                && !(this == M256_N192_K128_GROUP && small)
                && !(problem.packedWeights() && !fetchesPacked())
                && holdsWindows(problem);
    }

    /**
     * {@return whether packed weights are enough for each thread to fetch as much as the others}
     */
    boolean fetchesPacked() {
        return blockColumns * depth / PACKED_CHUNK % threads() == 0;
    }

    boolean holdsWindows(GemmProblem problem) {
        return problem.pool() == null || PoolTile.of(problem, blockRows).isPresent();
    }

    /** {@return whether there are registers left for what blocks that share a tile have to do} */
    boolean canShare() {
        return this != M256_N192_K128_GROUP;
    }

    int warpRows() {
        return warpRows;
    }

    int warpColumns() {
        return warpColumns;
    }

    /**
     * {@return tiles in shared memory at once}
     *
     * @param architecture what the kernel is compiled for
     */
    public int stages(Architecture architecture) {
        return architecture.copiesAsync() ? stages : STAGES_THROUGH_REGISTERS;
    }

    /**
     * {@return how many blocks a multiprocessor must have registers for; not more than it has
     * shared memory for}
     *
     * @param architecture what the kernel is compiled for
     */
    public int minBlocks(Architecture architecture) {
        int fitting = architecture.sharedBytes() / sharedBytes(architecture, false);
        return Math.max(1, Math.min(minBlocks, fitting));
    }

    /**
     * {@return whether the architecture has the tile's instructions, and registers enough}
     *
     * @param architecture what the kernel is compiled for
     */
    public boolean suits(Architecture architecture) {
        if (byGroup) {
            return architecture == Architecture.SM_90A;
        }
        // Four chunks each of both matrices wait in registers, beside 128 sums.
        return architecture.copiesAsync() || this != M128_N128_K64_WIDE;
    }

    /** {@return threads of a block} */
    public int threads() {
        return blockRows / warpRows * (blockColumns / warpColumns) * WARP_THREADS;
    }

    /**
     * {@return bytes of shared memory of a block}
     *
     * @param architecture what the kernel is compiled for
     * @param packedWeights whether a byte holds two weights
     */
    public int sharedBytes(Architecture architecture, boolean packedWeights) {
        int weights = packedWeights ? blockColumns / 2 : blockColumns;
        int tiles = stages(architecture) * (blockRows + weights) * depth;
        return Math.max(tiles, blockRows * (blockColumns + RESULT_PADDING));
    }
}
