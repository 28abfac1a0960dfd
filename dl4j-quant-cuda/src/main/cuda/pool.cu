// SPDX-License-Identifier: Apache-2.0
//
// The largest code of each window, or the mean of its values (MEAN).
//
//     input   codes [example][height][width][IN_PITCH]
//     output  codes [example][out height][out width][OUT_PITCH]
//
// Each thread makes one word of four channels of a pixel. A mean is summed in float32, row by row: another order would round otherwise.
#include "codes.cuh"

namespace {

constexpr u32 WORDS = (QK_CHANNELS + 3) / 4;
constexpr u32 UNITS = WORDS * QK_OUT_HEIGHT * QK_OUT_WIDTH;

struct Four {
    s32 code[4];
};

// Calls visit(word) for the window's pixels inside the image, row by row; returns how many they are.
template <class Visit> QK_FUNCTION s32 for_window(const u8* image, s32 top, s32 left, Visit visit) {
    s32 count = 0;
    QK_LOOP
    for (int i = 0; i < QK_KERNEL_HEIGHT; i++) {
        s32 y = top + i * QK_DILATION_HEIGHT;
        if (static_cast<u32>(y) >= QK_HEIGHT) {
            continue;
        }
        QK_LOOP
        for (int j = 0; j < QK_KERNEL_WIDTH; j++) {
            s32 x = left + j * QK_DILATION_WIDTH;
            if (static_cast<u32>(x) < QK_WIDTH) {
                visit(load_global(reinterpret_cast<const u32*>(image + (static_cast<s64>(y) * QK_WIDTH + x) * QK_IN_PITCH)));
                count++;
            }
        }
    }
    return count;
}

#if QK_MEAN
QK_FUNCTION u32 pool(const u8* image, s32 top, s32 left) {
    float sums[4] = {0, 0, 0, 0};
    s32 count = for_window(image, top, left, [&sums](u32 word) {
        QK_UNROLL
        for (int i = 0; i < 4; i++) {
            sums[i] = add(sums[i], multiply(to_float(code_at<QK_UNSIGNED>(word, i) - QK_IN_ZERO), QK_IN_SCALE));
        }
    });
    float divisor = to_float(QK_COUNT_PADDING ? QK_KERNEL_HEIGHT * QK_KERNEL_WIDTH : count);
    u32 result = 0;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        // The zero point is that of the unsigned container, and enters before the rounding.
        float code = add(divide(divide(sums[i], divisor), QK_OUT_SCALE), QK_OUT_ZERO);
        result |= container_of(code, QK_LOWEST, QK_HIGHEST, 0) << 8 * i;
    }
    return QK_OUT_UNSIGNED ? result : result ^ 0x80808080u;
}
#else
QK_FUNCTION u32 pool(const u8* image, s32 top, s32 left) {
    constexpr s32 LEAST = -256;
    s32 largest[4] = {LEAST, LEAST, LEAST, LEAST};
    for_window(image, top, left, [&largest](u32 word) {
        QK_UNROLL
        for (int i = 0; i < 4; i++) {
            s32 code = code_at<QK_UNSIGNED>(word, i);
            largest[i] = code > largest[i] ? code : largest[i];
        }
    });
    u32 result = 0;
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        result |= (static_cast<u32>(largest[i]) & 0xff) << 8 * i;
    }
    return result;
}
#endif

}  // namespace

QK_KERNEL(const u8* input, u8* output, u64 examples) {
    await_previous(input);
    u32 unit = unit_index();
    if (unit >= examples * UNITS) {
        return;
    }
    u64 pixel = unit / WORDS;
    u32 channel = unit % WORDS * 4;
    u32 example = pixel / (QK_OUT_HEIGHT * QK_OUT_WIDTH);
    u32 in_image = pixel % (QK_OUT_HEIGHT * QK_OUT_WIDTH);
    s32 top = static_cast<s32>(in_image / QK_OUT_WIDTH) * QK_STRIDE_HEIGHT - QK_PAD_TOP;
    s32 left = static_cast<s32>(in_image % QK_OUT_WIDTH) * QK_STRIDE_WIDTH - QK_PAD_LEFT;
    const u8* image = input + static_cast<u64>(example) * (QK_HEIGHT * QK_WIDTH) * QK_IN_PITCH + channel;
    store_global(reinterpret_cast<u32*>(output + pixel * QK_OUT_PITCH + channel), pool(image, top, left));
}
