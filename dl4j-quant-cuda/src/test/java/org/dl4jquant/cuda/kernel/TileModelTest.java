// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TileModelTest {

    private static GemmProblem dense(int in, int filters) {
        return GemmCases.dense(
                GemmCases.image(in, 1, 1), filters, GemmCases.codes(GemmCases.UINT8, 0));
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void aLargeProductGetsALargeTile(Architecture architecture) {
        Tile tile = TileModel.best(dense(8192, 8192), architecture, 8192);
        assertTrue(tile.blockRows() * tile.blockColumns() >= 128 * 128, tile.toString());
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void aSingleExampleGetsTheSmallestTile(Architecture architecture) {
        assertEquals(Tile.M16_N64_K128, TileModel.best(dense(2048, 1000), architecture, 1));
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void aTileSuitsTheArchitecture(Architecture architecture) {
        Set<Tile> chosen = EnumSet.noneOf(Tile.class);
        for (int filters = 16; filters <= 2048; filters *= 2) {
            for (int examples = 1; examples <= 256; examples *= 4) {
                GemmProblem problem =
                        GemmCases.convolution(
                                GemmCases.image(filters, 14, 14),
                                GemmCases.window(3, 1, 1),
                                filters);
                Tile tile = TileModel.best(problem, architecture, examples);
                assertTrue(tile.suits(architecture));
                assertTrue(tile.sharedBytes(architecture, false) <= architecture.sharedBytes());
                chosen.add(tile);
            }
        }
        assertTrue(chosen.size() >= 3, chosen.toString());
    }

    @Test
    void hopperMultipliesByGroupsWhatItCan() {
        assertTrue(TileModel.best(dense(8192, 8192), Architecture.SM_90A, 8192).byGroup());
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(256, 14, 14), GemmCases.window(3, 1, 1), 256);
        assertTrue(TileModel.best(problem, Architecture.SM_90A, 64).byGroup());
        assertFalse(TileModel.best(problem, Architecture.SM_90, 64).byGroup());
        assertFalse(TileModel.best(problem.withPackedWeights(), Architecture.SM_90A, 64).byGroup());
    }

    @Test
    void sixtyFourFiltersWasteNoColumns() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(64, 56, 56), GemmCases.window(3, 1, 1), 64);
        assertEquals(64, TileModel.best(problem, Architecture.SM_90, 64).blockColumns());
    }

    @Test
    void refusesAnEmptyBatch() {
        assertEquals(
                "a tile for 0 examples",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> TileModel.best(dense(16, 16), Architecture.SM_80, 0))
                        .getMessage());
    }
}
