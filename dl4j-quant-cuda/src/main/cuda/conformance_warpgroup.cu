// SPDX-License-Identifier: Apache-2.0
//
// Calls the functions of device.cuh that multiply by warpgroups, for every width of rows and columns, so that a GPU and the model of it on
// the CPU can be compared with what WarpgroupConformance.java says of them. 128 threads for each example.
//
//     input   codes [64][128], codes [256][128] of each example
//     output  [example][thread][352] words: 128 of products of all 128 codes, 64 of those of two quarters, 2 x 32 and 96 of those of one
#include "device.cuh"

namespace {

constexpr u32 THREADS = 128;
constexpr u32 LEFT_ROWS = 64;
constexpr u32 RIGHT_ROWS = 256;
constexpr u32 ROW_CODES = 128;
constexpr u32 LEFT = 0;
constexpr u32 RIGHT = LEFT_ROWS * ROW_CODES;
constexpr u32 EXAMPLE_BYTES = (LEFT_ROWS + RIGHT_ROWS) * ROW_CODES;
constexpr u32 WORDS = 352;  // of each thread

// Where 32 codes of the first row begin, in panels of ROW_BYTES.
template <int ROW_BYTES> QK_FUNCTION u32 panel(u32 rows, u32 quarter) {
    return quarter * 32 / ROW_BYTES * rows * ROW_BYTES + quarter * 32 % ROW_BYTES;
}

template <int ROW_BYTES> QK_FUNCTION void store_matrix(u32 to, const u8* from, u32 rows) {
    constexpr u32 CHUNKS = ROW_BYTES / 16;
    for (u32 i = thread_index(); i < rows * 8; i += THREADS) {
        u32 row = i / 8;
        u32 chunk = i % 8;
        u32 plain = to + chunk / CHUNKS * rows * ROW_BYTES + row * ROW_BYTES + chunk % CHUNKS * 16;
        u32 place = plain ^ (plain >> 7 & (CHUNKS - 1)) << 4;
        if (ROW_BYTES == 128) {
            copy_async<16>(place, from + i * 16, false);
        } else {
            store_shared(place, load_global(reinterpret_cast<const Chunk*>(from + i * 16)));
        }
    }
    commit_async();
    wait_async<0>();
}

template <int ROW_BYTES> QK_FUNCTION void store_matrices(const u8* input) {
    sync_threads();  // what was stored before is still being read
    store_matrix<ROW_BYTES>(LEFT, input, LEFT_ROWS);
    store_matrix<ROW_BYTES>(RIGHT, input + RIGHT, RIGHT_ROWS);
    publish_shared();
    sync_threads();
}

template <bool LEFT_UNSIGNED, int COLUMNS, int ROW_BYTES> QK_FUNCTION void multiply_quarter(s32* sums, u32 quarter) {
    u64 left = describe_matrix<ROW_BYTES>(LEFT + panel<ROW_BYTES>(LEFT_ROWS, quarter));
    u64 right = describe_matrix<ROW_BYTES>(RIGHT + panel<ROW_BYTES>(RIGHT_ROWS, quarter));
    multiply_by_group<LEFT_UNSIGNED, COLUMNS>(sums, left, right);
}

template <int COUNT> QK_FUNCTION void start(s32 (&sums)[COUNT], s32 first) {
    QK_UNROLL
    for (int i = 0; i < COUNT; i++) {
        sums[i] = first + i;
    }
}

template <int COUNT> QK_FUNCTION void store(u32* output, s32 (&sums)[COUNT]) {
    settle_sums<COUNT>(sums);
    QK_UNROLL
    for (int i = 0; i < COUNT; i++) {
        store_global(output + i, static_cast<u32>(sums[i]));
    }
}

QK_FUNCTION void multiply_wide_rows(const u8* input, u32* output) {
    store_matrices<128>(input);
    s32 sums[128];
    start(sums, 1);
    settle_sums<128>(sums);
    fence_products();
    multiply_quarter<false, 256, 128>(sums, 0);
    multiply_quarter<false, 256, 128>(sums, 1);
    commit_products();
    multiply_quarter<false, 256, 128>(sums, 2);
    multiply_quarter<false, 256, 128>(sums, 3);
    commit_products();
    wait_products<1>();
    wait_products<0>();
    store(output, sums);
}

QK_FUNCTION void multiply_fewer_columns(u32* output) {
    s32 sums[96];
    start(sums, 300);
    settle_sums<96>(sums);
    fence_products();
    multiply_quarter<true, 192, 128>(sums, 1);
    commit_products();
    wait_products<0>();
    store(output, sums);
}

QK_FUNCTION void multiply_half_rows(const u8* input, u32* output) {
    store_matrices<64>(input);
    s32 sums[64];
    start(sums, -7);
    settle_sums<64>(sums);
    fence_products();
    multiply_quarter<true, 128, 64>(sums, 3);
    multiply_quarter<true, 128, 64>(sums, 0);
    commit_products();
    wait_products<0>();
    store(output, sums);
}

QK_FUNCTION void multiply_quarter_rows(const u8* input, u32* output) {
    store_matrices<32>(input);
    s32 sums[2][32];
    start(sums[0], 100);
    start(sums[1], 200);
    settle_sums<32>(sums[0]);
    settle_sums<32>(sums[1]);
    fence_products();
    multiply_quarter<false, 64, 32>(sums[0], 2);
    commit_products();
    multiply_quarter<true, 64, 32>(sums[1], 2);
    commit_products();
    wait_products<1>();
    store(output, sums[0]);
    wait_products<0>();
    store(output + 32, sums[1]);
}

}  // namespace

QK_KERNEL(const u8* input, u32* output, u64) {
    const u8* own = input + static_cast<u64>(block_row()) * EXAMPLE_BYTES;
    u32* results = output + (static_cast<u64>(block_row()) * THREADS + thread_index()) * WORDS;
    multiply_wide_rows(own, results);
    multiply_fewer_columns(results + 256);
    multiply_half_rows(own, results + 128);
    multiply_quarter_rows(own, results + 192);
}
