// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.graph.Window;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Planted faults of the products' kernel: each must show, or its absence would mean nothing. */
@Execution(ExecutionMode.CONCURRENT)
class GemmMutantsTest {

    private static final int SCHEDULES = 8;

    /**
     * A fault.
     *
     * @param name what is wrong
     * @param from a piece of the source that occurs once
     * @param to what replaces it
     * @param architecture which way of loading has the fault
     * @param product what shows it
     */
    private record Mutant(
            String name, String from, String to, Architecture architecture, Product product) {

        String edit(String source) {
            int at = source.indexOf(from);
            assertTrue(at >= 0 && source.indexOf(from, at + 1) < 0, "once: " + from);
            return source.replace(from, to);
        }

        @Override
        public String toString() {
            return name + ", " + architecture.target();
        }
    }

    /** Products that show faults, with tails in all directions and two warps or more. */
    private enum Product {
        /** Seven tiles along the sum; padding is a code that is not 0. */
        PADDED,
        /** The same with two weights to a byte. */
        PACKED,
        /**
         * Six tiles, so that the last lies where the codes are staged; windows end at the image.
         */
        UNPADDED;

        GemmTrial trial() {
            Window tall = Window.of(new Window.Extent(7, 1), Window.Extent.ONE);
            GemmProblem plain =
                    GemmCases.convolution(
                            GemmCases.image(40, 9, 9),
                            this == UNPADDED ? tall : GemmCases.window(3, 1, 1),
                            70);
            GemmProblem problem =
                    GemmCases.withInput(
                                    GemmCases.withOutput(
                                            plain, GemmCases.codes(GemmCases.UINT8, 100)),
                                    GemmCases.params(GemmCases.UINT8, 9))
                            .withResidual(GemmCases.residual(70));
            return GemmTrial.convolution(
                    this == PACKED ? problem.withPackedWeights() : problem,
                    CodeRange.narrow(4),
                    2,
                    3);
        }
    }

    private static final List<Mutant> MUTANTS = new ArrayList<>();

