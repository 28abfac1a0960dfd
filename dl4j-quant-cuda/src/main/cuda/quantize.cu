// SPDX-License-Identifier: Apache-2.0
//
// Rounds float32 values to codes and brings them into the order of images in memory.
//
//     input   float32 [example][channel][pixel]
//     output  codes [example][pixel][PITCH]; channels beyond the last become the code of 0
//
// Each thread makes one chunk of a pixel, or the whole pixel if PITCH is 4; neighbouring threads make neighbouring pixels, so that they
// read neighbouring values.
#include "codes.cuh"

namespace {

constexpr int WIDTH = QK_PITCH == 4 ? 4 : 16;
constexpr int CHUNKS = (QK_CHANNELS + WIDTH - 1) / WIDTH;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;

QK_FUNCTION u32 quantize_word(const float* from, u32 channel) {
    u32 word = 0;
    QK_UNROLL
    for (u32 i = 0; i < 4; i++) {
        bool real = channel + i < QK_CHANNELS;
        float value = real ? load_global(from + static_cast<u64>(i) * QK_PIXELS) : 0.0f;
        word |= container_of(divide(value, QK_SCALE), QK_LOWEST, QK_HIGHEST, QK_ZERO) << 8 * i;
    }
    return word;
}

}  // namespace

QK_KERNEL(const float* input, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u32 example = unit / UNITS;
    u32 channel = unit % UNITS / QK_PIXELS * WIDTH;
    u32 pixel = unit % UNITS % QK_PIXELS;
    const float* from = input + (static_cast<u64>(example) * QK_CHANNELS + channel) * QK_PIXELS + pixel;
    u8* to = output + (static_cast<u64>(example) * QK_PIXELS + pixel) * QK_PITCH + channel;
    if (WIDTH == 4) {
        store_global(reinterpret_cast<u32*>(to), quantize_word(from, channel));
        return;
    }
    constexpr u64 FOUR_CHANNELS = 4 * static_cast<u64>(QK_PIXELS);
    Chunk codes = {quantize_word(from, channel), quantize_word(from + FOUR_CHANNELS, channel + 4),
                   quantize_word(from + 2 * FOUR_CHANNELS, channel + 8), quantize_word(from + 3 * FOUR_CHANNELS, channel + 12)};
    store_global(reinterpret_cast<Chunk*>(to), codes);
}
