// SPDX-License-Identifier: Apache-2.0
//
// The weights of an attention: the softmax of each row of a product, with powers of e from a table.
//
//     left    codes of queries [example][pixel][LEFT_PITCH]
//     right   codes of keys [example][pixel][RIGHT_PITCH]
//     table   int32, the powers for each distance to a row's largest product
//     output  codes [example][pixel][PITCH]
//
// Each warp makes a row. It computes the products three times, for the largest one, for the sum of powers, and for the codes, so that it
// needs no memory for them, however long the row is. Integers are summed in any order.
#include "matrices.cuh"

namespace {

constexpr u32 LANES = 32;

}  // namespace

QK_KERNEL(const u8* left, const u8* right, const s32* table, u8* output, u64 examples) {
    await_previous(left);
    u32 lane = thread_index() % LANES;
    u32 unit = block_row() * (QK_THREADS / LANES) + thread_index() / LANES;
    if (unit >= examples * QK_ALL_ROWS) {
        return;
    }
    u64 example = unit / QK_ALL_ROWS;
    u32 matrix = unit % QK_ALL_ROWS / QK_ROWS;
    u32 row = unit % QK_ROWS;
    const u8* first = left + example * QK_LEFT_PIXELS * QK_LEFT_PITCH;
    const u8* second = right + example * QK_RIGHT_PIXELS * QK_RIGHT_PITCH;
    s32 largest = -0x7fffffff;
    for (u32 column = lane; column < QK_COLUMNS; column += LANES) {
        s32 score = product(first, second, matrix, row, column);
        largest = score > largest ? score : largest;
    }
    for (u32 mask = LANES / 2; mask > 0; mask /= 2) {
        s32 other = static_cast<s32>(shuffle_xor(static_cast<u32>(largest), mask));
        largest = other > largest ? other : largest;
    }
    u32 sum = 0;
    for (u32 column = lane; column < QK_COLUMNS; column += LANES) {
        float distance = multiply(to_float(largest - product(first, second, matrix, row, column)), QK_STEPS);
        sum += static_cast<u32>(load_global(table + round_to_int(least(distance, QK_LAST))));
    }
    for (u32 mask = LANES / 2; mask > 0; mask /= 2) {
        sum += shuffle_xor(sum, mask);
    }
    u8* to = output + example * QK_PIXELS * QK_PITCH;
    for (u32 column = lane; column < QK_COLUMNS; column += LANES) {
        float distance = multiply(to_float(largest - product(first, second, matrix, row, column)), QK_STEPS);
        s32 power = load_global(table + round_to_int(least(distance, QK_LAST)));
        float weight = divide(divide(to_float(power), to_float(static_cast<s32>(sum))), QK_SCALE);
        u32 element = (matrix * QK_ROWS + row) * QK_COLUMNS + column;
        store_global(to + place(element, QK_PIXELS, QK_PITCH), static_cast<u8>(container_of(weight, QK_LOWEST, QK_HIGHEST, QK_OUT_ZERO)));
    }
}