    static {
        async(
                "waits for one group too few",
                "wait_async<QK_STAGES - 2>",
                "wait_async<QK_STAGES - 1>");
        async(
                "no barrier in the loop",
                "sync_threads();\n        if (tile + QK_STAGES",
                "if (tile + QK_STAGES");
        async("never commits", "commit_async();  // even", "// even");
        async("overwrites a stage", "free_stage = QK_STAGES - 1", "free_stage = QK_STAGES - 2");
        async(
                "stages overlap",
                "multiply_tile(sums, stage * STAGE_BYTES)",
                "multiply_tile(sums, stage * (STAGE_BYTES - 16))");
        async(
                "leaves shared memory",
                "free_stage * STAGE_BYTES, tile + QK_STAGES - 1, weights",
                "(free_stage + 1) * STAGE_BYTES, tile + QK_STAGES - 1, weights");
        async(
                "a barrier for some threads only",
                "        sync_threads();\n        if (tile + QK_STAGES",
                "        if (warp_row() == 0) sync_threads();\n        if (tile + QK_STAGES");
        async(
                "a multiplication without its last lane",
                "multiply_16x8x32<QK_IN_UNSIGNED>(sum",
                "if (lane() < 31) multiply_16x8x32<QK_IN_UNSIGNED>(sum");
        async(
                "padding of a zero",
                "if (outside && PAD_WORD != 0) {\n            store_shared<Chunk>",
                "if (false) {\n            store_shared<Chunk>");
        async("reads beyond the filters", "filter < QK_FILTER_PITCH && (", "(");
        unpadded(
                "reads beyond the sum", "bool none = outside || tap.beyond", "bool none = outside");
        async("filters in the wrong order", "left, &right[n][2]", "left, &right[n][0]");
        async(
                "halves of k in the wrong order",
                "step * 2 + lane() / 16",
                "step * 2 + 1 - lane() / 16");
        async(
                "rows of a fragment in the wrong order",
                "m * 16 + lane() % 16",
                "m * 16 + (lane() ^ 8) % 16");
        async(
                "chunks permuted on one side only",
                "(thread_index() / WEIGHT_TILE_CHUNKS + i * (THREADS / WEIGHT_TILE_CHUNKS),",
                "(1 + thread_index() / WEIGHT_TILE_CHUNKS + i * (THREADS / WEIGHT_TILE_CHUNKS),");
        async(
                "one row too many in the image",
                "static_cast<u32>(y) >= QK_HEIGHT",
                "static_cast<u32>(y) > QK_HEIGHT");
        async(
                "one column too many in the image",
                "static_cast<u32>(x) >= QK_WIDTH",
                "static_cast<u32>(x) > QK_WIDTH");
        async("stores a row too many", "if (first + row < rows &&", "if (first + row <= rows &&");
        async("stores columns beyond the filters", "&& channel < QK_FILTER_PITCH", "");
        unpadded(
                "no barrier before shared memory is used anew",
                "sync_threads();  // the last tile is still being read",
                "");
        async(
                "no barrier behind the staged codes",
                "stage_codes(sums, multipliers);\n    sync_threads();",
                "stage_codes(sums, multipliers);");
        async("cuts instead of rounding", "round_to_int(codes)", "static_cast<s32>(codes)");
        async("forgets the zero point", "round_to_int(codes) + QK_ZERO", "round_to_int(codes)");
        async(
                "no clamp below",
                "least(most(multiply(to_float(sum), multiplier), QK_LOWEST), QK_HIGHEST)",
                "least(multiply(to_float(sum), multiplier), QK_HIGHEST)");
        async(
                "the sum's terms in the wrong order",
                "QK_RESIDUAL_RIGHT ? sum_codes",
                "!QK_RESIDUAL_RIGHT ? sum_codes");
        registers(
                "no barrier before the first tile",
                "store_tile(0, next);\n    sync_threads();",
                "store_tile(0, next);");
        registers(
                "stores into the tile that is read",
                "(tile + 1) % 2 * STAGE_BYTES",
                "tile % 2 * STAGE_BYTES");
        registers(
                "no barrier behind a tile",
                "        }\n        sync_threads();\n    }\n}",
                "        }\n    }\n}");
        registers(
                "small multiplications in the wrong order",
                "(sum, left[2], right[1])",
                "(sum, left[1], right[1])");
        packed("forgets the factor of 16", "sums[m][n][i] >> 4", "sums[m][n][i] >> 3");
        packed(
                "mixes up the halves of bytes",
                "packed[n][odd] << 4 & 0xf0f0f0f0u",
                "packed[n][odd] & 0xf0f0f0f0u");
    }

    private static void async(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_80, Product.PADDED));
    }

    private static void registers(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_75, Product.PADDED));
    }

    private static void packed(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_80, Product.PACKED));
    }

    private static void unpadded(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_80, Product.UNPADDED));
    }

    static Stream<Mutant> mutants() {
        return MUTANTS.stream();
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void aMutantIsSeen(Mutant mutant) {
        EmulatedKernels mutated = EmulatedKernels.available().edited(mutant::edit);
        GemmTrial trial = mutant.product().trial();
        boolean seen =
                LongStream.range(0, SCHEDULES)
                        .anyMatch(
                                schedule ->
                                        trial.fault(
                                                        mutated,
                                                        Tile.M64_N64_K64,
                                                        mutant.architecture(),
                                                        schedule)
                                                .isPresent());
        assertTrue(seen, mutant + " went unnoticed");
    }

    @Test
    void theOriginalIsWithoutFault() {
        for (Architecture architecture : List.of(Architecture.SM_75, Architecture.SM_80)) {
            for (Product product : Product.values()) {
                GemmTrial trial = product.trial();
                for (int schedule = 0; schedule < SCHEDULES; schedule++) {
                    assertEquals(
                            Optional.empty(),
                            trial.fault(
                                    EmulatedKernels.available(),
                                    Tile.M64_N64_K64,
                                    architecture,
                                    schedule));
                }
            }
        }
    }
}
