// SPDX-License-Identifier: Apache-2.0
//
// A convolution whose groups of channels do not see each other; depthwise, if each group has one channel.
//
//     input        codes [example][height][width][IN_PITCH]
//     weights      codes [kernel pixel][channel of the group][FILTER_PITCH]
//     bias         int32 [FILTER_PITCH]; holds -(input's zero point) * (sum of the channel's weights) as well
//     multipliers  float32 [FILTER_PITCH]
//     output       codes [example][out height][out width][OUT_PITCH], or float32 [example][channel][out height][out width] (FLOAT_OUTPUT)
//
// Each thread makes four neighbouring channels of a pixel; neighbouring threads make neighbouring channels, so that what they read and
// write lies side by side. A depthwise 3 x 3 convolution reads 9 words of input and 9 of weights for each word of output; the rows that
// neighbouring windows share come from the cache, so that memory moves each code once. Products are too few to matter: 9 for each code.
#include "codes.cuh"

namespace {

constexpr u32 PIXELS = QK_OUT_HEIGHT * QK_OUT_WIDTH;
constexpr u32 WORDS = (QK_FILTERS + 3) / 4;
constexpr u32 UNITS = WORDS * PIXELS;
constexpr bool DEPTHWISE = QK_GROUP_CHANNELS == 1 && QK_GROUP_FILTERS == 1;
constexpr u32 PAD_WORD = 0x01010101u * QK_PAD_CODE;

// The input codes that the channel of its group gives to four filters.
QK_FUNCTION u32 codes_of(const u8* pixel, u32 filter, u32 channel) {
    if (DEPTHWISE) {
        return load_global(reinterpret_cast<const u32*>(pixel + filter));
    }
    u32 word = 0;
    QK_UNROLL
    for (u32 i = 0; i < 4; i++) {
        // Behind the last filter there is no group; its weights are 0.
        u32 real = filter + i < QK_FILTERS ? filter + i : QK_FILTERS - 1;
        u32 from = real / QK_GROUP_FILTERS * QK_GROUP_CHANNELS + channel;
        word |= static_cast<u32>(load_global(pixel + from)) << 8 * i;
    }
    return word;
}

QK_FUNCTION void add_products(s32* sums, u32 codes, u32 weights) {
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        sums[i] += code_at<QK_IN_UNSIGNED>(codes, i) * code_at<false>(weights, i);
    }
}

}  // namespace

QK_KERNEL(const u8* input, const u8* weights, const s32* bias, const float* multipliers, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u32 filter = unit % WORDS * 4;
    u64 pixel = unit / WORDS;
    u64 example = pixel / PIXELS;
    u32 in_image = pixel % PIXELS;
    s32 top = static_cast<s32>(in_image / QK_OUT_WIDTH) * QK_STRIDE_HEIGHT - QK_PAD_TOP;
    s32 left = static_cast<s32>(in_image % QK_OUT_WIDTH) * QK_STRIDE_WIDTH - QK_PAD_LEFT;
    const u8* image = input + example * (QK_HEIGHT * QK_WIDTH) * QK_IN_PITCH;
    s32 sums[4];
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        sums[i] = load_global(bias + filter + i);
    }
    QK_LOOP
    for (int y = 0; y < QK_KERNEL_HEIGHT; y++) {
        QK_UNROLL
        for (int x = 0; x < QK_KERNEL_WIDTH; x++) {
            s32 row = top + y * QK_DILATION_HEIGHT;
            s32 column = left + x * QK_DILATION_WIDTH;
            bool inside = static_cast<u32>(row) < QK_HEIGHT && static_cast<u32>(column) < QK_WIDTH;
            const u8* from = image + (static_cast<s64>(row) * QK_WIDTH + column) * QK_IN_PITCH;
            const u8* tap = weights + static_cast<u64>(y * QK_KERNEL_WIDTH + x) * QK_GROUP_CHANNELS * QK_FILTER_PITCH + filter;
            QK_LOOP
            for (u32 channel = 0; channel < QK_GROUP_CHANNELS; channel++) {
                u32 codes = inside ? codes_of(from, filter, channel) : PAD_WORD;
                add_products(sums, codes, load_global(reinterpret_cast<const u32*>(tap + channel * QK_FILTER_PITCH)));
            }
        }
    }
#if QK_FLOAT_OUTPUT
    float* values = reinterpret_cast<float*>(output) + (example * QK_FILTERS + filter) * PIXELS + in_image;
    QK_UNROLL
    for (u32 i = 0; i < 4; i++) {
        if (filter + i < QK_FILTERS) {
            store_global(values + static_cast<u64>(i) * PIXELS, multiply(to_float(sums[i]), load_global(multipliers + filter + i)));
        }
    }
#else
    u32 result = 0;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        float code = multiply(to_float(sums[i]), load_global(multipliers + filter + i));
        result |= container_of(code, QK_LOWEST, QK_HIGHEST, QK_ZERO) << 8 * i;
    }
    store_global(reinterpret_cast<u32*>(output + pixel * QK_OUT_PITCH + filter), result);
#endif
}
