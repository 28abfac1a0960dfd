// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
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
     * @param splits in how many parts its sum is split
     */
    private record Mutant(
            String name,
            String from,
            String to,
            Architecture architecture,
            Product product,
            int splits) {

        Mutant(String name, String from, String to, Architecture architecture, Product product) {
            this(name, from, to, architecture, product, 1);
        }

        String edit(String source) {
            int at = source.indexOf(from);
            assertTrue(at >= 0 && source.indexOf(from, at + 1) < 0, "once: " + from);
            return source.replace(from, to);
        }

        GemmTactic tactic() {
            return new GemmTactic(tileOf(architecture), splits);
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
        UNPADDED,
        /** Eight tiles of twice the depth, so that stages are used again. */
        DEEP,
        /** Codes that need all of a byte, and a sum that does not. */
        FULL_RANGE,
        /** Five of them: the last lies where the codes are staged. */
        DEEP_UNPADDED;

        GemmTrial trial() {
            Window tall = Window.of(new Window.Extent(7, 1), Window.Extent.ONE);
            boolean padded = this != UNPADDED && this != DEEP_UNPADDED;
            int zero = this == FULL_RANGE ? 0 : 100;
            GemmProblem plain =
                    GemmCases.convolution(
                            GemmCases.image(channels(), 9, 9),
                            padded ? GemmCases.window(3, 1, 1) : tall,
                            70);
            GemmProblem problem =
                    GemmCases.withInput(
                                    GemmCases.withOutput(
                                            plain, GemmCases.codes(GemmCases.UINT8, zero)),
                                    GemmCases.params(GemmCases.UINT8, 9))
                            .withResidual(residual());
            return GemmTrial.convolution(
                    this == PACKED ? problem.withPackedWeights() : problem,
                    CodeRange.narrow(4),
                    2,
                    3);
        }

        private Residual residual() {
            Residual plain = GemmCases.residual(70);
            if (this != FULL_RANGE) {
                return plain;
            }
            Output.Codes narrow = new Output.Codes(plain.sum().params(), new CodeRange(60, 255));
            return new Residual(plain.params(), plain.pitch(), plain.right(), narrow);
        }

        private int channels() {
            return switch (this) {
                case DEEP -> 100;
                case DEEP_UNPADDED -> 80;
                default -> 40;
            };
        }
    }

    /* Of two warps or groups of warps at least. */
    private static Tile tileOf(Architecture architecture) {
        return architecture == Architecture.SM_90A ? Tile.M128_N64_K128_GROUP : Tile.M64_N64_K64;
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
                "        if (row_of(0) == 0) sync_threads();\n        if (tile + QK_STAGES");
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
                "row_of(m) + lane() % 16",
                "row_of(m) + (lane() ^ 8) % 16");
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
        async("stores columns beyond the filters", "rows && channel < QK_FILTER_PITCH", "rows");
        unpadded(
                "no barrier before shared memory is used anew",
                "/ 16;\n    sync_threads();  // the last tile is still being read",
                "/ 16;");
        async(
                "no barrier behind the staged codes",
                "stage_codes(sums, multipliers);\n    sync_threads();\n    QK_UNROLL",
                "stage_codes(sums, multipliers);\n    QK_UNROLL");
        async(
                "cuts instead of rounding",
                "bits_of(add(value, MIDDLE_OF_INTEGERS))",
                "static_cast<u32>(static_cast<s32>(value))");
        async(
                "rounds where floats are halves",
                "add(value, MIDDLE_OF_INTEGERS)",
                "add(value, 4194304.0f)");
        async(
                "forgets the zero point",
                "low_bits_of_rounded(first) + zero",
                "low_bits_of_rounded(first)");
        async("codes of a pair in the wrong order", "+ zero, 0x40)", "+ zero, 0x04)");
        async(
                "short sums that are not centred",
                "static_cast<u32>(sum) + MIDDLE_BITS",
                "static_cast<u32>(sum) + MIDDLE_BITS - 1");
        async("no clamp below", "value = QK_CLIPS_LOW ? most(value, QK_LOWEST) : value;", "");
        full(
                "packs as if signed",
                "code_pair<QK_PACKS, QK_OUT_UNSIGNED>",
                "code_pair<true, false>");
        full("packs a sum as if signed", "code_pair<QK_SUM_PACKS, true>", "code_pair<true, false>");
        full(
                "the same sum twice",
                "sum_value(left, right, byte + 1)",
                "sum_value(left, right, byte)");
        full("sums in the wrong order", "0x5410", "0x1054");
        full("clips no sum", "sum = QK_SUM_CLIPS_LOW ? most(sum, QK_SUM_LOWEST) : sum;", "");
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
                "(1 - own) * STAGE_BYTES",
                "own * STAGE_BYTES");
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

    static {
        group("no proxy fence", "publish_shared();", "");
        group(
                "a proxy fence behind the barrier",
                "publish_shared();\n    wait_products<1>();\n    sync_threads();",
                "wait_products<1>();\n    sync_threads();\n    publish_shared();");
        group("no fence of the sums", "    fence_products();\n", "");
        group("sums that were never settled", "settle(sums);\n    u32 stage", "u32 stage");
        group("waits for one product too few", "wait_products<1>", "wait_products<2>");
        group("no wait for the last products", "wait_products<0>();", "");
        group("never commits products", "commit_products();", "");
        group(
                "waits for one copy too few",
                "wait_async<QK_STAGES - 3>",
                "wait_async<QK_STAGES - 2>");
        group(
                "no barrier in the loop of products",
                "wait_products<1>();\n    sync_threads();",
                "wait_products<1>();");
        group(
                "a barrier for one group only",
                "wait_products<1>();\n    sync_threads();",
                "wait_products<1>();\n    if (thread_index() < 128) { sync_threads(); }");
        group(
                "overwrites what is read",
                "free_stage = QK_STAGES - 2",
                "free_stage = QK_STAGES - 3");
        group(
                "copies a tile too early",
                "            await_tile();\n            multiply_steps<STEPS>",
                "            if (tile > 0) { copy_tile(free_stage, tile + QK_STAGES - 2, input, weights,"
                        + " windows); }\n        await_tile();\n"
                        + "        multiply_steps<STEPS>");
        group(
                "halves of the descriptor's step",
                "FRAGMENT_BYTES + step * 32",
                "FRAGMENT_BYTES + step * 16");
        group(
                "steps of one side swapped",
                "INPUT_BYTES + step * 32",
                "INPUT_BYTES + (step ^ 1) * 32");
        group(
                "rows of another width in the descriptor",
                "right = describe_matrix<QK_BLOCK_K>",
                "right = describe_matrix<64>");
        group(
                "a matrix that begins a chunk too late",
                "INPUT_BYTES + step * 32",
                "INPUT_BYTES + 16 + step * 32");
        group("matrices swapped", "describe_matrix<QK_BLOCK_K>(rows +", "right + 0 * (rows +");
        group(
                "warps of a group with different matrices",
                "thread_index() / 128 * (FRAGMENTS_M",
                "thread_index() / 64 % 2 * (FRAGMENTS_M");
        group("chunks permuted as no descriptor has it", "? row & 7 :", "? row >> 1 & 7 :");
        group("rows of another warp", "warp() % 4 * 16", "(warp() + 1) % 4 * 16");
        lastTile(
                "no barrier behind the last products",
                "/ 16;\n    sync_threads();  // the last tile is still being read",
                "/ 16;");
        lastTile("leaves out the last step", "<LAST_STEPS>", "<LAST_STEPS - 1>");
        lastTile("leaves out half a step", "TILE_CHUNKS + 2) / 2", "TILE_CHUNKS + 1) / 2");
    }

    private static void lastTile(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_90A, Product.DEEP_UNPADDED));
    }

    static {
        split(
                "every part adds the bias",
                "TwoInts start = BIAS_LAST ? TwoInts{0, 0} : load_bias(n, bias);",
                "TwoInts start = load_bias(n, bias);");
        split("forgets the bias", "    finish_sums(sums, bias);\n", "");
        split(
                "a part too short",
                "int end = first_tile() + TILES_OF_SPLIT;",
                "int end = first_tile() + TILES_OF_SPLIT - 1;");
        split(
                "copies the next part's tile",
                "if (tile + QK_STAGES - 1 < end) {",
                "if (tile + QK_STAGES - 1 < TILES) {");
        split("goes on too early", "!= SPLITS - 1", "!= SPLITS - 2");
        split(
                "sums that nobody else sees",
                "publish_global();\n    sync_threads();  // all",
                "sync_threads();  // all");
        split(
                "a ticket before all have added",
                "sync_threads();  // all of the block have added, and nobody reads shared memory any more",
                "");
        split(
                "a ticket that some read too early",
                "    sync_threads();\n    if (load_shared<u32>(0)",
                "    if (load_shared<u32>(0)");
        split(
                "reads sums that may be stale",
                "load_fresh(own + i * THREADS)",
                "load_global(own + i * THREADS)");
        split("leaves sums behind", "store_fresh(own + i * THREADS, 0);", "");
        split("leaves a counter behind", "store_fresh(scratch + tile, 0);", "");
        split(
                "tiles that share sums",
                "block_row() * COLUMN_BLOCKS + column_block()",
                "column_block()");
        split("sums where the counters are", "COUNTERS + tile * TILE_SUMS", "tile * TILE_SUMS");
        split("the columns of another tile", "block_column() / SPLITS", "block_column() % SPLITS");
        MUTANTS.add(
                new Mutant(
                        "parts that begin in the wrong half of shared memory",
                        "int own = (tile - first) % 2;",
                        "int own = tile % 2;",
                        Architecture.SM_75,
                        Product.PADDED,
                        3));
        splitGroup("a part too long", "while (++tile < end)", "while (++tile <= end)");
        splitGroup(
                "one tile for each part",
                "while (++tile < end)",
                "while (++tile < end && tile < 0)");
        splitGroup(
                "copies the next part's tile",
                "if (tile < end_tile()) {",
                "if (tile < end_tile() - 1) {");
        splitGroup(
                "parts that begin with the first tile",
                "copy_tile(tile, first + tile,",
                "copy_tile(tile, tile,");
    }

    private static void split(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_80, Product.PADDED, 3));
    }

    private static void splitGroup(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_90A, Product.DEEP_UNPADDED, 2));
    }

    private static void full(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_90A, Product.FULL_RANGE));
    }

    private static void group(String name, String from, String to) {
        MUTANTS.add(new Mutant(name, from, to, Architecture.SM_90A, Product.DEEP));
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
                                                        mutant.tactic(),
                                                        mutant.architecture(),
                                                        schedule)
                                                .isPresent());
        assertTrue(seen, mutant + " went unnoticed");
    }

    @Test
    void theOriginalIsWithoutFault() {
        for (Architecture architecture :
                List.of(Architecture.SM_75, Architecture.SM_80, Architecture.SM_90A)) {
            for (Product product : Product.values()) {
                if (product == Product.PACKED && tileOf(architecture).byGroup()) {
                    continue;
                }
                GemmTrial trial = product.trial();
                for (int schedule = 0; schedule < SCHEDULES; schedule++) {
                    GemmTactic split = new GemmTactic(tileOf(architecture), 1 + schedule % 2);
                    assertEquals(
                            Optional.empty(),
                            trial.fault(
                                    EmulatedKernels.available(), split, architecture, schedule));
                }
            }
        }
    }
}
