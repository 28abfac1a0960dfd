// SPDX-License-Identifier: Apache-2.0
//
// Codes divided by a power of a sum of their squares: of whole rows, whose mean may be subtracted, or of a window around each code.
//
//     input    codes [example][pixel][PITCH]
//     gains    float32, the factors of the quotients: none (GAINS 0), one, or one for each place of a row (2)
//     shifts   what is added to them, in the same way
//     output   codes [example][OUT_PIXELS][OUT_PITCH]
//
// Counted by channel and pixel, which is the graph's order, an example is [row][LENGTH][INNER]: code i of a row is INNER * i after its first.
// Each warp makes a row. Sums are of integers, in any order; then each operation is one rounding to float32. Squares of a row fit 32 bits.
#include "codes.cuh"

namespace {

constexpr u32 LANES = 32;
constexpr u32 DIGIT = 1u << QK_DIGITS;

QK_FUNCTION u32 reduced(u32 sum) {
    for (u32 mask = LANES / 2; mask > 0; mask /= 2) {
        sum += shuffle_xor(sum, mask);
    }
    return sum;
}

// The power POWER / DIGIT: whole powers first, then the roots from the square root on.
QK_FUNCTION float power(float argument) {
    float result = 1;
    for (u32 i = 0; i < QK_POWER / DIGIT; i++) {
        result = multiply(result, argument);
    }
    float root = argument;
    for (u32 rest = QK_POWER % DIGIT; rest != 0; rest = rest * 2 % DIGIT) {
        root = square_root(root);
        result = rest * 2 >= DIGIT ? multiply(result, root) : result;
    }
    return result;
}

QK_FUNCTION float divisor(s64 spread) { return most(power(add(multiply(long_to_float(spread), QK_FACTOR), QK_OFFSET)), QK_LEAST); }

}  // namespace

QK_KERNEL(const u8* input, const float* gains, const float* shifts, u8* output, u64 examples) {
    await_previous(input);
    u32 lane = thread_index() % LANES;
    u32 unit = block_row() * (QK_THREADS / LANES) + thread_index() / LANES;
    if (unit >= examples * QK_ROWS) {
        return;
    }
    u64 example = unit / QK_ROWS;
    u32 row = unit % QK_ROWS;
    u32 first = row / QK_INNER * (QK_LENGTH * QK_INNER) + row % QK_INNER;
    const u8* from = input + example * QK_PIXELS * QK_PITCH;
    u8* to = output + example * QK_OUT_PIXELS * QK_OUT_PITCH;
    s32 sum = 0;
    float whole = 1;
    if (!QK_WINDOWED) {
        u32 squares = 0;
        for (u32 i = lane; i < QK_LENGTH; i += LANES) {
            s32 code = code_at<QK_UNSIGNED>(load_global(from + place(first + i * QK_INNER, QK_PIXELS, QK_PITCH)), 0) - QK_ZERO;
            sum += code;
            squares += static_cast<u32>(code * code);
        }
        s64 spread = reduced(squares);
        sum = static_cast<s32>(reduced(static_cast<u32>(sum)));
        whole = divisor(QK_CENTERED ? QK_LENGTH * spread - static_cast<s64>(sum) * sum : spread);
    }
    for (u32 i = lane; i < QK_LENGTH; i += LANES) {
        float by = whole;
        if (QK_WINDOWED) {
            u32 squares = 0;
            u32 end = i + QK_REACH + 1 < QK_LENGTH ? i + QK_REACH + 1 : QK_LENGTH;
            for (u32 j = i > QK_REACH ? i - QK_REACH : 0; j < end; j++) {
                s32 code = code_at<QK_UNSIGNED>(load_global(from + place(first + j * QK_INNER, QK_PIXELS, QK_PITCH)), 0) - QK_ZERO;
                squares += static_cast<u32>(code * code);
            }
            by = divisor(squares);
        }
        u32 element = first + i * QK_INNER;
        s32 code = code_at<QK_UNSIGNED>(load_global(from + place(element, QK_PIXELS, QK_PITCH)), 0) - QK_ZERO;
        float value = divide(to_float(QK_CENTERED ? static_cast<s32>(QK_LENGTH) * code - sum : code), by);
        value = QK_GAINS == 0 ? value : multiply(value, load_global(gains + (QK_GAINS == 1 ? 0 : i)));
        value = QK_SHIFTS == 0 ? value : add(value, load_global(shifts + (QK_SHIFTS == 1 ? 0 : i)));
        u32 container = container_of(divide(value, QK_SCALE), QK_LOWEST, QK_HIGHEST, QK_OUT_ZERO);
        store_global(to + place(element, QK_OUT_PIXELS, QK_OUT_PITCH), static_cast<u8>(container));
    }
}
