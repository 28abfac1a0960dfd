// SPDX-License-Identifier: Apache-2.0
//
// Calls every function of device.cuh that computes or moves something, with random operands, so that a GPU and the model of it on the
// CPU can be compared with what Conformance.java says of them. One warp for each example.
//
//     input   1,152 bytes an example: codes [16][32], codes [8][32], and three float32 for each lane
//     output  [example][lane][38] words, in the order of the stores below
#include "device.cuh"

namespace {

constexpr bool ASYNC = QK_ASYNC;
constexpr u32 LEFT = 0;
constexpr u32 RIGHT = 512;
constexpr u32 PIECES = 768;
constexpr u32 FLOATS = 768;  // in the input
constexpr u32 EXAMPLE_BYTES = 1152;
constexpr u32 WORDS = 38;    // of each lane

// Each lane's 16 bytes: 8 copied or zero, 4 copied or zero, 4 as they were.
QK_FUNCTION void copy_pieces(u32 lane, const u8* input) {
    u32 to = PIECES + lane * 16;
    store_shared<u32>(to + 12, lane);
    copy_async<8>(to, input + lane * 8, lane % 2 == 1);
    copy_async<4>(to + 8, input + lane * 4, lane / 2 % 2 == 1);
}

QK_FUNCTION void copy(u32 lane, const u8* input) {
    copy_async<16>(LEFT + lane * 16, input + lane * 16, false);
    if (lane < 16) {
        copy_async<16>(RIGHT + lane * 16, input + 512 + lane * 16, false);
    }
    commit_async();
    copy_pieces(lane, input);
    commit_async();
    wait_async<1>();
    wait_async<0>();
}

QK_FUNCTION void load(u32 lane, const u8* input) {
    store_shared(LEFT + lane * 16, load_global(reinterpret_cast<const Chunk*>(input + lane * 16)));
    if (lane < 16) {
        store_shared(RIGHT + lane * 16, load_global(reinterpret_cast<const Chunk*>(input + 512 + lane * 16)));
    }
}

QK_FUNCTION void store_products(u32* output, const u32 (&left)[4], const u32 (&right)[4]) {
    s32 sums[12] = {1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4};
    if (ASYNC) {
        multiply_16x8x32<false>(sums, left, right);
        multiply_16x8x32<true>(sums + 4, left, right);
    }
    multiply_8x8x16<false>(sums + 8, left[0], right[0]);
    multiply_8x8x16<true>(sums + 10, left[0], right[0]);
    QK_UNROLL
    for (int i = 0; i < 12; i++) {
        store_global(output + i, static_cast<u32>(sums[i]));
    }
    store_global(output + 12, static_cast<u32>(dot4<false>(left[0], right[0], 77)));
    store_global(output + 13, static_cast<u32>(dot4<true>(left[0], right[0], -77)));
}

QK_FUNCTION void store_floats(float* output, float a, float b, float c, s32 integer) {
    store_global(output, multiply(a, b));
    store_global(output + 1, add(a, b));
    store_global(output + 2, divide(a, b));
    store_global(output + 3, fused(a, b, c));
    store_global(output + 4, least(a, b));
    store_global(output + 5, most(a, b));
    store_global(output + 6, to_float(integer));
}

}  // namespace

QK_KERNEL(const u8* input, u32* output, u64) {
    u32 lane = thread_index();
    const u8* own = input + static_cast<u64>(block_row()) * EXAMPLE_BYTES;
    u32* results = output + (static_cast<u64>(block_row()) * 32 + lane) * WORDS;
    if (ASYNC) {
        copy(lane, own);
    } else {
        load(lane, own);
    }
    sync_threads();
    u32 left[4];
    u32 right[4];
    load_matrix4(left, LEFT + lane % 16 * 32 + lane / 16 * 16);
    load_matrix4(right, RIGHT + lane % 8 * 32 + lane / 8 % 2 * 16);
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        store_global(results + i, left[i]);
    }
    store_products(results + 4, left, right);
    store_global(results + 18, permute(left[0], right[0], left[1] & 0x7777));
    store_global(results + 19, shuffle_xor(left[0], 5));
    const float* floats = reinterpret_cast<const float*>(own + FLOATS) + lane * 3;
    float a = load_global(floats);
    store_global(results + 20, static_cast<u32>(round_to_int(a)));
    store_floats(reinterpret_cast<float*>(results + 21), a, load_global(floats + 1), load_global(floats + 2), static_cast<s32>(left[0]));
    QK_UNROLL
    for (int i = 0; i < 4; i++) {
        store_global(results + 28 + i, ASYNC ? load_shared<u32>(PIECES + lane * 16 + i * 4) : 0u);
    }
    store_global(results + 32, pack_rounded<false>(a, load_global(floats + 1)));
    store_global(results + 33, pack_rounded<true>(a, load_global(floats + 1)));
    store_global(results + 34, larger_codes<false>(left[0], right[0]));
    store_global(results + 35, larger_codes<true>(left[0], right[0]));
    store_global(results + 36, larger_pair<false>(left[0], right[0]));
    store_global(results + 37, larger_pair<true>(left[0], right[0]));
}
