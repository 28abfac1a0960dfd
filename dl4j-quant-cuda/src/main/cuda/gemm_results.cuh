// SPDX-License-Identifier: Apache-2.0
//
// What the kernels of igemm.cu and wgmma.cu do with sums: start them with the biases, and make codes or values of them and store these.
// A warp has WARP_M x WARP_N of a block's sums, in fragments of 16 x 8. Its fragments lie below one another; or, if four warps multiply
// together (BY_GROUP), they are 64 rows apart, and the four warps' fragments lie between.
#pragma once

#include "device.cuh"
#include "gemm_tiles.cuh"
#include "rounding.cuh"
#if QK_RESIDUAL
#include "sum.cuh"
#endif

namespace {

constexpr int WARPS_N = QK_BLOCK_N / QK_WARP_N;
constexpr int FRAGMENTS_M = QK_WARP_M / 16;
constexpr int FRAGMENTS_N = QK_WARP_N / 16;                      // pairs of 8 columns

typedef s32 Sums[FRAGMENTS_M][2 * FRAGMENTS_N][4];

QK_FUNCTION u32 lane() { return thread_index() % 32; }
QK_FUNCTION u32 warp() { return thread_index() / 32; }
QK_FUNCTION u32 warp_column() { return warp() % WARPS_N * QK_WARP_N; }

// The block's row that fragment m begins with.
QK_FUNCTION u32 row_of(int m) {
    return QK_BY_GROUP ? (warp() / 4 * FRAGMENTS_M + m) * 64 + warp() % 4 * 16 : warp() / WARPS_N * QK_WARP_M + m * 16;
}

struct alignas(8) TwoInts {
    s32 first, second;
};
struct alignas(8) TwoFloats {
    float first, second;
};

QK_FUNCTION u32 column_of(int n) { return column_block() * QK_BLOCK_N + warp_column() + n * 8 + lane() % 4 * 2; }

// Where the sums of several blocks come together, or are 16 times too large, the biases are added behind.
constexpr bool BIAS_LAST = QK_PACKED_WEIGHTS || SPLITS > 1;

QK_FUNCTION TwoInts load_bias(int n, const s32* bias) {
    u32 column = column_of(n);
    return column < QK_FILTER_PITCH ? load_global(reinterpret_cast<const TwoInts*>(bias + column)) : TwoInts{0, 0};
}

QK_FUNCTION void start_sums(Sums& sums, const s32* bias) {
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        TwoInts start = BIAS_LAST ? TwoInts{0, 0} : load_bias(n, bias);
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            sums[m][n][0] = sums[m][n][2] = start.first;
            sums[m][n][1] = sums[m][n][3] = start.second;
        }
    }
}

// The products of packed weights were 16 times too large.
QK_FUNCTION void finish_sums(Sums& sums, const s32* bias) {
    if (!BIAS_LAST) {
        return;
    }
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        TwoInts start = load_bias(n, bias);
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            QK_UNROLL
            for (int i = 0; i < 4; i++) {
                u32 sum = static_cast<u32>(QK_PACKED_WEIGHTS ? sums[m][n][i] >> 4 : sums[m][n][i]);
                sums[m][n][i] = static_cast<s32>(sum + static_cast<u32>(i % 2 == 0 ? start.first : start.second));
            }
        }
    }
}

#if QK_SPLITS > 1
constexpr u32 COUNTERS = 1024;                  // the most tiles of a launch; what is added to lies behind
constexpr int TILE_SUMS = QK_BLOCK_M * QK_BLOCK_N;

// Adds up the sums of the blocks that share a tile; modulo 2^32 the order does not matter. Returns true in the block that comes last,
// which has all of them then, and leaves zeros in scratch for the next launch.
QK_FUNCTION bool join_sums(Sums& sums, u32* scratch) {
    u32 tile = block_row() * COLUMN_BLOCKS + column_block();
    u32* own = scratch + COUNTERS + tile * TILE_SUMS + thread_index();
    s32* flat = &sums[0][0][0];
    QK_UNROLL
    for (int i = 0; i < TILE_SUMS / THREADS; i++) {
        add_global(own + i * THREADS, static_cast<u32>(flat[i]));
    }
    publish_global();
    sync_threads();  // all of the block have added, and nobody reads shared memory any more
    if (thread_index() == 0) {
        store_shared<u32>(0, take_ticket(scratch + tile));
    }
    sync_threads();
    if (load_shared<u32>(0) != SPLITS - 1) {
        return false;
    }
    publish_global();
    QK_UNROLL
    for (int i = 0; i < TILE_SUMS / THREADS; i++) {
        flat[i] = static_cast<s32>(load_fresh(own + i * THREADS));
        store_fresh(own + i * THREADS, 0);
    }
    if (thread_index() == 0) {
        store_fresh(scratch + tile, 0);
    }
    return true;
}
#else
QK_FUNCTION bool join_sums(Sums&, u32*) { return true; }
#endif

