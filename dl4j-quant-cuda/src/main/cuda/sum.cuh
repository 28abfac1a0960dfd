// SPDX-License-Identifier: Apache-2.0
//
// The sum of two tensors' codes, in float32 and in the order that the contract lays down. QK_LEFT_UNSIGNED, QK_RIGHT_UNSIGNED and
// QK_SUM_UNSIGNED say how codes lie in their bytes; the other constants are those of unsigned codes. SUM_PACKS: see code_pair; the bounds
// of a byte are its own then, and SUM_CLIPS_LOW and SUM_CLIPS_HIGH say whether the codes have narrower ones.
#pragma once

#include "device.cuh"
#include "rounding.cuh"

QK_FUNCTION float unsigned_code(u32 word, int byte, bool is_unsigned) {
    // A signed code and 128 make an unsigned one, which is the code with its highest bit changed.
    return to_float((is_unsigned ? word : word ^ 0x80808080u) >> 8 * byte & 0xff);
}

QK_FUNCTION float sum_value(u32 left, u32 right, int byte) {
    float left_code = unsigned_code(left, byte, QK_LEFT_UNSIGNED);
    float right_code = unsigned_code(right, byte, QK_RIGHT_UNSIGNED);
    float sum = fused(left_code, QK_SUM_LEFT, fused(right_code, QK_SUM_RIGHT, QK_SUM_FIXED));
    sum = QK_SUM_CLIPS_LOW ? most(sum, QK_SUM_LOWEST) : sum;
    return QK_SUM_CLIPS_HIGH ? least(sum, QK_SUM_HIGHEST) : sum;
}

QK_FUNCTION u32 sum_pair(u32 left, u32 right, int byte) {
    return code_pair<QK_SUM_PACKS, true>(sum_value(left, right, byte), sum_value(left, right, byte + 1), 0);
}

// The codes of four sums.
QK_FUNCTION u32 sum_codes(u32 left, u32 right) {
    u32 result = permute(sum_pair(left, right, 0), sum_pair(left, right, 2), 0x5410);
    return QK_SUM_UNSIGNED ? result : result ^ 0x80808080u;
}

QK_FUNCTION Chunk sum_codes(Chunk left, Chunk right) {
    return {sum_codes(left.x, right.x), sum_codes(left.y, right.y), sum_codes(left.z, right.z), sum_codes(left.w, right.w)};
}
