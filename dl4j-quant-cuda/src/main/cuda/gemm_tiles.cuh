// SPDX-License-Identifier: Apache-2.0
//
// How the kernels of igemm.cu and wgmma.cu bring tiles of both matrices into shared memory: BLOCK_K codes a row, BLOCK_M rows of the
// input's windows and then BLOCK_N filters. k counts chunks of 16 bytes: over kernel rows, kernel columns, and chunks of channels; or, if a
// pixel is 4 bytes (IN_PITCH 4), over kernel rows and runs of 4 pixels.
#pragma once

#include "device.cuh"

namespace {

constexpr int THREADS = QK_THREADS;
constexpr int PIXELS = QK_OUT_HEIGHT * QK_OUT_WIDTH;
constexpr bool PADDED = QK_PADDED;
constexpr bool SMALL_PIXELS = QK_IN_PITCH == 4;
constexpr u32 PAD_WORD = 0x01010101u * QK_PAD_CODE;
constexpr int UNIT = SMALL_PIXELS ? 4 : 16;                      // bytes; the input has fewer than 2^31 of them

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

constexpr int SPLITS = QK_SPLITS;                                // blocks that share a tile of the result, each with a part of the sum
constexpr int TILES_OF_SPLIT = (TILES + SPLITS - 1) / SPLITS;    // fewer in the last
constexpr int COLUMN_BLOCKS = (QK_FILTER_PITCH + QK_BLOCK_N - 1) / QK_BLOCK_N;

static_assert((SPLITS - 1) * TILES_OF_SPLIT < TILES, "every block has a part");
static_assert(INPUT_LOADS * THREADS == QK_BLOCK_M * TILE_CHUNKS, "equal loads");
static_assert(WEIGHT_LOADS * THREADS == QK_BLOCK_N * WEIGHT_TILE_CHUNKS, "equal loads");

QK_FUNCTION u32 column_block() { return SPLITS == 1 ? block_column() : block_column() / SPLITS; }

// The tiles of K that are the block's part.
QK_FUNCTION int first_tile() { return SPLITS == 1 ? 0 : static_cast<int>(block_column() % SPLITS) * TILES_OF_SPLIT; }
QK_FUNCTION int end_tile() {
    int end = first_tile() + TILES_OF_SPLIT;
    return SPLITS == 1 || end > TILES ? TILES : end;
}

// The pixel of the result that a row of the block is.
struct Pixel {
    u32 example;
    s32 y;
    s32 x;
};

#if QK_POOL
// The rows are the pixels under a tile of the pooled result, TILE_HEIGHT x TILE_WIDTH of its pixels. Windows of neighbouring tiles overlap:
// the pixels that both need are computed by both.
constexpr int AREA_HEIGHT = (QK_POOL_TILE_HEIGHT - 1) * QK_POOL_STRIDE_HEIGHT + (QK_POOL_KERNEL_HEIGHT - 1) * QK_POOL_DILATION_HEIGHT + 1;
constexpr int AREA_WIDTH = (QK_POOL_TILE_WIDTH - 1) * QK_POOL_STRIDE_WIDTH + (QK_POOL_KERNEL_WIDTH - 1) * QK_POOL_DILATION_WIDTH + 1;
constexpr u32 TILES_DOWN = (QK_POOLED_HEIGHT + QK_POOL_TILE_HEIGHT - 1) / QK_POOL_TILE_HEIGHT;
constexpr u32 TILES_ACROSS = (QK_POOLED_WIDTH + QK_POOL_TILE_WIDTH - 1) / QK_POOL_TILE_WIDTH;

static_assert(AREA_HEIGHT * AREA_WIDTH <= QK_BLOCK_M, "a row for each pixel of the area");

// The first pixel of the block's tile of the pooled result.
QK_FUNCTION Pixel first_pooled() {
    return {block_row() / (TILES_DOWN * TILES_ACROSS), static_cast<s32>(block_row() / TILES_ACROSS % TILES_DOWN) * QK_POOL_TILE_HEIGHT,
            static_cast<s32>(block_row() % TILES_ACROSS) * QK_POOL_TILE_WIDTH};
}

// The first pixel under it, which may lie outside.
QK_FUNCTION Pixel first_under(const Pixel& pooled) {
    return {pooled.example, pooled.y * QK_POOL_STRIDE_HEIGHT - QK_POOL_PAD_TOP, pooled.x * QK_POOL_STRIDE_WIDTH - QK_POOL_PAD_LEFT};
}

// For a place outside, that at the border.
QK_FUNCTION s32 inside(s32 at, s32 size) { return at < 0 ? 0 : at < size ? at : size - 1; }

QK_FUNCTION Pixel find_pixel(u32, u32, u32 in_block) {
    Pixel pixel = first_under(first_pooled());
    pixel.y = inside(pixel.y + static_cast<s32>(in_block / AREA_WIDTH), QK_OUT_HEIGHT);
    pixel.x = inside(pixel.x + static_cast<s32>(in_block % AREA_WIDTH), QK_OUT_WIDTH);
    return pixel;
}
#else
// A row beyond the last is the last.
QK_FUNCTION Pixel find_pixel(u32 first, u32 rows, u32 in_block) {
    u32 row = first + in_block;
    row = row < rows ? row : rows - 1;
    return {row / PIXELS, static_cast<s32>(row % PIXELS / QK_OUT_WIDTH), static_cast<s32>(row % PIXELS % QK_OUT_WIDTH)};
}
#endif

// Where this thread's windows begin; the window of a row beyond the last is that of the last row, and never stored.
struct Windows {
    s32 corner[INPUT_LOADS];  // how many units into the input the window's first code is, which may lie outside the image
    s32 top[INPUT_LOADS];
    s32 left[INPUT_LOADS];
};

// Byte offset of a chunk in a tile of `chunks` a row; eight rows' chunks of one column lie in eight different groups of banks.
template <int CHUNKS_OF_ROW> QK_FUNCTION u32 place(u32 row, u32 chunk) {
    u32 permuted = CHUNKS_OF_ROW == 8 ? row & 7 : CHUNKS_OF_ROW == 4 ? row >> 1 & 3 : row >> 2 & 1;
    return (row * CHUNKS_OF_ROW + (chunk ^ permuted)) * 16;
}

QK_FUNCTION Windows find_windows(u32 first, u32 rows) {
    Windows windows;
    QK_UNROLL
    for (int i = 0; i < INPUT_LOADS; i++) {
        Pixel pixel = find_pixel(first, rows, thread_index() / TILE_CHUNKS + i * (THREADS / TILE_CHUNKS));
        windows.top[i] = pixel.y * QK_STRIDE_HEIGHT - QK_PAD_TOP;
        windows.left[i] = pixel.x * QK_STRIDE_WIDTH - QK_PAD_LEFT;
        s32 image = static_cast<s32>(pixel.example * (QK_HEIGHT * QK_WIDTH));
        windows.corner[i] = (image + windows.top[i] * QK_WIDTH + windows.left[i]) * (QK_IN_PITCH / UNIT);
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
    s32 offset;  // in units
    bool beyond;  // the end of the sum: the weights are 0
};

QK_FUNCTION Tap find_tap(int tile) {
    u32 chunk = tile * TILE_CHUNKS + thread_index() % TILE_CHUNKS;
    u32 kernel_row = chunk / CHUNKS_A_ROW;
    u32 in_row = chunk % CHUNKS_A_ROW;
    u32 kernel_column = SMALL_PIXELS ? in_row * 4 : in_row / (SMALL_PIXELS ? 1 : CHUNKS_A_PIXEL);
    u32 in_pixel = SMALL_PIXELS ? 0 : in_row % (SMALL_PIXELS ? 1 : CHUNKS_A_PIXEL);
    Tap tap;
    tap.y = kernel_row * QK_DILATION_HEIGHT;
    tap.x = kernel_column * QK_DILATION_WIDTH;
    tap.offset = (tap.y * QK_WIDTH + tap.x) * (QK_IN_PITCH / UNIT) + in_pixel;
    tap.beyond = CHUNKS % TILE_CHUNKS != 0 && chunk >= CHUNKS;
    return tap;
}

// Whether pixel e of a run of four is to be left out: beyond the kernel, where the weights are 0.
QK_FUNCTION bool is_beyond(const Tap& tap, int e) {
    return tap.beyond || (QK_KERNEL_WIDTH % 4 != 0 && tap.x + e * QK_DILATION_WIDTH >= QK_KERNEL_WIDTH * QK_DILATION_WIDTH);
}

QK_FUNCTION const u8* at(const u8* input, s32 units) { return input + static_cast<s64>(units) * UNIT; }

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
                const u8* from = at(input, windows.corner[i] + tap.offset + e * (QK_DILATION_WIDTH * QK_IN_PITCH / UNIT));
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
            copy_async<16>(to, none ? input : at(input, windows.corner[i] + tap.offset), none);
        }
    }
}

// The chunk of weights that is this thread's, and whether there is one.
QK_FUNCTION bool find_weights(int tile, int i, const u8*& from, const u8* weights) {
    u32 filter = column_block() * QK_BLOCK_N + thread_index() / WEIGHT_TILE_CHUNKS + i * (THREADS / WEIGHT_TILE_CHUNKS);
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

}  // namespace
