// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#ifndef __x86_64__
#error "the shim switches between fibers on x86-64 only"
#endif

// Stores the callee-saved registers and the stack pointer of one fiber, and takes those of another.
extern "C" void shim_switch(void** from, void* to);
asm(R"(
.text
.hidden shim_switch
.globl shim_switch
.type shim_switch,@function
shim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size shim_switch,.-shim_switch
)");

namespace shim {

Position here;
unsigned char* shared;
unsigned shared_bytes;
Write* writes;
unsigned fences[1024];

void start_products(unsigned warp_count);
void finish_products();
void check_products();

namespace {

constexpr unsigned LANES = 32;
constexpr unsigned MOST_THREADS = 1024;
constexpr unsigned MOST_ARGUMENTS = 16;
constexpr size_t STACK = 128 * 1024;
constexpr unsigned char SPOILT = 0xA5;
constexpr unsigned ALL = 0xffffffffu;

typedef uint64_t Word;

struct Copy {
    unsigned offset;
    unsigned bytes;
    const void* source;
    bool zero;
};

struct Addition {
    unsigned* to;
    unsigned value;
};

struct Fiber {
    void* stack_pointer;
    std::vector<Addition> additions;  // to global memory, of which others know nothing yet
    std::vector<Copy> copies;       // issued, not yet copied, oldest first
    std::vector<size_t> groups;     // where in copies each committed group ends, oldest first
    bool done;
};

struct Warp {
    unsigned ready;                 // a bit for each lane
    unsigned arrived;
    Operation operation;
    const char* name;
    int line;
    void* operands[LANES];
};

struct Range {
    Word base;
    Word bytes;
    bool added_to;
};

std::vector<Fiber> fibers(MOST_THREADS);
std::vector<Addition> unpublished;  // of blocks that are done: others see them when the launch is over
std::vector<Warp> warps(MOST_THREADS / LANES);
std::vector<unsigned> warp_order;
std::vector<unsigned> lane_order;
std::vector<Range> ranges;
unsigned threads;
unsigned at_barrier;
unsigned done;
int barrier_line;
bool released;
bool failed;
char message[1024];
void* scheduler;
void* stacks;
void* kernel;
Word arguments[MOST_ARGUMENTS];
unsigned long long extra_phases;

void yield() {
    shim_switch(&fibers[here.thread].stack_pointer, scheduler);
}

void finish() {
    Fiber& fiber = fibers[here.thread];
    if (!fiber.copies.empty()) {
        fail("%zu asynchronous copies were never waited for", fiber.copies.size());
    }
    finish_products();
    unpublished.insert(unpublished.end(), fiber.additions.begin(), fiber.additions.end());
    fiber.additions.clear();
    fiber.done = true;
    done++;
    warps[here.thread / LANES].ready &= ~(1u << here.thread % LANES);
    yield();
}

void enter() {
    typedef void (*Kernel)(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word);
    const Word* a = arguments;
    // All arguments are 64-bit integers or pointers; those that the kernel lacks do no harm.
    reinterpret_cast<Kernel>(kernel)(
        a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]);
    finish();
}

void start_fiber(unsigned thread) {
    Fiber& fiber = fibers[thread];
    fiber.copies.clear();
    fiber.groups.clear();
    fiber.done = false;
    char* top = static_cast<char*>(stacks) + (thread + 1) * STACK;
    void** frame = reinterpret_cast<void**>(top) - 2;
    *frame = reinterpret_cast<void*>(&enter);  // where the switch returns to, with the stack aligned as after a call
    fiber.stack_pointer = frame - 6;
}

void run_lane(unsigned thread) {
    here.thread = thread;
    shim_switch(&scheduler, fibers[thread].stack_pointer);
}

void report_deadlock() {
    unsigned in_warps = 0;
    const Warp* waiting = nullptr;
    for (unsigned warp = 0; warp < threads / LANES; warp++) {
        in_warps += __builtin_popcount(warps[warp].arrived);
        waiting = warps[warp].arrived != 0 ? &warps[warp] : waiting;
    }
    failed = true;
    int length = snprintf(message, sizeof message, "block (%llu, %u): deadlock: %u threads ended", here.row, here.column, done);
    if (at_barrier != 0) {
        length += snprintf(message + length, sizeof message - length, ", %u wait at the barrier of line %d", at_barrier, barrier_line);
    }
    if (waiting != nullptr) {
        snprintf(message + length, sizeof message - length, ", %u wait for their warp at %s of line %d", in_warps, waiting->name, waiting->line);
    }
}

// Runs the first ready warp until it cannot go on, or until a barrier made others ready.
bool run_some() {
    for (unsigned warp : warp_order) {
        bool ran = false;
        while (warps[warp].ready != 0) {
            for (unsigned lane : lane_order) {
                if (warps[warp].ready >> lane & 1) {
                    run_lane(warp * LANES + lane);
                    ran = true;
                    if (failed || released) {
                        released = false;
                        return !failed;
                    }
                }
            }
        }
        if (ran) {
            return true;
        }
    }
    return false;
}

void run_block() {
    memset(shared, SPOILT, shared_bytes);
    std::fill(writes, writes + (shared_bytes + 3) / 4, Write());
    memset(fences, 0, sizeof fences);
    start_products(threads / LANES);
    at_barrier = done = 0;
    released = false;
    for (unsigned warp = 0; warp < threads / LANES; warp++) {
        warps[warp].ready = ALL;
        warps[warp].arrived = 0;
    }
    for (unsigned thread = 0; thread < threads; thread++) {
        start_fiber(thread);
    }
    while (run_some()) {
    }
    if (!failed && done < threads) {
        report_deadlock();
    }
    if (!failed) {
        check_products();
    }
}

void order(std::vector<unsigned>& items, unsigned count, bool backwards, bool shuffled, std::mt19937_64& random) {
    items.resize(count);
    for (unsigned i = 0; i < count; i++) {
        items[i] = backwards ? count - 1 - i : i;
    }
    if (shuffled) {
        for (unsigned i = count; i > 1; i--) {
            std::swap(items[i - 1], items[random() % i]);
        }
    }
}

void need_stacks() {
    if (stacks == nullptr) {
        stacks = mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
}

}  // namespace

void fail(const char* format, ...) {
    failed = true;
    int length = snprintf(message, sizeof message, "block (%llu, %u), thread %u: ", here.row, here.column, here.thread);
    va_list values;
    va_start(values, format);
    vsnprintf(message + length, sizeof message - length, format, values);
    va_end(values);
    yield();  // for ever: the scheduler gives up
    __builtin_unreachable();
}

void barrier(int line) {
    if (at_barrier == 0) {
        barrier_line = line;
    } else if (barrier_line != line) {
        fail("is at the barrier of line %d while others are at that of line %d", line, barrier_line);
    }
    if (++at_barrier < threads) {
        warps[here.thread / LANES].ready &= ~(1u << here.thread % LANES);
        yield();
        return;
    }
    at_barrier = 0;
    released = true;
    for (unsigned warp = 0; warp < threads / LANES; warp++) {
        warps[warp].ready = ALL;
    }
    yield();  // so that the schedule, and not who came last, says who goes on
}

void collective(Operation operation, const char* name, void* operand, int line) {
    Warp& warp = warps[here.thread / LANES];
    unsigned lane = here.thread % LANES;
    if (warp.arrived == 0) {
        warp.operation = operation;
        warp.name = name;
        warp.line = line;
    } else if (warp.operation != operation || warp.line != line) {
        fail("is at %s of line %d while its warp is at %s of line %d", name, line, warp.name, warp.line);
    }
    warp.operands[lane] = operand;
    warp.arrived |= 1u << lane;
    if (warp.arrived != ALL) {
        warp.ready &= ~(1u << lane);
        yield();
        return;
    }
    warp.arrived = 0;
    operation(warp.operands);
    warp.ready = ALL;
}

void check_global(const void* address, size_t bytes, size_t alignment, const char* what) {
    Word from = reinterpret_cast<Word>(address);
    if (from % alignment != 0) {
        fail("%s of %zu bytes of global memory is not aligned to %zu", what, bytes, alignment);
    }
    if (ranges.empty()) {
        return;
    }
    Word distance = ~Word(0);
    size_t nearest = 0;
    for (size_t i = 0; i < ranges.size(); i++) {
        if (from - ranges[i].base <= ranges[i].bytes && bytes <= ranges[i].bytes - (from - ranges[i].base)) {
            return;
        }
        Word end = ranges[i].base + ranges[i].bytes;
        Word gap = from < ranges[i].base ? ranges[i].base - from : from < end ? 0 : from - end;
        if (gap < distance) {
            distance = gap;
            nearest = i;
        }
    }
    fail("%s of %zu bytes at %lld leaves buffer %zu, which has %llu bytes", what, bytes,
        static_cast<long long>(from - ranges[nearest].base), nearest, static_cast<unsigned long long>(ranges[nearest].bytes));
}

void check_settled(const void* address) {
    Word at = reinterpret_cast<Word>(address);
    for (const Range& range : ranges) {
        if (range.added_to && at - range.base < range.bytes) {
            fail("a plain load of what other blocks add to, at %llu", static_cast<unsigned long long>(at - range.base));
        }
    }
}

void note_addition(const void* address) {
    Word at = reinterpret_cast<Word>(address);
    for (Range& range : ranges) {
        range.added_to |= at - range.base < range.bytes;
    }
}

void add_global(unsigned* to, unsigned value) {
    check_global(to, sizeof(unsigned), sizeof(unsigned), "an addition");
    note_addition(to);
    fibers[here.thread].additions.push_back({to, value});
}

unsigned take_ticket(unsigned* counter) {
    check_global(counter, sizeof(unsigned), sizeof(unsigned), "an addition");
    note_addition(counter);
    return (*counter)++;
}

void publish_global() {
    for (const Addition& addition : fibers[here.thread].additions) {
        *addition.to += addition.value;
    }
    fibers[here.thread].additions.clear();
}

void copy_async(unsigned offset, const void* source, unsigned bytes, bool zero) {
    check_shared(offset, bytes, bytes, "an asynchronous copy");
    if (!zero) {
        check_global(source, bytes, bytes, "an asynchronous copy");
    }
    memset(shared + offset, SPOILT, bytes);
    fibers[here.thread].copies.push_back({offset, bytes, source, zero});
}

void commit_async() {
    Fiber& fiber = fibers[here.thread];
    fiber.groups.push_back(fiber.copies.size());
}

void wait_async(unsigned groups_left) {
    Fiber& fiber = fibers[here.thread];
    if (fiber.groups.size() <= groups_left) {
        return;
    }
    size_t complete = fiber.groups.size() - groups_left;
    size_t end = fiber.groups[complete - 1];
    for (size_t i = 0; i < end; i++) {
        const Copy& copy = fiber.copies[i];
        if (copy.zero) {
            memset(shared + copy.offset, 0, copy.bytes);
        } else {
            memcpy(shared + copy.offset, copy.source, copy.bytes);
        }
        note_write(copy.offset, copy.bytes);
    }
    fiber.copies.erase(fiber.copies.begin(), fiber.copies.begin() + end);
    fiber.groups.erase(fiber.groups.begin(), fiber.groups.begin() + complete);
    for (size_t& group : fiber.groups) {
        group -= end;
    }
}

namespace {

struct MatrixLoad {
    unsigned offset;
    unsigned* result;
};

void load_matrices(void* const* operands) {
    for (unsigned matrix = 0; matrix < 4; matrix++) {
        unsigned groups_of_banks = 0;  // eight of 16 bytes
        unsigned phases = 0;
        for (unsigned row = 0; row < 8; row++) {
            unsigned offset = static_cast<MatrixLoad*>(operands[matrix * 8 + row])->offset;
            unsigned bit = 1u << (offset / 16 % 8);
            phases += groups_of_banks & bit ? 1 : 0;
            groups_of_banks |= bit;
            for (unsigned word = 0; word < 4; word++) {
                unsigned* result = static_cast<MatrixLoad*>(operands[row * 4 + word])->result;
                memcpy(&result[matrix], shared + offset + 4 * word, 4);
            }
        }
        extra_phases += phases;
    }
}

struct Product {
    int* sum;
    const unsigned* left;
    const unsigned* right;
};

// One row of left by one of right, both of `bytes` codes.
template <class Left, int COUNT>
inline int dot(const unsigned char* left, const unsigned char* right) {
    int sum = 0;
    for (int k = 0; k < COUNT; k++) {
        short l = static_cast<Left>(left[k]);
        short r = static_cast<signed char>(right[k]);
        sum += l * r;
    }
    return sum;
}

// Rows are 8 per register of the left operand; halves are runs of 16 codes.
template <class Left, int ROWS, int HALVES>
void multiply(void* const* operands) {
    unsigned char left[8 * ROWS][16 * HALVES];
    unsigned char right[8][16 * HALVES];
    for (unsigned lane = 0; lane < LANES; lane++) {
        const Product& product = *static_cast<Product*>(operands[lane]);
        unsigned row = lane / 4;
        unsigned k = 4 * (lane % 4);
        for (int half = 0; half < HALVES; half++) {
            for (int part = 0; part < ROWS; part++) {
                memcpy(&left[8 * part + row][16 * half + k], &product.left[half * ROWS + part], 4);
            }
            memcpy(&right[row][16 * half + k], &product.right[half], 4);
        }
    }
    for (unsigned lane = 0; lane < LANES; lane++) {
        const Product& product = *static_cast<Product*>(operands[lane]);
        for (int part = 0; part < ROWS; part++) {
            for (unsigned column = 0; column < 2; column++) {
                unsigned& sum = reinterpret_cast<unsigned&>(product.sum[2 * part + column]);
                sum += dot<Left, 16 * HALVES>(left[8 * part + lane / 4], right[2 * (lane % 4) + column]);
            }
        }
    }
}

struct Shuffle {
    unsigned value;
    unsigned mask;
    unsigned result;
};

void shuffle(void* const* operands) {
    for (unsigned lane = 0; lane < LANES; lane++) {
        Shuffle& to = *static_cast<Shuffle*>(operands[lane]);
        to.result = static_cast<Shuffle*>(operands[(lane ^ to.mask) % LANES])->value;
    }
}

}  // namespace

void load_matrix4(unsigned* result, unsigned offset, int line) {
    check_shared(offset, 16, 16, "ldmatrix");
    MatrixLoad operand = {offset, result};
    collective(load_matrices, "ldmatrix", &operand, line);
}

void multiply_8x8x16(int* sum, unsigned left, unsigned right, bool left_unsigned, int line) {
    Product operand = {sum, &left, &right};
    collective(left_unsigned ? multiply<unsigned char, 1, 1> : multiply<signed char, 1, 1>, "mma", &operand, line);
}

void multiply_16x8x32(int* sum, const unsigned* left, const unsigned* right, bool left_unsigned, int line) {
    Product operand = {sum, left, right};
    collective(left_unsigned ? multiply<unsigned char, 2, 2> : multiply<signed char, 2, 2>, "mma", &operand, line);
}

unsigned shuffle_xor(unsigned value, unsigned mask, int line) {
    Shuffle operand = {value, mask, 0};
    collective(shuffle, "shuffle", &operand, line);
    return operand.result;
}

}  // namespace shim

