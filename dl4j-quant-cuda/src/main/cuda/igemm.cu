// SPDX-License-Identifier: Apache-2.0
//
// A convolution or dense layer as a product of int8 matrices on Tensor Cores (implicit GEMM): the pixels of the result are rows (M), its
// channels columns (N), and the kernel's rows, columns and input channels are summed over (K). No matrix of windows is ever stored: a
// block fetches its windows from the image while it multiplies.
//
//     input        codes [example][height][width][IN_PITCH]
//     weights      codes [FILTER_PITCH][k], or two codes of 4 bits per byte (PACKED_WEIGHTS)
//     bias         int32 [FILTER_PITCH]; holds -(input's zero point) * (sum of the channel's weights) as well
//     multipliers  float32 [FILTER_PITCH]
//     residual     codes [example][out height][out width][RESIDUAL_PITCH]; read only if RESIDUAL
//     output       codes [example][out height][out width][OUT_PITCH], or float32 [example][channel][out height][out width] (FLOAT_OUTPUT);
//                  or codes [example][pooled height][pooled width][OUT_PITCH] (POOL)
//     scratch      if SPLITS is above 1: zeros, which are zeros again when the launch is over; 1024 words and BLOCK_M * BLOCK_N for each tile
//
// With POOL the result is pooled before it is stored: the largest code of each window, of pixels inside. A block then has not BLOCK_M
// pixels one behind the other but those under a tile of the pooled result, and there is one block for each tile in x.
//
// gemm_tiles.cuh says how k is counted. Launched with one block of BLOCK_M rows for each of x and BLOCK_N columns for each of y. Each warp
// has a part of WARP_M x WARP_N. With SPLITS above 1, as many blocks, neighbours in y, share a tile of the result: each sums up a part, and
// the last of them stores. example * out height * out width must be below 2^32.
//
// Tiles of both matrices lie in shared memory, BLOCK_K codes a row, in STAGES stages: with ASYNC the copies of the next STAGES - 1 tiles
// are under way while one is multiplied; without, one tile waits in registers. Chunks of a row are permuted so that neither
// the copies nor the loads of fragments meet in a bank.
#include "device.cuh"
#include "gemm_results.cuh"
#include "gemm_tiles.cuh"

namespace {

constexpr bool ASYNC = QK_ASYNC;

static_assert(THREADS == 32 * (QK_BLOCK_M / QK_WARP_M) * WARPS_N, "a warp for each part");

struct InRegisters {
    Chunk input[INPUT_LOADS];
    Chunk weights[WEIGHT_LOADS];
};

QK_FUNCTION Chunk load_small_pixels(const u8* input, s32 corner, s32 top, s32 left, const Tap& tap) {
    u32 words[4];
    QK_UNROLL
    for (int e = 0; e < 4; e++) {
        bool outside = is_outside(top + tap.y, left + tap.x + e * QK_DILATION_WIDTH);
        const u8* from = at(input, corner + tap.offset + e * (QK_DILATION_WIDTH * QK_IN_PITCH / UNIT));
        words[e] = outside || is_beyond(tap, e) ? PAD_WORD : load_global(reinterpret_cast<const u32*>(from));
    }
    return {words[0], words[1], words[2], words[3]};
}

QK_FUNCTION void load_input(Chunk (&to)[INPUT_LOADS], int tile, const u8* input, const Windows& windows) {
    Tap tap = find_tap(tile);
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        if (SMALL_PIXELS) {
            to[i] = load_small_pixels(input, windows.corner[i], windows.top[i], windows.left[i], tap);
        } else if (tap.beyond || is_outside(windows.top[i] + tap.y, windows.left[i] + tap.x)) {
            to[i] = {PAD_WORD, PAD_WORD, PAD_WORD, PAD_WORD};
        } else {
            to[i] = load_global(reinterpret_cast<const Chunk*>(at(input, windows.corner[i] + tap.offset)));
        }
    }
}

QK_FUNCTION void load_weights(Chunk (&to)[WEIGHT_LOADS], int tile, const u8* weights) {
    QK_UNROLL
    for (int i = 0; i < WEIGHT_LOADS; i++) {
        const u8* from;
        to[i] = find_weights(tile, i, from, weights) ? load_global(reinterpret_cast<const Chunk*>(from)) : Chunk{0, 0, 0, 0};
    }
}

QK_FUNCTION void store_tile(u32 stage, const InRegisters& tile) {
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        u32 to = place<TILE_CHUNKS>(thread_index() / TILE_CHUNKS + i * (THREADS / TILE_CHUNKS), thread_index() % TILE_CHUNKS);
        store_shared(stage + to, tile.input[i]);
    }
    QK_UNROLL
    for (int i = 0; i < WEIGHT_LOADS; i++) {
        store_shared(stage + weights_place(i), tile.weights[i]);
    }
}

QK_FUNCTION void multiply_fragments(s32 (&sum)[4], const u32 (&left)[4], const u32* right) {
    if (ASYNC) {
        multiply_16x8x32<QK_IN_UNSIGNED>(sum, left, right);
    } else {  // before sm_80
        multiply_8x8x16<QK_IN_UNSIGNED>(sum, left[0], right[0]);
        multiply_8x8x16<QK_IN_UNSIGNED>(sum, left[2], right[1]);
        multiply_8x8x16<QK_IN_UNSIGNED>(sum + 2, left[1], right[0]);
        multiply_8x8x16<QK_IN_UNSIGNED>(sum + 2, left[3], right[1]);
    }
}

QK_FUNCTION void load_input_fragment(u32 (&fragment)[4], u32 stage, int step, int m) {
    load_matrix4(fragment, stage + place<TILE_CHUNKS>(row_of(m) + lane() % 16, step * 2 + lane() / 16));
}

