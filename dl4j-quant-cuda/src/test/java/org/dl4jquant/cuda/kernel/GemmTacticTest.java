// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jquant.graph.node.Output;
import org.junit.jupiter.api.Test;

class GemmTacticTest {

    private static final Tile TILE = Tile.M64_N64_K64;

    private static GemmProblem dense(int inputs, int filters) {
        return GemmCases.dense(GemmCases.image(inputs, 1, 1), filters, new Output.Floats());
    }

    /* Counted: parts of `each` tiles until all are given out. */
    @Test
    void suitsIfEveryBlockHasAPart() {
        for (int tiles = 1; tiles <= 24; tiles++) {
            GemmProblem problem = dense(tiles * TILE.depth(), 64);
            for (int splits = 1; splits <= 16; splits++) {
                int each = (tiles + splits - 1) / splits;
                int parts = 0;
                for (int left = tiles; left > 0; left -= each) {
                    parts++;
                }
                assertEquals(
                        parts == splits,
                        new GemmTactic(TILE, splits).suits(problem),
                        tiles + " tiles, " + splits + " parts");
            }
        }
    }

    @Test
    void isForAsManyTilesAsThereIsScratchMemory() {
        GemmTactic tactic = new GemmTactic(TILE, 4);
        GemmProblem problem = dense(4096, 1000);
        // 8 MiB for sums of 64 x 64 are 512 tiles: 16 columns and 32 rows.
        assertEquals(16, tactic.columns(problem));
        assertEquals(32, tactic.mostRows(problem));
        assertEquals(4 * 1024 + (8 << 20), tactic.scratchBytes(problem));
        KernelSpec kernel = GemmKernel.of(problem, tactic, Architecture.SM_80);
        assertEquals(64, kernel.launch().columns());
        assertEquals(32 * 64, kernel.launch().mostExamples());
        assertThrows(IllegalArgumentException.class, () -> kernel.launch().rows(32 * 64 + 1));
        assertFalse(tactic.suits(dense(4096, 64 * 600)));
        assertEquals(0, new GemmTactic(TILE, 1).scratchBytes(problem));
    }

    @Test
    void saysWhatDoesNotSuit() {
        assertEquals(
                "M64_N64_K64 / 3 leaves a block without a part of the sum or without registers, or"
                        + " has more tiles than blocks may share; use fewer parts",
                refusal(
                        () ->
                                GemmKernel.of(
                                        dense(128, 64),
                                        new GemmTactic(TILE, 3),
                                        Architecture.SM_80)));
        assertEquals("a sum of 0 parts", refusal(() -> new GemmTactic(TILE, 0)));
    }

    private static String refusal(Runnable use) {
        return assertThrows(IllegalArgumentException.class, use::run).getMessage();
    }

    @Test
    void longSumsOfFewResultsAreSplit() {
        GemmProblem few = dense(8192, 64);
        for (Architecture architecture : List.of(Architecture.SM_80, Architecture.SM_90A)) {
            List<TileModel.Estimate> ranking = TileModel.ranking(few, architecture, 1);
            assertTrue(ranking.get(0).tactic().splits() > 1, ranking.get(0).toString());
            for (int i = 1; i < ranking.size(); i++) {
                assertTrue(ranking.get(i - 1).cycles() <= ranking.get(i).cycles());
            }
            assertEquals(
                    1,
                    TileModel.ranking(dense(8192, 8192), architecture, 8192)
                            .get(0)
                            .tactic()
                            .splits());
        }
    }
}
