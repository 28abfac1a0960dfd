// SPDX-License-Identifier: Apache-2.0
//
// Every feature of a GPU that the kernels use, one small function each: PTX or an intrinsic under nvcc and NVRTC, and under any other
// compiler the model of it in shim.h, so that a kernel's source needs no #ifdef for the host.
//
// Shared memory is addressed by byte offsets into the launch's dynamic shared memory. Global memory is read and written by
// load_global and store_global, which the host checks for range and alignment.
//
// A kernel:
//     QK_KERNEL(const u8* input, u8* output, u64 examples) { ... }
#pragma once

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define QK_ON_DEVICE 1
#define QK_KERNEL extern "C" __global__ void __launch_bounds__(QK_THREADS, QK_MIN_BLOCKS) QK_ENTRY
#define QK_FUNCTION static __device__ __forceinline__
#define QK_UNROLL _Pragma("unroll")
#define QK_LOOP _Pragma("unroll 1")
#else
#define QK_ON_DEVICE 0
#include "shim.h"
#define QK_KERNEL extern "C" __attribute__((visibility("default"))) void QK_ENTRY
#define QK_FUNCTION static inline
#define QK_UNROLL
#define QK_LOOP
#endif

// 16 bytes, the unit of loads, stores and channel pitches.
struct alignas(16) Chunk {
    u32 x, y, z, w;
};

#if QK_ON_DEVICE

extern __shared__ __align__(1024) u8 qk_shared[];

QK_FUNCTION u32 thread_index() { return threadIdx.x; }
QK_FUNCTION u32 block_row() { return blockIdx.x; }
QK_FUNCTION u32 block_column() { return blockIdx.y; }
QK_FUNCTION void sync_threads() { __syncthreads(); }

template <class T> QK_FUNCTION T load_global(const T* from) { return *from; }
template <class T> QK_FUNCTION void store_global(T* to, T value) { *to = value; }
template <class T> QK_FUNCTION T load_shared(u32 offset) { return *reinterpret_cast<const T*>(qk_shared + offset); }
template <class T> QK_FUNCTION void store_shared(u32 offset, T value) { *reinterpret_cast<T*>(qk_shared + offset) = value; }

QK_FUNCTION u32 shuffle_xor(u32 value, u32 mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

QK_FUNCTION s32 round_to_int(float value) { return __float2int_rn(value); }
QK_FUNCTION float to_float(s32 value) { return __int2float_rn(value); }
QK_FUNCTION float multiply(float a, float b) { return __fmul_rn(a, b); }
QK_FUNCTION float add(float a, float b) { return __fadd_rn(a, b); }
QK_FUNCTION float divide(float a, float b) { return __fdiv_rn(a, b); }
QK_FUNCTION float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
QK_FUNCTION float least(float a, float b) { return fminf(a, b); }
QK_FUNCTION float most(float a, float b) { return fmaxf(a, b); }

QK_FUNCTION u32 shared_address(u32 offset) { return static_cast<u32>(__cvta_generic_to_shared(qk_shared)) + offset; }

// Copies BYTES (4, 8 or 16) to shared memory, or zeros, without waiting; the source is not read then, but must be a valid address.
template <int BYTES> QK_FUNCTION void copy_async(u32 offset, const void* source, bool zero) {
    u32 read = zero ? 0 : BYTES;
    if (BYTES == 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(offset)), "l"(source), "r"(read) : "memory");
    } else {
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(offset)), "l"(source), "n"(BYTES), "r"(read)
                     : "memory");
    }
}
QK_FUNCTION void commit_async() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int GROUPS_LEFT> QK_FUNCTION void wait_async() { asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS_LEFT) : "memory"); }

// Four 8x8 matrices of 16-bit elements, that is of 8 rows of 16 bytes; lane 8 i + j has the offset of row j of matrix i. Lane 4 j + k
// gets word k of row j of each.
QK_FUNCTION void load_matrix4(u32 (&result)[4], u32 offset) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
                 : "r"(shared_address(offset))
                 : "memory");
}

#define QK_MMA_8816(LEFT) \
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32." LEFT ".s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};" \
                 : "+r"(sum[0]), "+r"(sum[1]) : "r"(left), "r"(right))
#define QK_MMA_16832(LEFT) \
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32." LEFT ".s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
                 : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]) \
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]))

// sum[8 rows][8 columns] += left[8][16] * right[8][16]^T; the left codes are u8 or s8, the right s8.
template <bool LEFT_UNSIGNED> QK_FUNCTION void multiply_8x8x16(s32* sum, u32 left, u32 right) {
    if (LEFT_UNSIGNED) {
        QK_MMA_8816("u8");
    } else {
        QK_MMA_8816("s8");
    }
}

// sum[16][8] += left[16][32] * right[8][32]^T, from sm_80 on.
template <bool LEFT_UNSIGNED> QK_FUNCTION void multiply_16x8x32(s32* sum, const u32* left, const u32* right) {
    if (LEFT_UNSIGNED) {
        QK_MMA_16832("u8");
    } else {
        QK_MMA_16832("s8");
    }
}

