// SPDX-License-Identifier: Apache-2.0
//
// The product of two tensors of codes: clamp(rint(sum * MULTIPLIER) + OUT_ZERO).
//
//     left    codes [example][pixel][LEFT_PITCH]
//     right   codes [example][pixel][RIGHT_PITCH]
//     output  codes [example][pixel][PITCH]
//
// Each thread makes a chunk of a pixel, code by code.
#include "matrices.cuh"

namespace {

constexpr u32 CHUNKS = (QK_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;

}  // namespace

QK_KERNEL(const u8* left, const u8* right, u8* output, u64 examples) {
    await_previous(left);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 example = unit / UNITS;
    u32 pixel = unit % UNITS / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    const u8* first = left + example * QK_LEFT_PIXELS * QK_LEFT_PITCH;
    const u8* second = right + example * QK_RIGHT_PIXELS * QK_RIGHT_PITCH;
    u32 words[4] = {0, 0, 0, 0};
    QK_UNROLL
    for (u32 i = 0; i < 16; i++) {
        if (channel + i < QK_CHANNELS) {
            u32 element = (channel + i) * QK_PIXELS + pixel;
            u32 row = element / QK_COLUMNS;
            s32 sum = product(first, second, row / QK_ROWS, row % QK_ROWS, element % QK_COLUMNS);
            words[i / 4] |= container_of(multiply(to_float(sum), QK_MULTIPLIER), QK_LOWEST, QK_HIGHEST, QK_OUT_ZERO) << 8 * (i % 4);
        }
    }
    Chunk codes = {words[0], words[1], words[2], words[3]};
    store_global(reinterpret_cast<Chunk*>(output + (example * QK_PIXELS + pixel) * QK_PITCH + channel), codes);
}