#include "shim_products.h"

// Launches a kernel; returns null, or what went wrong. Buffers are pairs of address and size; without any, global
// accesses are not checked for range. Seed 0 is depth-first in order, 1 in reverse order, others are drawn.
extern "C" __attribute__((visibility("default"))) const char* shim_launch(void* function, const uint64_t* values,
    int value_count, const uint64_t* buffers, int buffer_count, uint64_t rows, int columns, int block_threads,
    int block_shared, uint64_t seed) {
    using namespace shim;
    need_stacks();
    if (stacks == MAP_FAILED || value_count > static_cast<int>(MOST_ARGUMENTS)) {
        return stacks == MAP_FAILED ? "no memory for the fibers' stacks" : "more arguments than the shim can pass";
    }
    kernel = function;
    std::fill(arguments, arguments + MOST_ARGUMENTS, 0);
    std::copy(values, values + value_count, arguments);
    ranges.clear();
    for (int i = 0; i < buffer_count; i++) {
        ranges.push_back({buffers[2 * i], buffers[2 * i + 1], false});
    }
    threads = block_threads;
    std::vector<unsigned char> memory(block_shared + 1024);
    shared = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(memory.data()) + 1023) / 1024 * 1024);
    shared_bytes = block_shared;
    std::vector<Write> words(block_shared / 4 + 1);
    writes = words.data();
    failed = false;
    extra_phases = 0;
    std::mt19937_64 random(seed);
    uint64_t blocks = rows * columns;
    for (uint64_t i = 0; i < blocks && !failed; i++) {
        order(warp_order, threads / LANES, seed == 1, seed > 1, random);
        order(lane_order, LANES, seed == 1, seed > 1, random);
        uint64_t block = seed % 2 == 1 ? blocks - 1 - i : i;
        here.row = block % rows;
        here.column = static_cast<unsigned>(block / rows);
        run_block();
    }
    for (const Addition& addition : unpublished) {
        *addition.to += addition.value;
    }
    unpublished.clear();
    shared = nullptr;
    writes = nullptr;
    return failed ? message : nullptr;
}

// How many more phases than necessary the last launch's ldmatrix took because of bank conflicts.
extern "C" __attribute__((visibility("default"))) uint64_t shim_extra_phases() {
    return shim::extra_phases;
}
