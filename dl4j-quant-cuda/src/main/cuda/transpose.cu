// SPDX-License-Identifier: Apache-2.0
//
// Cuts and transposes float32 results.
//
//     input   float32 [example][element of the source]
//     output  float32 [example][element]
//
// The number of an element of the result is its indices along up to eight axes, row-major. An index adds itself times the axis's stride to
// the source's element. Each thread makes one element.
#include "codes.cuh"

namespace {

constexpr u32 UNITS = QK_ELEMENTS;

// Adds what one axis adds to the source's element, and takes its index from the element of the result.
template <u32 SIZE, u32 STRIDE> QK_FUNCTION void take_axis(u32& element, u32& source) {
    source += element % SIZE * STRIDE;
    element /= SIZE;
}

QK_FUNCTION u32 source_of(u32 element) {
    u32 source = QK_FIRST;
    take_axis<QK_SIZE_7, QK_STRIDE_7>(element, source);
    take_axis<QK_SIZE_6, QK_STRIDE_6>(element, source);
    take_axis<QK_SIZE_5, QK_STRIDE_5>(element, source);
    take_axis<QK_SIZE_4, QK_STRIDE_4>(element, source);
    take_axis<QK_SIZE_3, QK_STRIDE_3>(element, source);
    take_axis<QK_SIZE_2, QK_STRIDE_2>(element, source);
    take_axis<QK_SIZE_1, QK_STRIDE_1>(element, source);
    take_axis<QK_SIZE_0, QK_STRIDE_0>(element, source);
    return source;
}

}  // namespace

QK_KERNEL(const float* input, float* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 first = unit / UNITS * static_cast<u64>(QK_SOURCE_ELEMENTS);
    store_global(output + unit, load_global(input + first + source_of(unit % UNITS)));
}
