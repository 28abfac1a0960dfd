// SPDX-License-Identifier: Apache-2.0
//
// Codes to float32 values in the graph's order, (code - ZERO) * SCALE.
//
//     input   codes [example][pixel][PITCH]
//     output  float32 [example][channel][pixel]
//
// Each thread reads one word of four channels of a pixel; neighbouring threads write neighbouring pixels.
#include "codes.cuh"

namespace {

constexpr u32 WORDS = (QK_CHANNELS + 3) / 4;
constexpr u32 UNITS = WORDS * QK_PIXELS;

}  // namespace

QK_KERNEL(const u8* input, float* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u32 example = unit / UNITS;
    u32 channel = unit % UNITS / QK_PIXELS * 4;
    u32 pixel = unit % UNITS % QK_PIXELS;
    const u8* from = input + (static_cast<u64>(example) * QK_PIXELS + pixel) * QK_PITCH + channel;
    u32 word = load_global(reinterpret_cast<const u32*>(from));
    float* to = output + (static_cast<u64>(example) * QK_CHANNELS + channel) * QK_PIXELS + pixel;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        if (channel + i < QK_CHANNELS) {
            store_global(to + static_cast<u64>(i) * QK_PIXELS, multiply(to_float(code_at<QK_UNSIGNED>(word, i) - QK_ZERO), QK_SCALE));
        }
    }
}
