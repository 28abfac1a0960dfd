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
// Each kernel's first statement: it may have been started while the one before it ends, whose results are there behind this; and lets the
// next one be started so. What is read through the pointer is not read before.
template <class P> QK_FUNCTION void await_previous(P& input) {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" : "+l"(input)::"memory");
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// What blocks of one launch write for one another. Additions are seen by others behind the adding thread's publish_global; what others
// may have written is read by load_fresh.
QK_FUNCTION void add_global(u32* to, u32 value) { asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(to), "r"(value) : "memory"); }
QK_FUNCTION u32 take_ticket(u32* counter) { return atomicAdd(counter, 1u); }
QK_FUNCTION void publish_global() { __threadfence(); }
QK_FUNCTION u32 load_fresh(const u32* from) {
    u32 value;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(from) : "memory");
    return value;
}
QK_FUNCTION void store_fresh(u32* to, u32 value) { asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(to), "r"(value) : "memory"); }

template <class T> QK_FUNCTION T load_shared(u32 offset) { return *reinterpret_cast<const T*>(qk_shared + offset); }
template <class T> QK_FUNCTION void store_shared(u32 offset, T value) { *reinterpret_cast<T*>(qk_shared + offset) = value; }

QK_FUNCTION u32 shuffle_xor(u32 value, u32 mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

QK_FUNCTION s32 round_to_int(float value) { return __float2int_rn(value); }
QK_FUNCTION float to_float(s32 value) { return __int2float_rn(value); }
QK_FUNCTION float long_to_float(s64 value) { return __ll2float_rn(value); }
QK_FUNCTION u32 bits_of(float value) { return __float_as_uint(value); }
QK_FUNCTION float float_of(u32 bits) { return __uint_as_float(bits); }

// Two values, rounded as round_to_int does, and saturated to a byte each; the first in the lower. One instruction for both from sm_86 on.
template <bool UNSIGNED> QK_FUNCTION u32 pack_rounded(float first, float second) {
    u32 result;
    if (UNSIGNED) {
        asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, 0;" : "=r"(result) : "r"(round_to_int(second)), "r"(round_to_int(first)));
    } else {
        asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, 0;" : "=r"(result) : "r"(round_to_int(second)), "r"(round_to_int(first)));
    }
    return result;
}
QK_FUNCTION float multiply(float a, float b) { return __fmul_rn(a, b); }
QK_FUNCTION float add(float a, float b) { return __fadd_rn(a, b); }
QK_FUNCTION float divide(float a, float b) { return __fdiv_rn(a, b); }
QK_FUNCTION float square_root(float value) { return __fsqrt_rn(value); }
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

// The larger of each two codes, four of them.
template <bool UNSIGNED> QK_FUNCTION u32 larger_codes(u32 left, u32 right) {
    return UNSIGNED ? __vmaxu4(left, right) : __vmaxs4(left, right);
}

// The larger of each two of two numbers of 16 bits; one instruction from sm_90 on.
template <bool UNSIGNED> QK_FUNCTION u32 larger_pair(u32 left, u32 right) {
    return UNSIGNED ? __vmaxu2(left, right) : __vmaxs2(left, right);
}

// Products of four warps (a warpgroup), sm_90a only. They read both matrices from shared memory and write their sums some time between
// multiply_by_group and the wait_products that covers them. What each warp of the group has to call, in this order:
//     publish_shared, by each thread that wrote to shared memory, and a barrier
//     settle_sums, if the sums were never multiplied or were used since
//     fence_products, multiply_by_group any number of times, commit_products: what was multiplied becomes a group
//     wait_products: only so many groups are still under way
//     settle_sums, before the sums are used
QK_FUNCTION void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
QK_FUNCTION void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int GROUPS_LEFT> QK_FUNCTION void wait_products() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(GROUPS_LEFT) : "memory"); }

QK_FUNCTION void fence_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

// What is written to sums stays before this, and what reads them behind: products read and write them while the compiler looks away.
template <int COUNT> QK_FUNCTION void settle_sums(s32* sums) {
    QK_UNROLL
    for (int i = 0; i < COUNT; i++) {
        asm volatile("" : "+r"(sums[i])::"memory");
    }
}

#define QK_NAMES_32 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15" \
    ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define QK_NAMES_64 \
    QK_NAMES_32 \
    ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47" \
    ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define QK_NAMES_96 \
    QK_NAMES_64 \
    ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
    ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define QK_NAMES_128 \
    QK_NAMES_96 \
    ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
    ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define QK_SUMS_4(I) "+r"(sum[I]), "+r"(sum[I + 1]), "+r"(sum[I + 2]), "+r"(sum[I + 3])
