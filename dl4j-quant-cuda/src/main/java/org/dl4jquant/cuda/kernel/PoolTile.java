// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Objects;
import java.util.Optional;
import org.dl4jquant.graph.node.Window;

/**
 * What of a pooled result a block makes, if it has computed the pixels under it.
 *
 * <p>Windows of neighbouring tiles overlap if the pool's stride is below its kernel: the pixels
 * that both need are computed twice, so tiles shall be large and nearly square.
 *
 * @param height rows of pooled pixels
 * @param width columns of pooled pixels
 */
record PoolTile(int height, int width) {

    /** {@return the largest tile that leaves few pixels to other blocks; empty if none fits} */
    static Optional<PoolTile> of(GemmProblem problem, int blockRows) {
        Window pool = Objects.requireNonNull(problem.pool(), "pool");
        Window.Extent pooled = problem.stored();
        Optional<PoolTile> best = Optional.empty();
        for (int height = 1; height <= pooled.height(); height++) {
            int rows = reach(pool.kernel().height(), pool.dilation().height());
            rows += (height - 1) * pool.stride().height();
            int columns = blockRows / rows - reach(pool.kernel().width(), pool.dilation().width());
            if (columns < 0) {
                break;
            }
            int width = Math.min(pooled.width(), columns / pool.stride().width() + 1);
            PoolTile tile = new PoolTile(height, width);
            if (best.isEmpty() || tile.count(pooled) < best.get().count(pooled)) {
                best = Optional.of(tile);
            }
        }
        return best;
    }

    private static int reach(int kernel, int dilation) {
        return (kernel - 1) * dilation + 1;
    }

    /** {@return how many tiles a pooled result has} */
    int count(Window.Extent pooled) {
        return over(pooled.height(), height) * over(pooled.width(), width);
    }

    private static int over(int size, int part) {
        return (size + part - 1) / part;
    }
}
