// SPDX-License-Identifier: Apache-2.0
//
// What the kernels have in common of which each thread makes one unit of the result: a chunk of 16 codes of a pixel, or a word of four.
#pragma once

#include "device.cuh"
#include "rounding.cuh"

// Which unit of the batch a thread makes. There are fewer than 2^32 of them.
QK_FUNCTION u32 unit_index() { return block_row() * QK_THREADS + thread_index(); }

// Code `byte` of a word.
template <bool UNSIGNED> QK_FUNCTION s32 code_at(u32 word, int byte) {
    return UNSIGNED ? static_cast<s32>(word >> 8 * byte & 0xff) : static_cast<s32>(static_cast<s8>(word >> 8 * byte));
}

// The place of an element of an image that is counted by channel and pixel.
QK_FUNCTION u64 place(u32 element, u32 pixels, u32 pitch) { return static_cast<u64>(element % pixels) * pitch + element / pixels; }

QK_FUNCTION u32 word_at(const Chunk& chunk, int word) {
    return word == 0 ? chunk.x : word == 1 ? chunk.y : word == 2 ? chunk.z : chunk.w;
}

// The container of clamp(rint(value) + zero). The bounds are those of rint(value), which are integers from -255 to 255, so clamping first
// is the same.
QK_FUNCTION u32 container_of(float value, float lowest, float highest, s32 zero) {
    return (low_bits_of_rounded(least(most(value, lowest), highest)) + zero) & 0xff;
}