#if QK_FLOAT_OUTPUT
QK_FUNCTION void store_results(const Sums& sums, const float* multipliers, const u8*, u8* output, u32 first, u32 rows) {
    float* values = reinterpret_cast<float*>(output);
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        QK_UNROLL
        for (int i = 0; i < 4; i++) {
            u32 channel = column_of(n) + i % 2;
            if (channel >= QK_FILTERS) {
                continue;
            }
            float multiplier = load_global(multipliers + channel);
            QK_UNROLL
            for (int m = 0; m < FRAGMENTS_M; m++) {
                u32 row = first + row_of(m) + lane() / 4 + i / 2 * 8;
                if (row < rows) {
                    u64 place = (static_cast<u64>(row / PIXELS) * QK_FILTERS + channel) * PIXELS + row % PIXELS;
                    store_global(values + place, multiply(to_float(sums[m][n][i]), multiplier));
                }
            }
        }
    }
}
#else
constexpr int RESULT_PITCH = QK_BLOCK_N + 16;  // of the codes in shared memory; 16 more keep them off one bank

QK_FUNCTION float value_of(s32 sum, float multiplier) {
    return multiply(QK_SHORT_SUMS ? short_to_float(sum) : to_float(sum), multiplier);
}

// The bounds are integers, so clamping first gives the same code; those of a byte need no clamping if code_pair PACKS.
QK_FUNCTION float clamped(float value) {
    value = QK_CLIPS_LOW ? most(value, QK_LOWEST) : value;
    return QK_CLIPS_HIGH ? least(value, QK_HIGHEST) : value;
}

QK_FUNCTION u16 first_codes(float first, float second) {
    return static_cast<u16>(code_pair<QK_PACKS, QK_OUT_UNSIGNED>(clamped(first), clamped(second), QK_ZERO));
}

#if QK_SECOND_COLUMN > 0
// From SECOND_COLUMN on the codes are of another layer, with another zero point or other bounds.
QK_FUNCTION float second_clamped(float value) {
    value = QK_SECOND_CLIPS_LOW ? most(value, QK_SECOND_LOWEST) : value;
    return QK_SECOND_CLIPS_HIGH ? least(value, QK_SECOND_HIGHEST) : value;
}

QK_FUNCTION u16 codes_at(u32 column, float first, float second) {
    if (column < QK_SECOND_COLUMN) {  // the same for all of a warp
        return first_codes(first, second);
    }
    return static_cast<u16>(
        code_pair<QK_SECOND_PACKS, QK_SECOND_OUT_UNSIGNED>(second_clamped(first), second_clamped(second), QK_SECOND_ZERO));
}
#else
QK_FUNCTION u16 codes_at(u32, float first, float second) { return first_codes(first, second); }
#endif

QK_FUNCTION u16 codes_of(u32 column, s32 first, s32 second, const TwoFloats& multiplier) {
    return codes_at(column, value_of(first, multiplier.first), value_of(second, multiplier.second));
}

QK_FUNCTION void stage_codes(const Sums& sums, const float* multipliers) {
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        TwoFloats multiplier = {0, 0};
        if (column_of(n) < QK_FILTER_PITCH) {
            multiplier = load_global(reinterpret_cast<const TwoFloats*>(multipliers + column_of(n)));
        }
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            u32 to = (row_of(m) + lane() / 4) * RESULT_PITCH + warp_column() + n * 8 + lane() % 4 * 2;
            const s32(&sum)[4] = sums[m][n];
            store_shared(to, codes_of(column_of(n), sum[0], sum[1], multiplier));
            store_shared(to + 8 * RESULT_PITCH, codes_of(column_of(n), sum[2], sum[3], multiplier));
        }
    }
}

