// SPDX-License-Identifier: Apache-2.0
//
// A row of codes for each index.
//
//     input   float32 indices [example][INDICES], whole numbers; the engine refuses others before the launch
//     rows    codes [ROWS][WIDTH]
//     output  codes [example][pixel][PITCH], element = channel * PIXELS + pixel = index's place * WIDTH + place in the row
//
// Each thread makes a chunk of a pixel, code by code. An index without a row reads the nearest one, never beyond the table.
#include "codes.cuh"

namespace {

constexpr u32 CHUNKS = (QK_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;

// The bounds are numbers up to 2^24, which float32 holds.
QK_FUNCTION u32 row_of(float index) { return static_cast<u32>(round_to_int(least(most(index, 0.0f), QK_LAST_ROW))); }

}  // namespace

QK_KERNEL(const float* input, const u8* rows, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 example = unit / UNITS;
    u32 pixel = unit % UNITS / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    const float* indices = input + example * QK_INDICES;
    u32 words[4] = {0, 0, 0, 0};
    QK_UNROLL
    for (u32 i = 0; i < 16; i++) {
        if (channel + i < QK_CHANNELS) {
            u32 element = (channel + i) * QK_PIXELS + pixel;
            u64 row = row_of(load_global(indices + element / QK_WIDTH));
            u32 code = load_global(rows + row * QK_WIDTH + element % QK_WIDTH);
            words[i / 4] |= code << 8 * (i % 4);
        }
    }
    Chunk codes = {words[0], words[1], words[2], words[3]};
    store_global(reinterpret_cast<Chunk*>(output + (example * QK_PIXELS + pixel) * QK_PITCH + channel), codes);
}