// Two matrices of 8 filters, each of two neighbouring chunks.
QK_FUNCTION void load_weight_fragment(u32 (&fragment)[4], u32 stage, int chunk, int n) {
    u32 filter = warp_column() + n * 16 + lane() / 16 * 8 + lane() % 8;
    load_matrix4(fragment, stage + INPUT_BYTES + place<WEIGHT_TILE_CHUNKS>(filter, chunk + lane() / 8 % 2));
}

QK_FUNCTION void multiply_step(Sums& sums, u32 stage, int step, const u32 (&right)[FRAGMENTS_N][4]) {
    QK_UNROLL
    for (int m = 0; m < FRAGMENTS_M; m++) {
        u32 left[4];
        load_input_fragment(left, stage, step, m);
        QK_UNROLL
        for (int n = 0; n < FRAGMENTS_N; n++) {
            multiply_fragments(sums[m][2 * n], left, &right[n][0]);
            multiply_fragments(sums[m][2 * n + 1], left, &right[n][2]);
        }
    }
}

#if QK_PACKED_WEIGHTS
// A word holds the codes of k = 4 t to 4 t + 3 in the low halves of its bytes, and those of 16 + 4 t and after in the high halves. Moved
// to the bytes' high halves they are 16 times the codes, signs included.
QK_FUNCTION void multiply_tile(Sums& sums, u32 stage) {
    QK_UNROLL
    for (int pair = 0; pair < STEPS; pair += 2) {
        u32 packed[FRAGMENTS_N][4];
        QK_UNROLL
        for (int n = 0; n < FRAGMENTS_N; n++) {
            load_weight_fragment(packed[n], stage, pair, n);
        }
        QK_UNROLL
        for (int odd = 0; odd < 2; odd++) {
            u32 right[FRAGMENTS_N][4];
            QK_UNROLL
            for (int n = 0; n < FRAGMENTS_N; n++) {
                right[n][0] = packed[n][odd] << 4 & 0xf0f0f0f0u;
                right[n][1] = packed[n][odd] & 0xf0f0f0f0u;
                right[n][2] = packed[n][2 + odd] << 4 & 0xf0f0f0f0u;
                right[n][3] = packed[n][2 + odd] & 0xf0f0f0f0u;
            }
            multiply_step(sums, stage, pair + odd, right);
        }
    }
}
#else
QK_FUNCTION void multiply_tile(Sums& sums, u32 stage) {
    QK_UNROLL
    for (int step = 0; step < STEPS; step++) {
        u32 right[FRAGMENTS_N][4];
        QK_UNROLL
        for (int n = 0; n < FRAGMENTS_N; n++) {
            load_weight_fragment(right[n], stage, 2 * step, n);
        }
        multiply_step(sums, stage, step, right);
    }
}
#endif

QK_FUNCTION void multiply_async(Sums& sums, const u8* input, const u8* weights, const Windows& windows) {
    const int first = first_tile();
    const int end = end_tile();
    QK_UNROLL
    for (int i = 0; i < QK_STAGES - 1; i++) {
        if (first + i < end) {
            copy_input(i * STAGE_BYTES, first + i, input, windows);
            copy_weights(i * STAGE_BYTES, first + i, weights);
        }
        commit_async();
    }
    u32 stage = 0;
    u32 free_stage = QK_STAGES - 1;
    QK_LOOP
    for (int tile = first; tile < end; tile++) {
        wait_async<QK_STAGES - 2>();
        sync_threads();
        if (tile + QK_STAGES - 1 < end) {
            copy_input(free_stage * STAGE_BYTES, tile + QK_STAGES - 1, input, windows);
            copy_weights(free_stage * STAGE_BYTES, tile + QK_STAGES - 1, weights);
        }
        commit_async();  // even if nothing is copied: the groups are counted, and so no copy is left in the end
        multiply_tile(sums, stage * STAGE_BYTES);
        stage = stage + 1 == QK_STAGES ? 0 : stage + 1;
        free_stage = free_stage + 1 == QK_STAGES ? 0 : free_stage + 1;
    }
}

QK_FUNCTION void multiply_through_registers(Sums& sums, const u8* input, const u8* weights, const Windows& windows) {
    const int first = first_tile();
    const int end = end_tile();
    InRegisters next;
    load_input(next.input, first, input, windows);
    load_weights(next.weights, first, weights);
    store_tile(0, next);
    sync_threads();
    QK_LOOP
    for (int tile = first; tile < end; tile++) {
        int own = (tile - first) % 2;
        if (tile + 1 < end) {
            load_input(next.input, tile + 1, input, windows);
            load_weights(next.weights, tile + 1, weights);
        }
        multiply_tile(sums, own * STAGE_BYTES);
        if (tile + 1 < end) {
            store_tile((1 - own) * STAGE_BYTES, next);
        }
        sync_threads();
    }
}

}  // namespace

QK_KERNEL(const u8* input, const u8* weights, const s32* bias, const float* multipliers, const u8* residual, u8* output, u32* scratch,
    u64 examples) {
    await_previous(input);
    u32 rows = static_cast<u32>(examples) * PIXELS;
    u32 first = block_row() * QK_BLOCK_M;
    Windows windows = find_windows(first, rows);
    Sums sums;
    start_sums(sums, bias);
    if (ASYNC) {
        multiply_async(sums, input, weights, windows);
    } else {
        multiply_through_registers(sums, input, weights, windows);
    }
    if (!join_sums(sums, scratch)) {
        return;
    }
    finish_sums(sums, bias);
    store_results(sums, multipliers, residual, output, first, rows);
}
