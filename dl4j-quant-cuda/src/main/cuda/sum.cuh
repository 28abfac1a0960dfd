// SPDX-License-Identifier: Apache-2.0
//
// The sum of two tensors' codes, in float32 and in the order that the contract lays down. QK_LEFT_UNSIGNED, QK_RIGHT_UNSIGNED and
// QK_SUM_UNSIGNED say how codes lie in their bytes; the other constants are those of unsigned codes.
#pragma once

#include "device.cuh"

QK_FUNCTION float unsigned_code(u32 word, int byte, bool is_unsigned) {
    // A signed code and 128 make an unsigned one, which is the code with its highest bit changed.
    return to_float((is_unsigned ? word : word ^ 0x80808080u) >> 8 * byte & 0xff);
}

// The codes of four sums.
QK_FUNCTION u32 sum_codes(u32 left, u32 right) {
    u32 result = 0;
    QK_UNROLL
    for (int byte = 0; byte < 4; byte++) {
        float left_code = unsigned_code(left, byte, QK_LEFT_UNSIGNED);
        float right_code = unsigned_code(right, byte, QK_RIGHT_UNSIGNED);
        float sum = fused(left_code, QK_SUM_LEFT, fused(right_code, QK_SUM_RIGHT, QK_SUM_FIXED));
        u32 code = round_to_int(least(most(sum, QK_SUM_LOWEST), QK_SUM_HIGHEST));
        result |= code << 8 * byte;
    }
    return QK_SUM_UNSIGNED ? result : result ^ 0x80808080u;
}

QK_FUNCTION Chunk sum_codes(Chunk left, Chunk right) {
    return {sum_codes(left.x, right.x), sum_codes(left.y, right.y), sum_codes(left.z, right.z), sum_codes(left.w, right.w)};
}
