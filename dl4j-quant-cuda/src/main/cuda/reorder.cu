// SPDX-License-Identifier: Apache-2.0
//
// The same elements, counted by channel and pixel, in an image of another shape; or without gaps, one byte each (PLAIN).
//
//     input   codes [example][from pixel][FROM_PITCH], element = channel * FROM_PIXELS + pixel
//     output  codes [example][to pixel][TO_PITCH], element = channel * TO_PIXELS + pixel; or [example][element]
//
// Each thread makes up to 16 codes: a chunk of a pixel, or neighbouring elements.
#include "codes.cuh"

namespace {

constexpr u32 ELEMENTS = QK_TO_CHANNELS * QK_TO_PIXELS;
constexpr u32 CHUNKS = (QK_TO_CHANNELS + 15) / 16;
constexpr u32 UNITS = QK_PLAIN ? (ELEMENTS + 15) / 16 : CHUNKS * QK_TO_PIXELS;

QK_FUNCTION u8 element(const u8* example, u32 index) {
    return load_global(example + static_cast<u64>(index % QK_FROM_PIXELS) * QK_FROM_PITCH + index / QK_FROM_PIXELS);
}

}  // namespace

QK_KERNEL(const u8* input, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 example = unit / UNITS;
    const u8* from = input + example * QK_FROM_PIXELS * QK_FROM_PITCH;
    if (QK_PLAIN) {
        u32 first = unit % UNITS * 16;
        for (u32 i = first; i < first + 16 && i < ELEMENTS; i++) {
            store_global(output + example * ELEMENTS + i, element(from, i));
        }
        return;
    }
    u32 pixel = unit % UNITS / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    u32 words[4] = {0, 0, 0, 0};
    QK_UNROLL
    for (u32 i = 0; i < 16; i++) {
        if (channel + i < QK_TO_CHANNELS) {
            words[i / 4] |= static_cast<u32>(element(from, (channel + i) * QK_TO_PIXELS + pixel)) << 8 * (i % 4);
        }
    }
    Chunk codes = {words[0], words[1], words[2], words[3]};
    store_global(reinterpret_cast<Chunk*>(output + (example * QK_TO_PIXELS + pixel) * QK_TO_PITCH + channel), codes);
}