#define QK_SUMS_16(I) QK_SUMS_4(I), QK_SUMS_4(I + 4), QK_SUMS_4(I + 8), QK_SUMS_4(I + 12)
#define QK_SUMS_32(I) QK_SUMS_16(I), QK_SUMS_16(I + 16)
#define QK_SUMS_64(I) QK_SUMS_32(I), QK_SUMS_32(I + 32)
#define QK_SUMS_96(I) QK_SUMS_64(I), QK_SUMS_32(I + 64)
#define QK_SUMS_128(I) QK_SUMS_64(I), QK_SUMS_64(I + 64)
#define QK_WGMMA(COLUMNS, LEFT, REGISTERS, LEFT_NAME, RIGHT_NAME) \
    asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, 1, 0;\n" \
                 "wgmma.mma_async.sync.aligned.m64n" COLUMNS "k32.s32." LEFT ".s8 {" QK_NAMES_##REGISTERS "}, %" LEFT_NAME ", %" RIGHT_NAME \
                 ", adds;\n}" \
                 : QK_SUMS_##REGISTERS(0) : "l"(left), "l"(right))

// sum[64][COLUMNS] += left[64][32] * right[COLUMNS][32]^T. The matrices are described by describe_matrix; the left codes are u8 or s8, the
// right s8. Warp w of the group has rows 16 w to 16 w + 15, as COLUMNS / 8 results of multiply_16x8x32 have them.
template <bool LEFT_UNSIGNED, int COLUMNS> QK_FUNCTION void multiply_by_group(s32* sum, u64 left, u64 right) {
    static_assert(COLUMNS == 64 || COLUMNS == 128 || COLUMNS == 192 || COLUMNS == 256, "what it is written for");
    if constexpr (COLUMNS == 64 && LEFT_UNSIGNED) {
        QK_WGMMA("64", "u8", 32, "32", "33");
    } else if constexpr (COLUMNS == 64) {
        QK_WGMMA("64", "s8", 32, "32", "33");
    } else if constexpr (COLUMNS == 128 && LEFT_UNSIGNED) {
        QK_WGMMA("128", "u8", 64, "64", "65");
    } else if constexpr (COLUMNS == 128) {
        QK_WGMMA("128", "s8", 64, "64", "65");
    } else if constexpr (COLUMNS == 192 && LEFT_UNSIGNED) {
        QK_WGMMA("192", "u8", 96, "96", "97");
    } else if constexpr (COLUMNS == 192) {
        QK_WGMMA("192", "s8", 96, "96", "97");
    } else if constexpr (LEFT_UNSIGNED) {
        QK_WGMMA("256", "u8", 128, "128", "129");
    } else {
        QK_WGMMA("256", "s8", 128, "128", "129");
    }
}

#else

QK_FUNCTION u32 thread_index() { return shim::here.thread; }
QK_FUNCTION u32 block_row() { return static_cast<u32>(shim::here.row); }
QK_FUNCTION u32 block_column() { return shim::here.column; }
QK_FUNCTION void sync_threads(int line = __builtin_LINE()) { shim::barrier(line); }

template <class T> QK_FUNCTION T load_global(const T* from) {
    shim::check_global(from, sizeof(T), sizeof(T), "a load");
    shim::check_settled(from);
    return *from;
}
template <class T> QK_FUNCTION void store_global(T* to, T value) {
    shim::check_global(to, sizeof(T), sizeof(T), "a store");
    *to = value;
}
template <class P> QK_FUNCTION void await_previous(P&) {}

QK_FUNCTION void add_global(u32* to, u32 value) { shim::add_global(to, value); }
QK_FUNCTION u32 take_ticket(u32* counter) { return shim::take_ticket(counter); }
QK_FUNCTION void publish_global() { shim::publish_global(); }
QK_FUNCTION u32 load_fresh(const u32* from) {
    shim::check_global(from, sizeof(u32), sizeof(u32), "a load");
    return *from;
}
QK_FUNCTION void store_fresh(u32* to, u32 value) {
    shim::check_global(to, sizeof(u32), sizeof(u32), "a store");
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
    shim::note_write(offset, sizeof(T));
}
QK_FUNCTION u32 shared_address(u32 offset) { return offset; }

