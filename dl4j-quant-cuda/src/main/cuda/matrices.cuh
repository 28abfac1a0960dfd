// SPDX-License-Identifier: Apache-2.0
//
// Products of matrices neither of which is a weight, whatever the layout of their codes.
//
// An element of an image is counted by channel and pixel, which is the graph's order: [..., ROWS, INNER] for the left factor,
// [..., INNER, COLUMNS] for the right one.
#pragma once

#include "codes.cuh"

// One sum of products; it fits into int32, whatever the codes.
QK_FUNCTION s32 product(const u8* left, const u8* right, u32 matrix, u32 row, u32 column) {
    u32 first = (matrix * QK_ROWS + row) * QK_INNER;
    u32 second = matrix * QK_INNER * QK_COLUMNS + column;
    s32 sum = 0;
    for (u32 i = 0; i < QK_INNER; i++) {
        u32 left_code = load_global(left + place(first + i, QK_LEFT_PIXELS, QK_LEFT_PITCH));
        u32 right_code = load_global(right + place(second + i * QK_COLUMNS, QK_RIGHT_PIXELS, QK_RIGHT_PITCH));
        sum += (code_at<QK_LEFT_UNSIGNED>(left_code, 0) - QK_LEFT_ZERO) * (code_at<QK_RIGHT_UNSIGNED>(right_code, 0) - QK_RIGHT_ZERO);
    }
    return sum;
}
