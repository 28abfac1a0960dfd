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
//     output       codes [example][out height][out width][OUT_PITCH], or float32 [example][channel][out height][out width] (FLOAT_OUTPUT)
//
// k counts chunks of 16 bytes: over kernel rows, kernel columns, and chunks of channels; or, if a pixel is 4 bytes (IN_PITCH 4), over
// kernel rows and runs of 4 pixels. Launched with one block of BLOCK_M rows for each of x and BLOCK_N columns for each of y. Each warp
// has a part of WARP_M x WARP_N. example * out height * out width must be below 2^32.
//
// Tiles of both matrices lie in shared memory, BLOCK_K codes a row, in STAGES stages: with ASYNC the copies of the next STAGES - 1 tiles
// are under way while one is multiplied; without, one tile waits in registers. Chunks of a row are permuted so that neither
// the copies nor the loads of fragments meet in a bank.
#include "device.cuh"
#if QK_RESIDUAL
#include "sum.cuh"
#endif

namespace {

constexpr bool ASYNC = QK_ASYNC;
constexpr int THREADS = QK_THREADS;
constexpr int PIXELS = QK_OUT_HEIGHT * QK_OUT_WIDTH;
constexpr bool PADDED = QK_PADDED;
constexpr bool SMALL_PIXELS = QK_IN_PITCH == 4;
constexpr u32 PAD_WORD = 0x01010101u * QK_PAD_CODE;

constexpr int CHUNKS_A_PIXEL = QK_CHANNELS / 16;                 // unless SMALL_PIXELS
constexpr int CHUNKS_A_ROW = SMALL_PIXELS ? (QK_KERNEL_WIDTH + 3) / 4 : QK_KERNEL_WIDTH * CHUNKS_A_PIXEL;
constexpr int CHUNKS = QK_KERNEL_HEIGHT * CHUNKS_A_ROW;          // of the whole sum
constexpr int WEIGHT_CHUNKS = QK_PACKED_WEIGHTS ? (CHUNKS + 1) / 2 : CHUNKS;

constexpr int TILE_CHUNKS = QK_BLOCK_K / 16;                     // in a row of a tile
constexpr int WEIGHT_TILE_CHUNKS = QK_PACKED_WEIGHTS ? TILE_CHUNKS / 2 : TILE_CHUNKS;
constexpr int TILES = (CHUNKS + TILE_CHUNKS - 1) / TILE_CHUNKS;
constexpr int STEPS = QK_BLOCK_K / 32;                           // multiplications along K in a tile

constexpr int INPUT_LOADS = QK_BLOCK_M * TILE_CHUNKS / THREADS;  // by each thread for a tile
constexpr int WEIGHT_LOADS = QK_BLOCK_N * WEIGHT_TILE_CHUNKS / THREADS;
constexpr int INPUT_BYTES = QK_BLOCK_M * TILE_CHUNKS * 16;
constexpr int STAGE_BYTES = INPUT_BYTES + QK_BLOCK_N * WEIGHT_TILE_CHUNKS * 16;

constexpr int WARPS_N = QK_BLOCK_N / QK_WARP_N;
constexpr int FRAGMENTS_M = QK_WARP_M / 16;
constexpr int FRAGMENTS_N = QK_WARP_N / 16;                      // pairs of 8 columns

static_assert(THREADS == 32 * (QK_BLOCK_M / QK_WARP_M) * WARPS_N, "a warp for each part");
static_assert(INPUT_LOADS * THREADS == QK_BLOCK_M * TILE_CHUNKS, "equal loads");
static_assert(WEIGHT_LOADS * THREADS == QK_BLOCK_N * WEIGHT_TILE_CHUNKS, "equal loads");

// Where this thread's windows begin; the window of a row beyond the last is that of the last row, and never stored.
struct Windows {
    const u8* corner[INPUT_LOADS];  // of the window's first code, which may lie outside the image
    s32 top[INPUT_LOADS];
    s32 left[INPUT_LOADS];
};

struct InRegisters {
    Chunk input[INPUT_LOADS];
    Chunk weights[WEIGHT_LOADS];
};

// Byte offset of a chunk in a tile of `chunks` a row; eight rows' chunks of one column lie in eight different groups of banks.
template <int CHUNKS_OF_ROW> QK_FUNCTION u32 place(u32 row, u32 chunk) {
    u32 permuted = CHUNKS_OF_ROW == 8 ? row & 7 : CHUNKS_OF_ROW == 4 ? row >> 1 & 3 : row >> 2 & 1;
    return (row * CHUNKS_OF_ROW + (chunk ^ permuted)) * 16;
}

QK_FUNCTION Windows find_windows(const u8* input, u32 first, u32 rows) {
    Windows windows;
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        u32 row = first + thread_index() / TILE_CHUNKS + i * (THREADS / TILE_CHUNKS);
        row = row < rows ? row : rows - 1;
        u32 example = row / PIXELS;
        u32 pixel = row % PIXELS;
        windows.top[i] = static_cast<s32>(pixel / QK_OUT_WIDTH) * QK_STRIDE_HEIGHT - QK_PAD_TOP;
        windows.left[i] = static_cast<s32>(pixel % QK_OUT_WIDTH) * QK_STRIDE_WIDTH - QK_PAD_LEFT;
        s64 image = static_cast<s64>(example) * (QK_HEIGHT * QK_WIDTH);
        windows.corner[i] = input + (image + windows.top[i] * QK_WIDTH + windows.left[i]) * QK_IN_PITCH;
    }
    return windows;
}

