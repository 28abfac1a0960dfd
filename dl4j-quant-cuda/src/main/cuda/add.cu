// SPDX-License-Identifier: Apache-2.0
//
// The sum of two tensors.
//
//     left    codes [example][pixel][LEFT_PITCH]
//     right   codes [example][pixel][RIGHT_PITCH]
//     output  codes [example][pixel][OUT_PITCH]
//
// Each thread makes one chunk of a pixel.
#include "codes.cuh"
#include "sum.cuh"

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
    u64 pixel = unit / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    Chunk left_codes = load_global(reinterpret_cast<const Chunk*>(left + pixel * QK_LEFT_PITCH + channel));
    Chunk right_codes = load_global(reinterpret_cast<const Chunk*>(right + pixel * QK_RIGHT_PITCH + channel));
    store_global(reinterpret_cast<Chunk*>(output + pixel * QK_OUT_PITCH + channel), sum_codes(left_codes, right_codes));
}
