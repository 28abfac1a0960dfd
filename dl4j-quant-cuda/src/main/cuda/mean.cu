// SPDX-License-Identifier: Apache-2.0
//
// The mean of each channel over the whole image, from an exact sum: clamp(rint(sum * MULTIPLIER) + OUT_ZERO).
//
//     input   codes [example][pixel][IN_PITCH]
//     output  codes [example][OUT_PITCH]
//
// Each thread makes one word of four channels; neighbouring threads read neighbouring words.
#include "codes.cuh"

namespace {

constexpr u32 WORDS = (QK_CHANNELS + 3) / 4;

}  // namespace

QK_KERNEL(const u8* input, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * WORDS) {
        return;
    }
    u64 example = unit / WORDS;
    u32 channel = unit % WORDS * 4;
    const u8* from = input + example * QK_PIXELS * QK_IN_PITCH + channel;
    u32 sums[4] = {0, 0, 0, 0};  // modulo 2^32, as the contract has it
    for (u32 pixel = 0; pixel < QK_PIXELS; pixel++) {
        u32 word = load_global(reinterpret_cast<const u32*>(from + static_cast<u64>(pixel) * QK_IN_PITCH));
        QK_UNROLL
        for (int i = 0; i < 4; i++) {
            sums[i] += code_at<QK_UNSIGNED>(word, i) - QK_IN_ZERO;
        }
    }
    u32 result = 0;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        result |= container_of(multiply(to_float(static_cast<s32>(sums[i])), QK_MULTIPLIER), QK_LOWEST, QK_HIGHEST, QK_OUT_ZERO) << 8 * i;
    }
    store_global(reinterpret_cast<u32*>(output + example * QK_OUT_PITCH + channel), result);
}
