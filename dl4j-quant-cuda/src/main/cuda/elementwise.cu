// SPDX-License-Identifier: Apache-2.0
//
// Two to eight tensors combined place by place.
//
//     input, input_1 ...  codes [example][row][column][PITCH_i]; pointers beyond INPUTS are not read
//     output              codes [example][pixel][OUT_PITCH]
//
// The pixel of input i is row * ROW_i + column * COLUMN_i: 0 where the input has one row or column, which is repeated. SPLAT_i: it has one
// channel, which is repeated.
//
// FUSED is a product of two, computed on codes as (left - zero) * (right - zero) * FACTOR + ADDED; else values are combined in float32 from
// left to right and divided by SCALE. LOWEST and HIGHEST are bounds of what is rounded, to which ZERO is added.
//
// Each thread makes one chunk of a pixel.
#include "codes.cuh"

namespace {

constexpr u32 CHUNKS = (QK_CHANNELS + 15) / 16;
constexpr u32 UNITS = CHUNKS * QK_PIXELS;

enum Operation { PRODUCT, SUM, DIFFERENCE, MAXIMUM, MINIMUM, MEAN };

struct Place {
    u64 example;
    u32 row, column, channel;
};

QK_FUNCTION float combined(float left, float right) {
    switch (QK_OPERATION) {
        case PRODUCT: return multiply(left, right);
        case DIFFERENCE: return add(left, -right);
        case MAXIMUM: return most(left, right);
        case MINIMUM: return least(left, right);
        default: return add(left, right);
    }
}

// Combines one tensor's codes with the values so far.
template <u32 INDEX, u32 PITCH, u32 PIXELS, u32 ROW, u32 COLUMN, bool SPLAT, bool UNSIGNED, s32 ZERO>
QK_FUNCTION void take(float* values, const u8* codes, const Place& at, float scale) {
    if (INDEX >= QK_INPUTS) {
        return;
    }
    const u8* pixel = codes + (at.example * PIXELS + at.row * ROW + at.column * COLUMN) * PITCH;
    Chunk chunk;
    if (SPLAT) {
        u32 word = load_global(pixel) * 0x01010101u;
        chunk = {word, word, word, word};
    } else {
        chunk = load_global(reinterpret_cast<const Chunk*>(pixel + at.channel));
    }
    QK_UNROLL
    for (int i = 0; i < 16; i++) {
        float value = to_float(code_at<UNSIGNED>(word_at(chunk, i / 4), i % 4) - ZERO);
        value = QK_FUSED ? value : multiply(value, scale);
        values[i] = INDEX == 0 ? value : combined(values[i], value);
    }
}

QK_FUNCTION u32 container(float value) {
    if (QK_FUSED) {
        return container_of(add(multiply(value, QK_FACTOR), QK_ADDED), QK_LOWEST, QK_HIGHEST, QK_ZERO);
    }
    float result = QK_OPERATION == MEAN ? divide(value, static_cast<float>(QK_INPUTS)) : value;
    return container_of(divide(result, QK_SCALE), QK_LOWEST, QK_HIGHEST, QK_ZERO);
}

QK_FUNCTION u32 word_of(const float* values) {
    return container(values[0]) | container(values[1]) << 8 | container(values[2]) << 16 | container(values[3]) << 24;
}

#define QK_TAKE(I, CODES)                                                                                                          \
    take<I, QK_PITCH_##I, QK_PIXELS_##I, QK_ROW_##I, QK_COLUMN_##I, QK_SPLAT_##I, QK_UNSIGNED_##I, QK_ZERO_##I>(values, CODES, at, \
                                                                                                                QK_SCALE_##I)

}  // namespace

QK_KERNEL(const u8* input, const u8* input_1, const u8* input_2, const u8* input_3, const u8* input_4, const u8* input_5,
          const u8* input_6, const u8* input_7, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 example = unit / UNITS;
    u32 pixel = unit % UNITS / CHUNKS;
    Place at = {example, pixel / QK_WIDTH, pixel % QK_WIDTH, unit % CHUNKS * 16};
    float values[16];
    QK_TAKE(0, input);
    QK_TAKE(1, input_1);
    QK_TAKE(2, input_2);
    QK_TAKE(3, input_3);
    QK_TAKE(4, input_4);
    QK_TAKE(5, input_5);
    QK_TAKE(6, input_6);
    QK_TAKE(7, input_7);
    Chunk codes = {word_of(values), word_of(values + 4), word_of(values + 8), word_of(values + 12)};
    store_global(reinterpret_cast<Chunk*>(output + (example * QK_PIXELS + pixel) * QK_OUT_PITCH + at.channel), codes);
}
