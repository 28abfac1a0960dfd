// SPDX-License-Identifier: Apache-2.0
//
// The product of igemm.cu by Hopper's own instruction (sm_90a), which four warps issue together and which reads both matrices from shared
// memory while they go on. Arguments and launch are those of igemm.cu; weights are never packed, because they would have to be unpacked
// in shared memory.
//
// BLOCK_K is 128, so that a tile's row is one of the 128 bytes that a descriptor names, and place() permutes its chunks as that wants it.
// There are STAGES tiles in shared memory: one is multiplied, the products of the one before may still be reading, and the copies of the
// others, STAGES - 2, are under way.
#include "device.cuh"
#include "gemm_results.cuh"
#include "gemm_tiles.cuh"

namespace {

constexpr int GROUP_ROWS = 64 * FRAGMENTS_M;        // of a warpgroup
constexpr int FRAGMENT_BYTES = 64 * QK_BLOCK_K;     // of the input
constexpr int FRAGMENT_SUMS = 8 * FRAGMENTS_N;      // of a thread
constexpr int LAST_STEPS = ((CHUNKS - 1) % TILE_CHUNKS + 2) / 2;  // of the last tile; behind them are zeros
// If blocks share a tile of the result, zeros are multiplied: a last tile that only one of them has would make the others' sums wait.
constexpr int WHOLE_TILES = SPLITS == 1 && LAST_STEPS < STEPS ? TILES - 1 : TILES;

static_assert(QK_BLOCK_K == 128 && !QK_PACKED_WEIGHTS, "rows as descriptors have them");
static_assert(QK_WARP_N == QK_BLOCK_N && THREADS == 128 * (QK_BLOCK_M / GROUP_ROWS), "a warpgroup for each run of rows");
static_assert(QK_STAGES >= 3, "a tile is copied while two are read");

QK_FUNCTION void copy_tile(u32 stage, int tile, const u8* input, const u8* weights, const Windows& windows) {
    if (tile < end_tile()) {
        copy_input(stage * STAGE_BYTES, tile, input, windows);
        copy_weights(stage * STAGE_BYTES, tile, weights);
    }
    commit_async();  // even if nothing is copied: the groups are counted, and so no copy is left in the end
}

QK_FUNCTION void settle(Sums& sums) {
    QK_UNROLL
    for (int m = 0; m < FRAGMENTS_M; m++) {
        settle_sums<FRAGMENT_SUMS>(&sums[m][0][0]);
    }
}

template <int COUNT> QK_FUNCTION void multiply_steps(Sums& sums, u32 stage) {
    u32 rows = stage + thread_index() / 128 * (FRAGMENTS_M * FRAGMENT_BYTES);
    fence_products();
    QK_UNROLL
    for (int step = 0; step < COUNT; step++) {
        u64 right = describe_matrix<QK_BLOCK_K>(stage + INPUT_BYTES + step * 32);
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            u64 left = describe_matrix<QK_BLOCK_K>(rows + m * FRAGMENT_BYTES + step * 32);
            multiply_by_group<QK_IN_UNSIGNED, QK_BLOCK_N>(&sums[m][0][0], left, right);
        }
    }
    commit_products();
}

// Until the oldest tile under way is there, and nobody reads the one before the last.
QK_FUNCTION void await_tile() {
    wait_async<QK_STAGES - 3>();
    publish_shared();
    wait_products<1>();
    sync_threads();
}

QK_FUNCTION void multiply_matrices(Sums& sums, const u8* input, const u8* weights, const Windows& windows) {
    const int first = first_tile();
    const int end = SPLITS == 1 ? WHOLE_TILES : end_tile();
    QK_UNROLL
    for (int tile = 0; tile < QK_STAGES - 2; tile++) {
        copy_tile(tile, first + tile, input, weights, windows);
    }
    settle(sums);
    u32 stage = 0;
    u32 free_stage = QK_STAGES - 2;
    if (WHOLE_TILES > 0) {  // so every block has one, and the compiler knows
        int tile = first;
        QK_LOOP
        do {
            await_tile();
            multiply_steps<STEPS>(sums, stage * STAGE_BYTES);
            copy_tile(free_stage, tile + QK_STAGES - 2, input, weights, windows);
            stage = stage + 1 == QK_STAGES ? 0 : stage + 1;
            free_stage = free_stage + 1 == QK_STAGES ? 0 : free_stage + 1;
        } while (++tile < end);
    }
    if (WHOLE_TILES < TILES) {
        await_tile();
        multiply_steps<LAST_STEPS>(sums, stage * STAGE_BYTES);
    }
    wait_products<0>();
    settle(sums);
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
    multiply_matrices(sums, input, weights, windows);
    if (!join_sums(sums, scratch)) {
        return;
    }
    finish_sums(sums, bias);
    store_results(sums, multipliers, residual, output, first, rows);
}