QK_FUNCTION bool is_outside(s32 y, s32 x) {
    return PADDED && (static_cast<u32>(y) >= QK_HEIGHT || static_cast<u32>(x) >= QK_WIDTH);
}

// Where a thread's chunk of a tile lies in all its windows.
struct Tap {
    s32 y;
    s32 x;
    s64 offset;
    bool beyond;  // the end of the sum: the weights are 0
};

QK_FUNCTION Tap find_tap(int tile) {
    u32 chunk = tile * TILE_CHUNKS + thread_index() % TILE_CHUNKS;
    u32 kernel_row = chunk / CHUNKS_A_ROW;
    u32 in_row = chunk % CHUNKS_A_ROW;
    u32 kernel_column = SMALL_PIXELS ? in_row * 4 : in_row / (SMALL_PIXELS ? 1 : CHUNKS_A_PIXEL);
    u32 in_pixel = SMALL_PIXELS ? 0 : in_row % (SMALL_PIXELS ? 1 : CHUNKS_A_PIXEL) * 16;
    Tap tap;
    tap.y = kernel_row * QK_DILATION_HEIGHT;
    tap.x = kernel_column * QK_DILATION_WIDTH;
    tap.offset = static_cast<s64>(tap.y * QK_WIDTH + tap.x) * QK_IN_PITCH + in_pixel;
    tap.beyond = CHUNKS % TILE_CHUNKS != 0 && chunk >= CHUNKS;
    return tap;
}

// Whether pixel e of a run of four is to be left out: beyond the kernel, where the weights are 0.
QK_FUNCTION bool is_beyond(const Tap& tap, int e) {
    return tap.beyond || (QK_KERNEL_WIDTH % 4 != 0 && tap.x + e * QK_DILATION_WIDTH >= QK_KERNEL_WIDTH * QK_DILATION_WIDTH);
}

QK_FUNCTION void copy_input(u32 stage, int tile, const u8* input, const Windows& windows) {
    Tap tap = find_tap(tile);
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        u32 to = stage + place<TILE_CHUNKS>(thread_index() / TILE_CHUNKS + i * (THREADS / TILE_CHUNKS), thread_index() % TILE_CHUNKS);
        if (SMALL_PIXELS) {
            QK_UNROLL
            for (int e = 0; e < 4; e++) {
                bool outside = is_outside(windows.top[i] + tap.y, windows.left[i] + tap.x + e * QK_DILATION_WIDTH);
                bool none = outside || is_beyond(tap, e);
                const u8* from = windows.corner[i] + tap.offset + e * (QK_DILATION_WIDTH * QK_IN_PITCH);
                if (outside && PAD_WORD != 0) {
                    store_shared<u32>(to + 4 * e, PAD_WORD);
                } else {
                    copy_async<4>(to + 4 * e, none ? input : from, none);
                }
            }
            continue;
        }
        bool outside = is_outside(windows.top[i] + tap.y, windows.left[i] + tap.x);
        bool none = outside || tap.beyond;
        if (outside && PAD_WORD != 0) {
            store_shared<Chunk>(to, {PAD_WORD, PAD_WORD, PAD_WORD, PAD_WORD});
        } else {
            copy_async<16>(to, none ? input : windows.corner[i] + tap.offset, none);
        }
    }
}

