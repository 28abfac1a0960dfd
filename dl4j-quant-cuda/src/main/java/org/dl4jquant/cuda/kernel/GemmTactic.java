// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import org.dl4jquant.check.Require;

/**
 * How a product is computed; each way gives the same codes.
 *
 * @param tile what a block computes
 * @param splits how many blocks share a tile, each with a part of the sum; they add up their parts
 *     in scratch memory, and the one that comes last goes on. Worth it where there are fewer tiles
 *     than multiprocessors
 */
public record GemmTactic(Tile tile, int splits) {

    /* As many counters has the scratch memory. */
    private static final int MOST_TILES = 1024;
    private static final int MOST_SUM_BYTES = 1 << 23;

    /** Checks the number. */
    public GemmTactic {
        Require.argument(splits >= 1, "a sum of %d parts", splits);
    }

    /**
     * {@return whether every block has a part of the sum and registers to share it, and one
     * example's tiles fit the scratch memory}
     *
     * @param problem the product
     */
    public boolean suits(GemmProblem problem) {
        if (splits == 1) {
            return true;
        }
        if (!tile.canShare()) {
            return false;
        }
        int tiles = over(problem.window().kernel().height() * problem.weightsOfRow(), tile.depth());
        int each = over(tiles, splits);
        return (splits - 1) * each < tiles && rows(problem) <= mostRows(problem);
    }

    /** {@return blocks below one another for an example, perhaps a part of one} */
    private long rows(GemmProblem problem) {
        return (unitsOf(problem, tile) + unitsOfBlock(problem, tile) - 1)
                / unitsOfBlock(problem, tile);
    }

    /** {@return what an example's blocks share: pixels, or tiles of pooled pixels} */
    static long unitsOf(GemmProblem problem, Tile tile) {
        return problem.pool() == null
                ? (long) problem.result().height() * problem.result().width()
                : PoolTile.of(problem, tile.blockRows()).orElseThrow().count(problem.stored());
    }

    /** {@return how much of that a block has} */
    static int unitsOfBlock(GemmProblem problem, Tile tile) {
        return problem.pool() == null ? tile.blockRows() : 1;
    }

    /** {@return tiles side by side} */
    int columns(GemmProblem problem) {
        return over(ImageLayout.padded(problem.filters()), tile.blockColumns());
    }

    /** {@return tiles below one another for which there is scratch memory} */
    int mostRows(GemmProblem problem) {
        return splits == 1 ? Integer.MAX_VALUE : mostTiles() / columns(problem);
    }

    /** {@return bytes of scratch memory: a counter for each tile, and its sums} */
    int scratchBytes(GemmProblem problem) {
        return splits == 1
                ? 0
                : (MOST_TILES + mostRows(problem) * columns(problem) * sums()) * Integer.BYTES;
    }

    private int mostTiles() {
        return Math.min(MOST_TILES, MOST_SUM_BYTES / Integer.BYTES / sums());
    }

    private int sums() {
        return tile.blockRows() * tile.blockColumns();
    }

    private static int over(int size, int part) {
        return (size + part - 1) / part;
    }

    /**
     * {@return the tile's name, and in how many parts the sum is split, such as {@code M64_N64_K64
     * / 4}}
     */
    @Override
    public String toString() {
        return splits == 1 ? tile.toString() : tile + " / " + splits;
    }
}