// sum += the products of four codes; the left codes are u8 or s8, the right s8.
template <bool LEFT_UNSIGNED> QK_FUNCTION s32 dot4(u32 left, u32 right, s32 sum) {
    s32 result;
    if (LEFT_UNSIGNED) {
        asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(left), "r"(right), "r"(sum));
    } else {
        asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(left), "r"(right), "r"(sum));
    }
    return result;
}

// Chooses four of the eight bytes of low (0 to 3) and high (4 to 7); one hexadecimal digit of the selector each, the lowest first.
QK_FUNCTION u32 permute(u32 low, u32 high, u32 selector) { return __byte_perm(low, high, selector); }

#else

QK_FUNCTION u32 thread_index() { return shim::here.thread; }
QK_FUNCTION u32 block_row() { return static_cast<u32>(shim::here.row); }
QK_FUNCTION u32 block_column() { return shim::here.column; }
QK_FUNCTION void sync_threads(int line = __builtin_LINE()) { shim::barrier(line); }

template <class T> QK_FUNCTION T load_global(const T* from) {
    shim::check_global(from, sizeof(T), sizeof(T), "a load");
    return *from;
}
template <class T> QK_FUNCTION void store_global(T* to, T value) {
    shim::check_global(to, sizeof(T), sizeof(T), "a store");
    *to = value;
}
template <class T> QK_FUNCTION T load_shared(u32 offset) {
    shim::check_shared(offset, sizeof(T), sizeof(T), "a load");
    T value;
    __builtin_memcpy(&value, shim::shared + offset, sizeof(T));
    return value;
}
template <class T> QK_FUNCTION void store_shared(u32 offset, T value) {
    shim::check_shared(offset, sizeof(T), sizeof(T), "a store");
    __builtin_memcpy(shim::shared + offset, &value, sizeof(T));
}

QK_FUNCTION u32 shuffle_xor(u32 value, u32 mask, int line = __builtin_LINE()) { return shim::shuffle_xor(value, mask, line); }

// As the device does: to nearest, ties to even, saturating.
QK_FUNCTION s32 round_to_int(float value) {
    float rounded = __builtin_rintf(value);
    return rounded >= 0x1p31f ? 0x7fffffff : rounded < -0x1p31f ? -0x7fffffff - 1 : rounded == rounded ? static_cast<s32>(rounded) : 0;
}
QK_FUNCTION float to_float(s32 value) { return static_cast<float>(value); }
QK_FUNCTION float multiply(float a, float b) { return a * b; }
QK_FUNCTION float add(float a, float b) { return a + b; }
QK_FUNCTION float divide(float a, float b) { return a / b; }
QK_FUNCTION float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
QK_FUNCTION float least(float a, float b) { return __builtin_fminf(a, b); }
QK_FUNCTION float most(float a, float b) { return __builtin_fmaxf(a, b); }

template <int BYTES> QK_FUNCTION void copy_async(u32 offset, const void* source, bool zero) {
    shim::copy_async(offset, source, BYTES, zero);
}
QK_FUNCTION void commit_async() { shim::commit_async(); }
template <int GROUPS_LEFT> QK_FUNCTION void wait_async() { shim::wait_async(GROUPS_LEFT); }

QK_FUNCTION void load_matrix4(u32 (&result)[4], u32 offset, int line = __builtin_LINE()) { shim::load_matrix4(result, offset, line); }
template <bool LEFT_UNSIGNED> QK_FUNCTION void multiply_8x8x16(s32* sum, u32 left, u32 right, int line = __builtin_LINE()) {
    shim::multiply_8x8x16(sum, left, right, LEFT_UNSIGNED, line);
}
template <bool LEFT_UNSIGNED>
QK_FUNCTION void multiply_16x8x32(s32* sum, const u32* left, const u32* right, int line = __builtin_LINE()) {
    shim::multiply_16x8x32(sum, left, right, LEFT_UNSIGNED, line);
}

template <bool LEFT_UNSIGNED> QK_FUNCTION s32 dot4(u32 left, u32 right, s32 sum) {
    u32 result = static_cast<u32>(sum);
    for (int byte = 0; byte < 4; byte++) {
        u8 l = static_cast<u8>(left >> 8 * byte);
        result += (LEFT_UNSIGNED ? l : static_cast<s8>(l)) * static_cast<s8>(right >> 8 * byte);
    }
    return static_cast<s32>(result);
}

QK_FUNCTION u32 permute(u32 low, u32 high, u32 selector) {
    u64 bytes = static_cast<u64>(high) << 32 | low;
    u32 result = 0;
    for (int byte = 0; byte < 4; byte++) {
        result |= static_cast<u32>(bytes >> 8 * (selector >> 4 * byte & 7) & 0xff) << 8 * byte;
    }
    return result;
}

#endif