QK_FUNCTION Chunk load_small_pixels(const u8* corner, s32 top, s32 left, const Tap& tap) {
    u32 words[4];
    QK_UNROLL
    for (int e = 0; e < 4; e++) {
        bool outside = is_outside(top + tap.y, left + tap.x + e * QK_DILATION_WIDTH);
        const u8* from = corner + tap.offset + e * (QK_DILATION_WIDTH * QK_IN_PITCH);
        words[e] = outside || is_beyond(tap, e) ? PAD_WORD : load_global(reinterpret_cast<const u32*>(from));
    }
    return {words[0], words[1], words[2], words[3]};
}

QK_FUNCTION void load_input(Chunk (&to)[INPUT_LOADS], int tile, const Windows& windows) {
    Tap tap = find_tap(tile);
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        if (SMALL_PIXELS) {
            to[i] = load_small_pixels(windows.corner[i], windows.top[i], windows.left[i], tap);
        } else if (tap.beyond || is_outside(windows.top[i] + tap.y, windows.left[i] + tap.x)) {
            to[i] = {PAD_WORD, PAD_WORD, PAD_WORD, PAD_WORD};
        } else {
            to[i] = load_global(reinterpret_cast<const Chunk*>(windows.corner[i] + tap.offset));
        }
    }
}

// The chunk of weights that is this thread's, and whether there is one.
QK_FUNCTION bool find_weights(int tile, int i, const u8*& from, const u8* weights) {
    u32 filter = block_column() * QK_BLOCK_N + thread_index() / WEIGHT_TILE_CHUNKS + i * (THREADS / WEIGHT_TILE_CHUNKS);
    u32 chunk = tile * WEIGHT_TILE_CHUNKS + thread_index() % WEIGHT_TILE_CHUNKS;
    bool found = filter < QK_FILTER_PITCH && (WEIGHT_CHUNKS % WEIGHT_TILE_CHUNKS == 0 || chunk < WEIGHT_CHUNKS);
    from = found ? weights + (static_cast<u64>(filter) * WEIGHT_CHUNKS + chunk) * 16 : weights;
    return found;
}

QK_FUNCTION u32 weights_place(int i) {
    return INPUT_BYTES + place<WEIGHT_TILE_CHUNKS>(thread_index() / WEIGHT_TILE_CHUNKS + i * (THREADS / WEIGHT_TILE_CHUNKS),
                                                   thread_index() % WEIGHT_TILE_CHUNKS);
}

QK_FUNCTION void copy_weights(u32 stage, int tile, const u8* weights) {
    QK_UNROLL
    for (int i = 0; i < WEIGHT_LOADS; i++) {
        const u8* from;
        bool found = find_weights(tile, i, from, weights);
        copy_async<16>(stage + weights_place(i), from, !found);
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

typedef s32 Sums[FRAGMENTS_M][2 * FRAGMENTS_N][4];

QK_FUNCTION u32 lane() { return thread_index() % 32; }
QK_FUNCTION u32 warp_row() { return thread_index() / 32 / WARPS_N * QK_WARP_M; }
QK_FUNCTION u32 warp_column() { return thread_index() / 32 % WARPS_N * QK_WARP_N; }

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
    load_matrix4(fragment, stage + place<TILE_CHUNKS>(warp_row() + m * 16 + lane() % 16, step * 2 + lane() / 16));
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
    QK_UNROLL
    for (int tile = 0; tile < QK_STAGES - 1; tile++) {
        if (tile < TILES) {
            copy_input(tile * STAGE_BYTES, tile, input, windows);
            copy_weights(tile * STAGE_BYTES, tile, weights);
        }
        commit_async();
    }
    u32 stage = 0;
    u32 free_stage = QK_STAGES - 1;
    QK_LOOP
    for (int tile = 0; tile < TILES; tile++) {
        wait_async<QK_STAGES - 2>();
        sync_threads();
        if (tile + QK_STAGES - 1 < TILES) {
            copy_input(free_stage * STAGE_BYTES, tile + QK_STAGES - 1, input, windows);
            copy_weights(free_stage * STAGE_BYTES, tile + QK_STAGES - 1, weights);
        }
        commit_async();  // even if nothing is copied: the groups are counted, and so no copy is left in the end
        multiply_tile(sums, stage * STAGE_BYTES);
        stage = stage + 1 == QK_STAGES ? 0 : stage + 1;
        free_stage = free_stage + 1 == QK_STAGES ? 0 : free_stage + 1;
    }
}

QK_FUNCTION void multiply_through_registers(Sums& sums, const u8* weights, const Windows& windows) {
    InRegisters next;
    load_input(next.input, 0, windows);
    load_weights(next.weights, 0, weights);
    store_tile(0, next);
    sync_threads();
    QK_LOOP
    for (int tile = 0; tile < TILES; tile++) {
        if (tile + 1 < TILES) {
            load_input(next.input, tile + 1, windows);
            load_weights(next.weights, tile + 1, weights);
        }
        multiply_tile(sums, tile % 2 * STAGE_BYTES);
        if (tile + 1 < TILES) {
            store_tile((tile + 1) % 2 * STAGE_BYTES, next);
        }
        sync_threads();
    }
}

struct alignas(8) TwoInts {
    s32 first, second;
};
struct alignas(8) TwoFloats {
    float first, second;
};

QK_FUNCTION u32 column_of(int n) { return block_column() * QK_BLOCK_N + warp_column() + n * 8 + lane() % 4 * 2; }

QK_FUNCTION void start_sums(Sums& sums, const s32* bias) {
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        u32 column = column_of(n);
        TwoInts start = {0, 0};
        if (!QK_PACKED_WEIGHTS && column < QK_FILTER_PITCH) {
            start = load_global(reinterpret_cast<const TwoInts*>(bias + column));
        }
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            sums[m][n][0] = sums[m][n][2] = start.first;
            sums[m][n][1] = sums[m][n][3] = start.second;
        }
    }
}

