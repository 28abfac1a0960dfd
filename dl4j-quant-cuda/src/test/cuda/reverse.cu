// SPDX-License-Identifier: Apache-2.0
//
// Reverses each run of QK_THREADS bytes, through shared memory; only the tests of the shim use it.
#include "device.cuh"

QK_KERNEL(const u8* input, u8* output, u64 examples) {
    u64 index = static_cast<u64>(block_row()) * QK_THREADS + thread_index();
    u64 end = examples * QK_THREADS;
    if (index < end) {
        store_shared<u8>(thread_index(), load_global(input + index));
    }
    sync_threads();
    if (index < end) {
        store_global(output + index, load_shared<u8>(QK_THREADS - 1 - thread_index()));
    }
}
