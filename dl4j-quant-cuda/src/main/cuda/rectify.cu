// SPDX-License-Identifier: Apache-2.0
//
// Clamps float32 results, or makes a flatter line of those below a threshold.
//
//     input   float32 [example][element]
//     output  float32 [example][element]
//
// Each thread makes one element. Only comparisons, and below the threshold one sum and one product, each rounded.
#include "codes.cuh"

namespace {

constexpr u32 UNITS = QK_ELEMENTS;

QK_FUNCTION float rectified(float value) {
    if (QK_SLOPED) {
        float below = QK_FLAT ? 0.0f : multiply(QK_SLOPE, add(value, -QK_THRESHOLD));
        return value < QK_THRESHOLD ? below : value;
    }
    float result = QK_CLIPS_LOW && value < QK_LOWEST ? QK_LOWEST : value;
    return QK_CLIPS_HIGH && result > QK_HIGHEST ? QK_HIGHEST : result;
}

}  // namespace

QK_KERNEL(const float* input, float* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    store_global(output + unit, rectified(load_global(input + unit)));
}
