// SPDX-License-Identifier: Apache-2.0
//
// A depthwise convolution: each filter sees one channel, and each channel has GROUP_FILTERS filters.
//
//     input        codes [example][height][width][IN_PITCH]
//     weights      codes [FILTER_PITCH / 4][kernel row][run of 4 kernel columns][4 filters][4 columns]
//     bias         int32 [FILTER_PITCH]; holds -(input's zero point) * (sum of the channel's weights) as well
//     multipliers  float32 [FILTER_PITCH]
//     output       codes [example][out height][out width][OUT_PITCH], or float32 [example][channel][out height][out width] (FLOAT_OUTPUT)
//
// Each thread makes four neighbouring filters of TILE_ROWS x TILE_COLUMNS pixels; neighbouring threads make neighbouring filters, so that
// what they read and write lies side by side. Words of the image hold four channels of a pixel. Four pixels' words are transposed to
// words of four columns of one channel, which an instruction multiplies with four weights and sums up. A word serves all windows that
// have it: shifted weights (zeros in front) make the windows that begin a little later.
//
// With a dilation, a thread's pixels are so far apart that their windows meet in the same rows and columns of the image: those that are
// DILATION apart are the only ones that it reads, and in terms of these there is no dilation.
//
// For each output a 3 x 3 convolution with stride 1 moves 2 bytes (what windows share comes from the cache) and multiplies 3 times; with
// TILE_ROWS 7 and TILE_COLUMNS 4 it further takes about 1 byte permutation, 1 load with its bounds, and 8 instructions to round the
// result. An H200 issues 30e12 instructions of a thread in a second and moves 4.3e12 bytes: 2.3e12 outputs against 2.1e12, so that
// the memory is the bound.
#include "codes.cuh"

