// SPDX-License-Identifier: Apache-2.0
//
// Looks each code up in a table of 256; the result may be a slice of a wider image.
//
//     input   codes [example][pixel][FROM_PITCH]
//     table   a byte for each byte
//     output  codes [example][pixel][TO_PITCH]
//
// Each thread makes one chunk of a pixel. With WHOLE it is stored whole, so that what lies behind the last channel changes, too; else code
// by code, for a slice that others follow, or that begins inside a chunk.
#include "codes.cuh"

namespace {

constexpr u32 ENTRIES = 256;
constexpr u32 CHUNKS = (QK_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;

QK_FUNCTION u32 look_up(u32 word) {
    u32 result = 0;
    QK_UNROLL
    for (int byte = 0; byte < 4; byte++) {
        result |= static_cast<u32>(load_shared<u8>(word >> 8 * byte & 0xff)) << 8 * byte;
    }
    return result;
}

}  // namespace

QK_KERNEL(const u8* input, const u8* table, u8* output, u64 examples) {
    await_previous(input);
    for (u32 i = thread_index(); i < ENTRIES; i += QK_THREADS) {
        store_shared<u8>(i, load_global(table + i));
    }
    sync_threads();
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 pixel = unit / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    Chunk codes = load_global(reinterpret_cast<const Chunk*>(input + pixel * QK_FROM_PITCH + channel));
    codes = {look_up(codes.x), look_up(codes.y), look_up(codes.z), look_up(codes.w)};
    u8* to = output + pixel * QK_TO_PITCH + channel;
    if (QK_WHOLE) {
        store_global(reinterpret_cast<Chunk*>(to), codes);
        return;
    }
    QK_UNROLL
    for (u32 i = 0; i < 16; i++) {
        if (channel + i < QK_CHANNELS) {
            store_global(to + i, static_cast<u8>(code_at<true>(word_at(codes, i / 4), i % 4)));
        }
    }
}
