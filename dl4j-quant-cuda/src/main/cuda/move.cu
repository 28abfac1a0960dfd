// SPDX-License-Identifier: Apache-2.0
//
// Codes of an example in other places: each element of the result is an element of the input, or the code of 0.
//
//     input   codes [example][from pixel][FROM_PITCH], element = channel * FROM_PIXELS + pixel
//     table   for the indices of an axis of the result, what each adds to the number of the input's element; below 0 for a zero
//     output  codes [example][to pixel][TO_PITCH], element = channel * TO_PIXELS + pixel
//
// The number of an element of the result is its indices along up to eight axes, row-major. An axis adds its index times its stride to the
// input's element, or has a table, which begins at START.
//
// Each thread makes a chunk of a pixel. With BY_CHUNKS, 16 channels of the result are 16 channels of one pixel of the input that begin at a
// chunk, or all 0, and are copied at once; else each code has a source of its own.
#include "codes.cuh"

namespace {

constexpr u32 CHUNKS = (QK_TO_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_TO_PIXELS;
constexpr u32 ZEROS = QK_ZERO * 0x01010101u;

// Adds what one axis adds to the input's element, and takes its index from the element of the result.
template <u32 SIZE, u32 STRIDE, s32 START> QK_FUNCTION void take_axis(const s32* table, u32& element, u32& source, bool& zero) {
    u32 index = element % SIZE;
    element /= SIZE;
    if (START < 0) {
        source += index * STRIDE;
    } else {
        s32 added = load_global(table + START + index);
        zero = zero || added < 0;
        source += static_cast<u32>(added);
    }
}

// The input's element; `zero` tells that there is none.
QK_FUNCTION u32 source_of(const s32* table, u32 element, bool& zero) {
    u32 source = 0;
    take_axis<QK_SIZE_7, QK_STRIDE_7, QK_START_7>(table, element, source, zero);
    take_axis<QK_SIZE_6, QK_STRIDE_6, QK_START_6>(table, element, source, zero);
    take_axis<QK_SIZE_5, QK_STRIDE_5, QK_START_5>(table, element, source, zero);
    take_axis<QK_SIZE_4, QK_STRIDE_4, QK_START_4>(table, element, source, zero);
    take_axis<QK_SIZE_3, QK_STRIDE_3, QK_START_3>(table, element, source, zero);
    take_axis<QK_SIZE_2, QK_STRIDE_2, QK_START_2>(table, element, source, zero);
    take_axis<QK_SIZE_1, QK_STRIDE_1, QK_START_1>(table, element, source, zero);
    take_axis<QK_SIZE_0, QK_STRIDE_0, QK_START_0>(table, element, source, zero);
    return source;
}

QK_FUNCTION const u8* place(const u8* example, u32 element) {
    return example + static_cast<u64>(element % QK_FROM_PIXELS) * QK_FROM_PITCH + element / QK_FROM_PIXELS;
}

}  // namespace

QK_KERNEL(const u8* input, const s32* table, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 example = unit / UNITS;
    u32 pixel = unit % UNITS / CHUNKS;
    u32 channel = unit % CHUNKS * 16;
    const u8* from = input + example * QK_FROM_PIXELS * QK_FROM_PITCH;
    Chunk codes = {ZEROS, ZEROS, ZEROS, ZEROS};
    if (QK_BY_CHUNKS) {
        bool zero = false;
        u32 source = source_of(table, channel * QK_TO_PIXELS + pixel, zero);
        if (!zero) {
            codes = load_global(reinterpret_cast<const Chunk*>(place(from, source)));
        }
    } else {
        u32 words[4] = {0, 0, 0, 0};
        QK_UNROLL
        for (u32 i = 0; i < 16; i++) {
            if (channel + i < QK_TO_CHANNELS) {
                bool zero = false;
                u32 source = source_of(table, (channel + i) * QK_TO_PIXELS + pixel, zero);
                u32 code = QK_ZERO;
                if (!zero) {
                    code = load_global(place(from, source));
                }
                words[i / 4] |= code << 8 * (i % 4);
            }
        }
        codes = {words[0], words[1], words[2], words[3]};
    }
    store_global(reinterpret_cast<Chunk*>(output + (example * QK_TO_PIXELS + pixel) * QK_TO_PITCH + channel), codes);
}