namespace {

QK_FUNCTION constexpr int common(int a, int b) { return b == 0 ? a : common(b, a % b); }

constexpr u32 PIXELS = QK_OUT_HEIGHT * QK_OUT_WIDTH;
constexpr u32 WORDS = (QK_FILTERS + 3) / 4;
constexpr u32 PAD_WORD = 0x01010101u * QK_PAD_CODE;

// Between a thread's pixels, and between their windows in units of the dilation.
constexpr int SPACING_Y = QK_DILATION_HEIGHT / common(QK_STRIDE_HEIGHT, QK_DILATION_HEIGHT);
constexpr int SPACING_X = QK_DILATION_WIDTH / common(QK_STRIDE_WIDTH, QK_DILATION_WIDTH);
constexpr int STEP_Y = QK_STRIDE_HEIGHT / common(QK_STRIDE_HEIGHT, QK_DILATION_HEIGHT);
constexpr int STEP_X = QK_STRIDE_WIDTH / common(QK_STRIDE_WIDTH, QK_DILATION_WIDTH);

// Threads along each side of the result.
constexpr u32 TILES_Y = (QK_OUT_HEIGHT + QK_TILE_ROWS * SPACING_Y - 1) / (QK_TILE_ROWS * SPACING_Y) * SPACING_Y;
constexpr u32 TILES_X = (QK_OUT_WIDTH + QK_TILE_COLUMNS * SPACING_X - 1) / (QK_TILE_COLUMNS * SPACING_X) * SPACING_X;
constexpr u32 UNITS = WORDS * TILES_Y * TILES_X;

// Rows and columns of the image that a thread reads.
constexpr int SPAN_Y = (QK_TILE_ROWS - 1) * STEP_Y + QK_KERNEL_HEIGHT;
constexpr int SPAN_X = (QK_TILE_COLUMNS - 1) * STEP_X + QK_KERNEL_WIDTH;
constexpr int QUADS = (SPAN_X + 3) / 4;
constexpr int RUNS = (QK_KERNEL_WIDTH + 3) / 4;

static_assert(!QK_LOOPED || QK_TILE_ROWS == 1, "one row of results for each row of weights");
static_assert(SPAN_Y > 0 && SPAN_X > 0, "something is read");

// Of one row of the image, four columns of each of the four filters' channels.
typedef u32 Quads[QUADS][4];
typedef s32 Sums[QK_TILE_ROWS][QK_TILE_COLUMNS][4];

struct alignas(16) FourInts {
    s32 of[4];
};
struct alignas(16) FourFloats {
    float of[4];
};

// Which part of the result a thread makes.
struct Place {
    u64 example;
    u32 filter;
    s32 y;
    s32 x;
};

QK_FUNCTION Place find_place(u32 unit) {
    u32 tile = unit / WORDS;
    u32 tile_x = tile % TILES_X;
    u32 tile_y = tile / TILES_X % TILES_Y;
    Place place;
    place.example = tile / (TILES_X * TILES_Y);
    place.filter = unit % WORDS * 4;
    place.y = static_cast<s32>(tile_y / SPACING_Y * (QK_TILE_ROWS * SPACING_Y) + tile_y % SPACING_Y);
    place.x = static_cast<s32>(tile_x / SPACING_X * (QK_TILE_COLUMNS * SPACING_X) + tile_x % SPACING_X);
    return place;
}

// Where a thread's windows begin.
struct Corner {
    const u8* codes;  // may lie outside the image
    s32 top;
    s32 left;
    u32 selector;     // which codes of a word are the four filters'
};

QK_FUNCTION Corner find_corner(const u8* input, const Place& place) {
    Corner corner;
    corner.top = place.y * QK_STRIDE_HEIGHT - QK_PAD_TOP;
    corner.left = place.x * QK_STRIDE_WIDTH - QK_PAD_LEFT;
    // Four filters' channels lie in one word: a word's codes have 4 * GROUP_FILTERS filters.
    u32 channel = place.filter / QK_GROUP_FILTERS;
    corner.selector = 0;
    QK_UNROLL
    for (u32 i = 0; i < 4; i++) {
        corner.selector |= (place.filter + i) / QK_GROUP_FILTERS % 4 << 4 * i;
    }
    s64 pixel = static_cast<s64>(place.example) * (QK_HEIGHT * QK_WIDTH) + static_cast<s64>(corner.top) * QK_WIDTH + corner.left;
    corner.codes = input + pixel * QK_IN_PITCH + channel / 4 * 4;
    return corner;
}

// From four pixels of four channels to four channels of four pixels.
QK_FUNCTION void transpose(u32 (&words)[4]) {
    u32 low_first = permute(words[0], words[1], 0x5140);
    u32 low_second = permute(words[2], words[3], 0x5140);
    u32 high_first = permute(words[0], words[1], 0x7362);
    u32 high_second = permute(words[2], words[3], 0x7362);
    words[0] = permute(low_first, low_second, 0x5410);
    words[1] = permute(low_first, low_second, 0x7632);
    words[2] = permute(high_first, high_second, 0x5410);
    words[3] = permute(high_first, high_second, 0x7632);
}

QK_FUNCTION void load_row(Quads& quads, const Corner& corner, int row) {
    bool row_inside = static_cast<u32>(corner.top + row * QK_DILATION_HEIGHT) < QK_HEIGHT;
    const u8* from = corner.codes + static_cast<s64>(row) * (QK_DILATION_HEIGHT * QK_WIDTH * QK_IN_PITCH);
    QK_UNROLL
    for (int quad = 0; quad < QUADS; quad++) {
        QK_UNROLL
        for (int i = 0; i < 4; i++) {
            int column = quad * 4 + i;
            quads[quad][i] = PAD_WORD;
            if (column < SPAN_X && row_inside && static_cast<u32>(corner.left + column * QK_DILATION_WIDTH) < QK_WIDTH) {
                u32 word = load_global(reinterpret_cast<const u32*>(from + column * (QK_DILATION_WIDTH * QK_IN_PITCH)));
                quads[quad][i] = QK_GROUP_FILTERS == 1 ? word : permute(word, word, corner.selector);
            }
        }
        transpose(quads[quad]);
    }
}

// The four columns from `begin` on.
QK_FUNCTION u32 columns_from(const Quads& quads, int begin, int filter) {
    u32 first = quads[begin / 4][filter];
    return begin % 4 == 0 ? first : permute(first, quads[begin / 4 + 1][filter], 0x3210 + begin % 4 * 0x1111);
}

// Where the word begins that serves the columns from `begin` on: the earliest that has them all, so that others share it.
QK_FUNCTION int word_for(int begin, int columns) {
    return begin % 4 + columns <= 4 ? begin - begin % 4 : begin % 2 + columns <= 4 ? begin - begin % 2 : begin;
}

// Adds what a row of the image gives to one row of results; the weights are those of one row, four filters a run.
QK_FUNCTION void add_products(s32 (&sums)[QK_TILE_COLUMNS][4], const Quads& quads, const Chunk (&weights)[RUNS]) {
    QK_UNROLL
    for (int run = 0; run < RUNS; run++) {
        QK_UNROLL
        for (int column = 0; column < QK_TILE_COLUMNS; column++) {
            int begin = column * STEP_X + run * 4;
            int word = word_for(begin, run < RUNS - 1 ? 4 : QK_KERNEL_WIDTH - run * 4);
            QK_UNROLL
            for (int filter = 0; filter < 4; filter++) {
                u32 shifted = word_at(weights[run], filter) << 8 * (begin - word);
                sums[column][filter] = dot4<QK_IN_UNSIGNED>(columns_from(quads, word, filter), shifted, sums[column][filter]);
            }
        }
    }
}

QK_FUNCTION void load_weights(Chunk (&to)[RUNS], const u8* weights, int row) {
    QK_UNROLL
    for (int run = 0; run < RUNS; run++) {
        to[run] = load_global(reinterpret_cast<const Chunk*>(weights) + row * RUNS + run);
    }
}

QK_FUNCTION void start_sums(Sums& sums, const s32* bias) {
    FourInts start = load_global(reinterpret_cast<const FourInts*>(bias));
    QK_UNROLL
    for (int row = 0; row < QK_TILE_ROWS; row++) {
        QK_UNROLL
        for (int column = 0; column < QK_TILE_COLUMNS; column++) {
            QK_UNROLL
            for (int filter = 0; filter < 4; filter++) {
                sums[row][column][filter] = start.of[filter];
            }
        }
    }
}

// The output, and what the four filters' sums are multiplied with.
struct Results {
    u8* output;
    Place place;
    FourFloats multipliers;
};

#if QK_FLOAT_OUTPUT
QK_FUNCTION void store_pixel(const Results& results, const s32 (&sums)[4], u32 pixel) {
    u32 filter = results.place.filter;
    float* values = reinterpret_cast<float*>(results.output) + (results.place.example * QK_FILTERS + filter) * PIXELS + pixel;
    QK_UNROLL
    for (u32 i = 0; i < 4; i++) {
        if (filter + i < QK_FILTERS) {
            store_global(values + static_cast<u64>(i) * PIXELS, multiply(to_float(sums[i]), results.multipliers.of[i]));
        }
    }
}
#else
QK_FUNCTION void store_pixel(const Results& results, const s32 (&sums)[4], u32 pixel) {
    u32 codes = 0;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        codes |= container_of(multiply(to_float(sums[i]), results.multipliers.of[i]), QK_LOWEST, QK_HIGHEST, QK_ZERO) << 8 * i;
    }
    u64 at = (results.place.example * PIXELS + pixel) * QK_OUT_PITCH + results.place.filter;
    store_global(reinterpret_cast<u32*>(results.output + at), codes);
}
#endif