#if QK_POOL
// The largest codes of four channels in a window of the pool. Its pixels outside the picture do not count; without dilation they may, since
// they are those at the border, which the window sees as well.
QK_FUNCTION u32 pool(const Pixel& under, u32 top, u32 left, u32 column) {
    u32 largest = QK_OUT_UNSIGNED ? 0 : 0x80808080u;
    u32 even = largest;  // with POOL_PAIRS, the codes of even places as the higher halves of numbers, and those of odd ones in `largest`
    QK_UNROLL
    for (int i = 0; i < QK_POOL_KERNEL_HEIGHT; i++) {
        QK_UNROLL
        for (int j = 0; j < QK_POOL_KERNEL_WIDTH; j++) {
            u32 y = top + i * QK_POOL_DILATION_HEIGHT;
            u32 x = left + j * QK_POOL_DILATION_WIDTH;
            bool inside_y = QK_POOL_DILATION_HEIGHT == 1 || under.y + y < QK_OUT_HEIGHT;  // as u32, so that none is below 0
            bool inside_x = QK_POOL_DILATION_WIDTH == 1 || under.x + x < QK_OUT_WIDTH;
            if (inside_y && inside_x) {
                u32 codes = load_shared<u32>((y * AREA_WIDTH + x) * RESULT_PITCH + column);
                if (QK_POOL_PAIRS) {
                    even = larger_pair<QK_OUT_UNSIGNED>(even, codes << 8);
                    largest = larger_pair<QK_OUT_UNSIGNED>(largest, codes);
                } else {
                    largest = larger_codes<QK_OUT_UNSIGNED>(largest, codes);
                }
            }
        }
    }
    return QK_POOL_PAIRS ? permute(even, largest, 0x7351) : largest;
}

QK_FUNCTION void store_results(const Sums& sums, const float* multipliers, const u8*, u8* output, u32, u32) {
    constexpr int WORDS = QK_BLOCK_N / 4;
    sync_threads();  // the last tile is still being read
    stage_codes(sums, multipliers);
    sync_threads();
    Pixel pooled = first_pooled();
    Pixel under = first_under(pooled);
    QK_LOOP
    for (int i = thread_index(); i < QK_POOL_TILE_HEIGHT * QK_POOL_TILE_WIDTH * WORDS; i += THREADS) {
        s32 in_tile_y = i / WORDS / QK_POOL_TILE_WIDTH;
        s32 in_tile_x = i / WORDS % QK_POOL_TILE_WIDTH;
        s32 y = pooled.y + in_tile_y;
        s32 x = pooled.x + in_tile_x;
        u32 channel = column_block() * QK_BLOCK_N + i % WORDS * 4;
        if (y < QK_POOLED_HEIGHT && x < QK_POOLED_WIDTH && channel < QK_FILTER_PITCH) {
            u32 codes = pool(under, in_tile_y * QK_POOL_STRIDE_HEIGHT, in_tile_x * QK_POOL_STRIDE_WIDTH, i % WORDS * 4);
            u64 pixel = (static_cast<u64>(pooled.example) * QK_POOLED_HEIGHT + y) * QK_POOLED_WIDTH + x;
            store_global(reinterpret_cast<u32*>(output + pixel * QK_OUT_PITCH + channel), codes);
        }
    }
}
#else
QK_FUNCTION void store_results(const Sums& sums, const float* multipliers, const u8* residual, u8* output, u32 first, u32 rows) {
    constexpr int CHUNKS_OF_BLOCK = QK_BLOCK_M * QK_BLOCK_N / 16;
    sync_threads();  // the last tile is still being read
    stage_codes(sums, multipliers);
    sync_threads();
    QK_UNROLL
    for (int i = thread_index(); i < CHUNKS_OF_BLOCK; i += THREADS) {
        u32 row = i / (QK_BLOCK_N / 16);
        u32 column = i % (QK_BLOCK_N / 16) * 16;
        u32 channel = column_block() * QK_BLOCK_N + column;
        if (first + row < rows && channel < QK_FILTER_PITCH) {
            Chunk codes = load_shared<Chunk>(row * RESULT_PITCH + column);
#if QK_RESIDUAL
            Chunk other = load_global(reinterpret_cast<const Chunk*>(residual + static_cast<u64>(first + row) * QK_RESIDUAL_PITCH + channel));
            codes = QK_RESIDUAL_RIGHT ? sum_codes(codes, other) : sum_codes(other, codes);
#else
            static_cast<void>(residual);
#endif
            store_global(reinterpret_cast<Chunk*>(output + static_cast<u64>(first + row) * QK_OUT_PITCH + channel), codes);
        }
    }
}
#endif
#endif

}  // namespace
