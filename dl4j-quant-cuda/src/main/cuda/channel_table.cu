// SPDX-License-Identifier: Apache-2.0
//
// Looks each code up in a table of 256 that its channel has, or its place: a row or a pixel of its channel.
//
//     input   codes [example][pixel][FROM_PITCH]
//     table   a byte for each byte [channel][TABLE_ROWS][TABLE_COLUMNS][256]
//     output  codes [example][pixel][TO_PITCH]
//
// Each thread makes one chunk of a pixel and stores it whole. Channels after the last have no table; their bytes are 0.
#include "codes.cuh"

namespace {

constexpr u32 ENTRIES = 256;
constexpr u32 CHUNKS = (QK_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;
constexpr u32 TABLES_OF_CHANNEL = QK_TABLE_ROWS * QK_TABLE_COLUMNS;

QK_FUNCTION u32 look_up(const u8* table, u32 place, u32 channel, u32 word) {
    u32 result = 0;
    QK_UNROLL
    for (u32 byte = 0; byte < 4; byte++) {
        if (channel + byte < QK_CHANNELS) {
            u32 number = (channel + byte) * TABLES_OF_CHANNEL + place;
            u32 code = word >> 8 * byte & 0xff;
            result |= static_cast<u32>(load_global(table + number * ENTRIES + code)) << 8 * byte;
        }
    }
    return result;
}

}  // namespace

QK_KERNEL(const u8* input, const u8* table, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 pixel = unit / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    u32 in_image = pixel % QK_PIXELS;
    u32 row = QK_TABLE_ROWS > 1 ? in_image / QK_WIDTH : 0;
    u32 column = QK_TABLE_COLUMNS > 1 ? in_image % QK_WIDTH : 0;
    u32 place = row * QK_TABLE_COLUMNS + column;
    Chunk codes = load_global(reinterpret_cast<const Chunk*>(input + pixel * QK_FROM_PITCH + channel));
    codes = {look_up(table, place, channel, codes.x), look_up(table, place, channel + 4, codes.y),
             look_up(table, place, channel + 8, codes.z), look_up(table, place, channel + 12, codes.w)};
    store_global(reinterpret_cast<Chunk*>(output + pixel * QK_TO_PITCH + channel), codes);
}