QK_FUNCTION void store_row(const Results& results, const s32 (&sums)[QK_TILE_COLUMNS][4], int row) {
    u32 y = results.place.y + row * SPACING_Y;
    QK_UNROLL
    for (int column = 0; column < QK_TILE_COLUMNS; column++) {
        u32 x = results.place.x + column * SPACING_X;
        if (y < QK_OUT_HEIGHT && x < QK_OUT_WIDTH) {
            store_pixel(results, sums[column], y * QK_OUT_WIDTH + x);
        }
    }
}

#if QK_LOOPED
// A tall kernel's weights do not fit the registers.
QK_FUNCTION void convolve(Sums& sums, const Corner& corner, const u8* weights, const Results& results) {
    QK_LOOP
    for (int row = 0; row < QK_KERNEL_HEIGHT; row++) {
        Chunk of_row[RUNS];
        load_weights(of_row, weights, row);
        Quads quads;
        load_row(quads, corner, row);
        add_products(sums[0], quads, of_row);
    }
    store_row(results, sums[0], 0);
}
#else
// Each row of results leaves as soon as it is complete, so that only those which share a row of the image take registers.
QK_FUNCTION void convolve(Sums& sums, const Corner& corner, const u8* weights, const Results& results) {
    Chunk of_kernel[QK_KERNEL_HEIGHT][RUNS];
    QK_UNROLL
    for (int row = 0; row < QK_KERNEL_HEIGHT; row++) {
        load_weights(of_kernel[row], weights, row);
    }
    QK_UNROLL
    for (int row = 0; row < SPAN_Y; row++) {
        Quads quads;
        load_row(quads, corner, row);
        QK_UNROLL
        for (int result = 0; result < QK_TILE_ROWS; result++) {
            int of_window = row - result * STEP_Y;
            if (of_window >= 0 && of_window < QK_KERNEL_HEIGHT) {
                add_products(sums[result], quads, of_kernel[of_window]);
            }
            if (of_window == QK_KERNEL_HEIGHT - 1) {
                store_row(results, sums[result], result);
            }
        }
    }
}
#endif

}  // namespace

QK_KERNEL(const u8* __restrict__ input, const u8* __restrict__ weights, const s32* __restrict__ bias,
          const float* __restrict__ multipliers, u8* __restrict__ output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    Place place = find_place(unit);
    Results results = {output, place, load_global(reinterpret_cast<const FourFloats*>(multipliers + place.filter))};
    Sums sums;
    start_sums(sums, bias + place.filter);
    const u8* of_filters = weights + static_cast<u64>(place.filter) * (QK_KERNEL_HEIGHT * RUNS * 4);
    convolve(sums, find_corner(input, place), of_filters, results);
}
