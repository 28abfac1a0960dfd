// SPDX-License-Identifier: Apache-2.0
//
// Runs CUDA kernels on the CPU, one fiber for each thread of a block, in order to find their faults:
// device.cuh includes this file wherever no CUDA compiler is at work. What is modelled:
//
//   barrier        all threads of the block have to arrive, at the same line
//   warp operation (ldmatrix, mma, shuffle) all 32 lanes have to arrive, at the same line; the last does it for all
//   cp.async       spoils its destination when issued, and copies when its own thread waits for it
//   wgmma          each warp of a warpgroup has to do the same in the same order; the sums are spoilt until they are waited for, the
//                  operands are read when issued and again when waited for, and must not have changed; what threads wrote
//                  to them needs a proxy fence, and sums that threads may have touched a wgmma.fence
//   shared memory  is spoilt before each block, and each access is checked for range and alignment
//   global memory  each access is checked against the buffers that the launch names
//   additions      to global memory are seen only behind the adding thread's fence; what was added to may be stale for a plain load
//   schedule       the warp of highest priority runs until it cannot; the seed draws the priorities, the lanes' order, the blocks'
//
// A fault ends the launch with a message that says where; nothing of it reaches the process.
#pragma once

#include <cstddef>

namespace shim {

struct Position {
    unsigned thread;
    unsigned column;
    unsigned long long row;
};

extern Position here;
extern unsigned char* shared;
extern unsigned shared_bytes;

// Ends the launch; the message is followed by the block and thread.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

void barrier(int line);

// What one warp does together: operands holds a pointer for each of the 32 lanes.
typedef void (*Operation)(void* const* operands);
void collective(Operation operation, const char* name, void* operand, int line);

void check_global(const void* address, size_t bytes, size_t alignment, const char* what);

// Whether nobody added to the buffer at this address in this launch.
void check_settled(const void* address);
void add_global(unsigned* to, unsigned value);
unsigned take_ticket(unsigned* counter);
void publish_global();

inline void check_shared(unsigned offset, unsigned bytes, unsigned alignment, const char* what) {
    if (offset > shared_bytes || bytes > shared_bytes - offset) {
        fail("%s of %u bytes at %u leaves the %u bytes of shared memory", what, bytes, offset, shared_bytes);
    }
    if (offset % alignment != 0) {
        fail("%s of %u bytes at %u of shared memory is not aligned to %u", what, bytes, offset, alignment);
    }
}

// Who wrote each word of shared memory last, and after how many of its proxy fences.
struct Write {
    unsigned thread : 11;  // and one more: 0 is nobody
    unsigned fences : 21;
};
extern Write* writes;
extern unsigned fences[1024];

inline void note_write(unsigned offset, unsigned bytes) {
    for (unsigned word = offset / 4; word <= (offset + bytes - 1) / 4; word++) {
        writes[word].thread = here.thread + 1;
        writes[word].fences = fences[here.thread];
    }
}

void copy_async(unsigned offset, const void* source, unsigned bytes, bool zero);
void commit_async();
void wait_async(unsigned groups_left);

void load_matrix4(unsigned* result, unsigned offset, int line);
void multiply_8x8x16(int* sum, unsigned left, unsigned right, bool left_unsigned, int line);
void multiply_16x8x32(int* sum, const unsigned* left, const unsigned* right, bool left_unsigned, int line);
unsigned shuffle_xor(unsigned value, unsigned mask, int line);

void publish_shared();
void settle_sums(int* sums, unsigned count, int line);
void fence_products(int line);
void multiply_by_group(int* sum, unsigned columns, unsigned long long left, unsigned long long right, bool left_unsigned, int line);
void commit_products(int line);
void wait_products(unsigned groups_left, int line);

}  // namespace shim