QK_FUNCTION u32 shuffle_xor(u32 value, u32 mask, int line = __builtin_LINE()) { return shim::shuffle_xor(value, mask, line); }

// As the device does: to nearest, ties to even, saturating.
QK_FUNCTION s32 round_to_int(float value) {
    float rounded = __builtin_rintf(value);
    return rounded >= 0x1p31f ? 0x7fffffff : rounded < -0x1p31f ? -0x7fffffff - 1 : rounded == rounded ? static_cast<s32>(rounded) : 0;
}
QK_FUNCTION float to_float(s32 value) { return static_cast<float>(value); }
QK_FUNCTION float long_to_float(s64 value) { return static_cast<float>(value); }
QK_FUNCTION u32 bits_of(float value) { return __builtin_bit_cast(u32, value); }
QK_FUNCTION float float_of(u32 bits) { return __builtin_bit_cast(float, bits); }

template <bool UNSIGNED> QK_FUNCTION u32 pack_rounded(float first, float second) {
    constexpr s32 LOWEST = UNSIGNED ? 0 : -128;
    constexpr s32 HIGHEST = UNSIGNED ? 255 : 127;
    s32 low = round_to_int(first);
    s32 high = round_to_int(second);
    low = low < LOWEST ? LOWEST : low > HIGHEST ? HIGHEST : low;
    high = high < LOWEST ? LOWEST : high > HIGHEST ? HIGHEST : high;
    return (low & 0xff) | (high & 0xff) << 8;
}
QK_FUNCTION float multiply(float a, float b) { return a * b; }
QK_FUNCTION float add(float a, float b) { return a + b; }
QK_FUNCTION float divide(float a, float b) { return a / b; }
QK_FUNCTION float square_root(float value) { return __builtin_sqrtf(value); }
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

template <bool UNSIGNED> QK_FUNCTION u32 larger_pair(u32 left, u32 right) {
    u32 result = 0;
    for (int shift = 0; shift < 32; shift += 16) {
        u32 l = left >> shift & 0xffff;
        u32 r = right >> shift & 0xffff;
        bool larger = UNSIGNED ? l > r : static_cast<s16>(l) > static_cast<s16>(r);
        result |= (larger ? l : r) << shift;
    }
    return result;
}

template <bool UNSIGNED> QK_FUNCTION u32 larger_codes(u32 left, u32 right) {
    u32 result = 0;
    for (int shift = 0; shift < 32; shift += 8) {
        u32 l = left >> shift & 0xff;
        u32 r = right >> shift & 0xff;
        bool larger = UNSIGNED ? l > r : static_cast<s8>(l) > static_cast<s8>(r);
        result |= (larger ? l : r) << shift;
    }
    return result;
}

QK_FUNCTION void publish_shared() { shim::publish_shared(); }
template <int COUNT> QK_FUNCTION void settle_sums(s32* sums, int line = __builtin_LINE()) { shim::settle_sums(sums, COUNT, line); }
QK_FUNCTION void fence_products(int line = __builtin_LINE()) { shim::fence_products(line); }
QK_FUNCTION void commit_products(int line = __builtin_LINE()) { shim::commit_products(line); }
template <int GROUPS_LEFT> QK_FUNCTION void wait_products(int line = __builtin_LINE()) { shim::wait_products(GROUPS_LEFT, line); }
template <bool LEFT_UNSIGNED, int COLUMNS>
QK_FUNCTION void multiply_by_group(s32* sum, u64 left, u64 right, int line = __builtin_LINE()) {
    shim::multiply_by_group(sum, COLUMNS, left, right, LEFT_UNSIGNED, line);
}

#endif

// A matrix for multiply_by_group: 32 codes of each row, in rows of ROW_BYTES (32, 64 or 128), from the code at offset on. Chunk c of row
// r is where chunk c ^ s would be, in a place whose address has s in the bits from 128 on (as many as count a row's chunks); so the first
// row's address is a multiple of eight rows, and offset may be 32 codes or more to its right.
template <int ROW_BYTES> QK_FUNCTION u64 describe_matrix(u32 offset) {
    constexpr u64 SWIZZLE = ROW_BYTES == 128 ? 1 : ROW_BYTES == 64 ? 2 : 3;
    constexpr u64 EIGHT_ROWS = 8 * ROW_BYTES / 16;
    constexpr u64 LEADING = 1;  // means nothing in swizzled rows
    return SWIZZLE << 62 | EIGHT_ROWS << 32 | LEADING << 16 | (shared_address(offset) & 0x3ffff) >> 4;
}