#if QK_PACKED_WEIGHTS
// The products were 16 times too large.
QK_FUNCTION void finish_sums(Sums& sums, const s32* bias) {
    QK_UNROLL
    for (int n = 0; n < 2 * FRAGMENTS_N; n++) {
        u32 column = column_of(n);
        TwoInts start = {0, 0};
        if (column < QK_FILTER_PITCH) {
            start = load_global(reinterpret_cast<const TwoInts*>(bias + column));
        }
        QK_UNROLL
        for (int m = 0; m < FRAGMENTS_M; m++) {
            QK_UNROLL
            for (int i = 0; i < 4; i++) {
                u32 sum = static_cast<u32>(sums[m][n][i] >> 4);
                sums[m][n][i] = static_cast<s32>(sum + static_cast<u32>(i % 2 == 0 ? start.first : start.second));
            }
        }
    }
}
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
                u32 row = first + warp_row() + m * 16 + lane() / 4 + i / 2 * 8;
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

// The bounds are integers, so clamping first gives the same code.
QK_FUNCTION u32 code_of(s32 sum, float multiplier) {
    float codes = least(most(multiply(to_float(sum), multiplier), QK_LOWEST), QK_HIGHEST);
    return static_cast<u32>(round_to_int(codes) + QK_ZERO) & 0xff;
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
            u32 to = (warp_row() + m * 16 + lane() / 4) * RESULT_PITCH + warp_column() + n * 8 + lane() % 4 * 2;
            const s32(&sum)[4] = sums[m][n];
            store_shared<u16>(to, code_of(sum[0], multiplier.first) | code_of(sum[1], multiplier.second) << 8);
            store_shared<u16>(to + 8 * RESULT_PITCH, code_of(sum[2], multiplier.first) | code_of(sum[3], multiplier.second) << 8);
        }
    }
}

QK_FUNCTION void store_results(const Sums& sums, const float* multipliers, const u8* residual, u8* output, u32 first, u32 rows) {
    constexpr int CHUNKS_OF_BLOCK = QK_BLOCK_M * QK_BLOCK_N / 16;
    sync_threads();  // the last tile is still being read
    stage_codes(sums, multipliers);
    sync_threads();
    QK_UNROLL
    for (int i = thread_index(); i < CHUNKS_OF_BLOCK; i += THREADS) {
        u32 row = i / (QK_BLOCK_N / 16);
        u32 column = i % (QK_BLOCK_N / 16) * 16;
        u32 channel = block_column() * QK_BLOCK_N + column;
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

}  // namespace

QK_KERNEL(const u8* input, const u8* weights, const s32* bias, const float* multipliers, const u8* residual, u8* output, u64 examples) {
    u32 rows = static_cast<u32>(examples) * PIXELS;
    u32 first = block_row() * QK_BLOCK_M;
    Windows windows = find_windows(input, first, rows);
    Sums sums;
    start_sums(sums, bias);
    if (ASYNC) {
        multiply_async(sums, input, weights, windows);
    } else {
        multiply_through_registers(sums, weights, windows);
    }
#if QK_PACKED_WEIGHTS
    finish_sums(sums, bias);
#endif
    store_results(sums, multipliers, residual, output, first, rows);
}
