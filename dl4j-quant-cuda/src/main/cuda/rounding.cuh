// SPDX-License-Identifier: Apache-2.0
//
// Values to codes and sums to values, without the conversions that have a slow unit of their own.
#pragma once

#include "device.cuh"

// Between 2^23 and 2^24 floats are the integers, so adding to its middle rounds to an integer, ties to even: the low bits of the result.
constexpr float MIDDLE_OF_INTEGERS = 12582912.0f;
constexpr u32 MIDDLE_BITS = 0x4b400000u;

// rint(value) modulo 2^22, for |value| up to 2^22.
QK_FUNCTION u32 low_bits_of_rounded(float value) { return bits_of(add(value, MIDDLE_OF_INTEGERS)); }

// A sum of |sum| < 2^22 as a float, exactly as to_float.
QK_FUNCTION float short_to_float(s32 sum) { return add(float_of(static_cast<u32>(sum) + MIDDLE_BITS), -MIDDLE_OF_INTEGERS); }

// The codes of two values in the two lower bytes; what is above them is undefined. The values are inside the codes' bounds; if PACKS they
// may be beyond what a byte holds, and zero is 0.
template <bool PACKS, bool UNSIGNED> QK_FUNCTION u32 code_pair(float first, float second, s32 zero) {
    if (PACKS) {
        return pack_rounded<UNSIGNED>(first, second);
    }
    return permute(low_bits_of_rounded(first) + zero, low_bits_of_rounded(second) + zero, 0x40);
}
