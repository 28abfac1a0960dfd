// SPDX-License-Identifier: Apache-2.0
//
// The model of wgmma, a part of shim.cpp. Nothing here brings the warps of a warpgroup together: a kernel that relies on that instead of a
// barrier shows it. They only have to do the same in the same order.
#pragma once

#include "shim.h"

namespace shim {
namespace {

constexpr unsigned ROWS = 16;       // of a warp
constexpr unsigned MOST_COLUMNS = 256;
constexpr unsigned DEPTH = 32;      // codes of a row that one product sums over
constexpr unsigned WARPS_OF_GROUP = 4;
constexpr int SPOILT_SUM = static_cast<int>(0xA5A5A5A5u);

// A matrix as its descriptor says. Rows of 16 bytes are those without a swizzle, whose halves lie `leading` apart.
struct Matrix {
    unsigned start;
    unsigned leading;
    unsigned stride;                // from eight rows to the next
    unsigned row_bytes;
};

struct GroupOperand {
    int* sum;
    unsigned columns;
    Word left;
    Word right;
    bool left_unsigned;
    int line;
};

// Sums of a thread as it settled them.
struct Settled {
    int* registers;
    std::vector<int> values;
    bool fenced;
};

// Sums of a warp that products are under way to.
struct Sums {
    int* registers[LANES];
    unsigned columns;
    unsigned products;              // under way
    std::vector<int> values;        // [ROWS][columns]
};

struct GroupProduct {
    int* registers;                 // of lane 0; says which sums
    unsigned columns;
    Matrix left;
    Matrix right;
    bool left_unsigned;
    int line;
    unsigned char left_codes[ROWS][DEPTH];
    unsigned char right_codes[MOST_COLUMNS][DEPTH];
};

struct Step {
    const char* name;
    int line;
    Word left;
    Word right;
};

struct WarpProducts {
    std::vector<GroupProduct> products;  // under way, oldest first
    std::vector<size_t> groups;          // where in products each committed group ends, oldest first
    std::vector<Sums> sums;
    unsigned steps;
};

std::vector<WarpProducts> products_of(MOST_THREADS / LANES);
std::vector<std::vector<Settled>> settled_by(MOST_THREADS);
std::vector<std::vector<Step>> steps_of(MOST_THREADS / LANES / WARPS_OF_GROUP);

unsigned this_warp() {
    return here.thread / LANES;
}

// What warps of a warpgroup do has to be the same.
void note_step(const Step& step) {
    unsigned group = this_warp() / WARPS_OF_GROUP;
    if ((group + 1) * WARPS_OF_GROUP * LANES > threads) {
        fail("%s of line %d needs a warpgroup of 128 threads; the block has %u", step.name, step.line, threads);
    }
    std::vector<Step>& steps = steps_of[group];
    unsigned index = products_of[this_warp()].steps++;
    if (index == steps.size()) {
        steps.push_back(step);
    } else if (steps[index].name != step.name || steps[index].line != step.line) {
        fail("is at %s of line %d, but another warp of its warpgroup was at %s of line %d", step.name, step.line, steps[index].name,
            steps[index].line);
    } else if (steps[index].left != step.left || steps[index].right != step.right) {
        fail("multiplies other matrices in line %d than another warp of its warpgroup", step.line);
    }
}

Matrix decode(Word descriptor, const char* side, int line) {
    constexpr unsigned WIDTHS[] = {16, 128, 64, 32};
    constexpr Word UNUSED = 0x3ffull << 52 | 7ull << 46 | 3ull << 30 | 3ull << 14;
    Matrix matrix;
    matrix.start = static_cast<unsigned>(descriptor & 0x3fff) << 4;
    matrix.leading = static_cast<unsigned>(descriptor >> 16 & 0x3fff) << 4;
    matrix.stride = static_cast<unsigned>(descriptor >> 32 & 0x3fff) << 4;
    matrix.row_bytes = WIDTHS[descriptor >> 62];
    if ((descriptor & UNUSED) != 0 || (descriptor >> 49 & 7) != 0) {
        fail("the %s matrix's descriptor %llx in line %d sets bits that it should not", side,
            static_cast<unsigned long long>(descriptor), line);
    }
    if (matrix.row_bytes > 16) {
        unsigned within = matrix.start % (8 * matrix.row_bytes);
        if (within + DEPTH > matrix.row_bytes) {
            fail("the %s matrix in line %d begins at %u, which is byte %u of eight rows of %u bytes: its codes are not in the first", side,
                line, matrix.start, within, matrix.row_bytes);
        }
    }
    return matrix;
}

// Half a row's codes.
unsigned place(const Matrix& matrix, unsigned row, unsigned half) {
    unsigned eight_rows = matrix.start + row / 8 * matrix.stride + row % 8 * matrix.row_bytes;
    if (matrix.row_bytes == 16) {
        return eight_rows + half * matrix.leading;
    }
    unsigned plain = eight_rows + half * 16;
    return plain ^ (plain >> 7 & (matrix.row_bytes / 16 - 1)) << 4;
}

void require_published(unsigned offset, int line) {
    for (unsigned word = offset / 4; word < offset / 4 + 4; word++) {
        unsigned writer = writes[word].thread;
        if (writer == 0) {
            fail("the product of line %d reads %u of shared memory, where nothing was written", line, word * 4);
        }
        if (fences[writer - 1] == writes[word].fences) {
            fail("the product of line %d reads %u of shared memory, which thread %u wrote without a proxy fence behind it", line, word * 4,
                writer - 1);
        }
    }
}

void read(const Matrix& matrix, unsigned first_row, unsigned rows, unsigned char (*codes)[DEPTH], int line) {
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned half = 0; half < 2; half++) {
            unsigned from = place(matrix, first_row + row, half);
            check_shared(from, 16, 16, "wgmma");
            require_published(from, line);
            memcpy(codes[row] + 16 * half, shared + from, 16);
        }
    }
}

void require_same(const Matrix& matrix, unsigned first_row, unsigned rows, const unsigned char (*codes)[DEPTH], int line) {
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned half = 0; half < 2; half++) {
            unsigned from = place(matrix, first_row + row, half);
            if (memcmp(codes[row] + 16 * half, shared + from, 16) != 0) {
                fail("%u of shared memory changed while the product of line %d read it", from, line);
            }
        }
    }
}

unsigned first_row() {
    return this_warp() % WARPS_OF_GROUP * ROWS;
}

Sums* find(std::vector<Sums>& all, const int* registers) {
    for (Sums& sums : all) {
        if (sums.registers[0] == registers) {
            return &sums;
        }
    }
    return nullptr;
}

// Calls act(register, index of its sum) for all of a warp's sums.
template <class Act>
void for_each_sum(const Sums& sums, Act act) {
    for (unsigned lane = 0; lane < LANES; lane++) {
        for (unsigned i = 0; i < sums.columns / 2; i++) {
            unsigned row = lane / 4 + i / 2 % 2 * 8;
            unsigned column = i / 4 * 8 + lane % 4 * 2 + i % 2;
            act(sums.registers[lane][i], row * sums.columns + column);
        }
    }
}

// What a thread has to be when its sums begin to be multiplied: as it settled them, with a fence behind.
void take_settled(unsigned thread, const GroupOperand& operand) {
    std::vector<Settled>& all = settled_by[thread];
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].registers == operand.sum && all[i].fenced && all[i].values.size() == operand.columns / 2) {
            if (!std::equal(all[i].values.begin(), all[i].values.end(), operand.sum)) {
                fail("thread %u's sums of line %d changed behind their wgmma.fence", thread, operand.line);
            }
            all.erase(all.begin() + i);
            return;
        }
    }
    fail("the product of line %d lacks a wgmma.fence behind what used its sums before", operand.line);
}

Sums& begin_sums(WarpProducts& own, void* const* operands) {
    own.sums.emplace_back();
    Sums& sums = own.sums.back();
    sums.columns = static_cast<GroupOperand*>(operands[0])->columns;
    sums.products = 0;
    sums.values.resize(ROWS * sums.columns);
    for (unsigned lane = 0; lane < LANES; lane++) {
        const GroupOperand& operand = *static_cast<GroupOperand*>(operands[lane]);
        take_settled(this_warp() * LANES + lane, operand);
        sums.registers[lane] = operand.sum;
    }
    for_each_sum(sums, [&](int& held, unsigned index) {
        sums.values[index] = held;
        held = SPOILT_SUM;
    });
    return sums;
}

void issue_product(void* const* operands) {
    const GroupOperand& first = *static_cast<GroupOperand*>(operands[0]);
    for (unsigned lane = 1; lane < LANES; lane++) {
        const GroupOperand& other = *static_cast<GroupOperand*>(operands[lane]);
        if (other.left != first.left || other.right != first.right) {
            fail("lanes 0 and %u multiply different matrices in line %d", lane, first.line);
        }
    }
    note_step({"wgmma", first.line, first.left, first.right});
    WarpProducts& own = products_of[this_warp()];
    Sums* under_way = find(own.sums, first.sum);
    Sums& sums = under_way == nullptr ? begin_sums(own, operands) : *under_way;
    if (sums.columns != first.columns) {
        fail("the product of line %d has %u columns, others under way to its sums have %u", first.line, first.columns, sums.columns);
    }
    sums.products++;
    own.products.emplace_back();
    GroupProduct& product = own.products.back();
    product.registers = first.sum;
    product.columns = first.columns;
    product.left = decode(first.left, "left", first.line);
    product.right = decode(first.right, "right", first.line);
    product.left_unsigned = first.left_unsigned;
    product.line = first.line;
    read(product.left, first_row(), ROWS, product.left_codes, first.line);
    read(product.right, 0, product.columns, product.right_codes, first.line);
}

// Sums of 32 products of bytes are exact in float32, which CPUs multiply fastest.
void add_product(const GroupProduct& product, Sums& sums) {
    static float right[DEPTH][MOST_COLUMNS];
    float results[MOST_COLUMNS];
    unsigned columns = product.columns;
    for (unsigned column = 0; column < columns; column++) {
        for (unsigned k = 0; k < DEPTH; k++) {
            right[k][column] = static_cast<signed char>(product.right_codes[column][k]);
        }
    }
    for (unsigned row = 0; row < ROWS; row++) {
        std::fill(results, results + columns, 0.0f);
        for (unsigned k = 0; k < DEPTH; k++) {
            unsigned char code = product.left_codes[row][k];
            float left = product.left_unsigned ? code : static_cast<signed char>(code);
            for (unsigned column = 0; column < columns; column++) {
                results[column] += left * right[k][column];
            }
        }
        for (unsigned column = 0; column < columns; column++) {
            unsigned& sum = reinterpret_cast<unsigned&>(sums.values[row * columns + column]);
            sum += static_cast<unsigned>(static_cast<int>(results[column]));
        }
    }
}

void complete_product(WarpProducts& own, const GroupProduct& product) {
    require_same(product.left, first_row(), ROWS, product.left_codes, product.line);
    require_same(product.right, 0, product.columns, product.right_codes, product.line);
    Sums& sums = *find(own.sums, product.registers);
    add_product(product, sums);
    if (--sums.products == 0) {
        for_each_sum(sums, [&](int& held, unsigned index) { held = sums.values[index]; });
        own.sums.erase(own.sums.begin() + (&sums - own.sums.data()));
    }
}

struct GroupStep {
    int line;
    unsigned groups_left;
};

void fence(void* const* operands) {
    note_step({"wgmma.fence", static_cast<GroupStep*>(operands[0])->line, 0, 0});
    for (unsigned lane = 0; lane < LANES; lane++) {
        for (Settled& settled : settled_by[this_warp() * LANES + lane]) {
            settled.fenced = true;
        }
    }
}

void commit(void* const* operands) {
    note_step({"wgmma.commit_group", static_cast<GroupStep*>(operands[0])->line, 0, 0});
    WarpProducts& own = products_of[this_warp()];
    own.groups.push_back(own.products.size());
}

void wait(void* const* operands) {
    const GroupStep& step = *static_cast<GroupStep*>(operands[0]);
    note_step({"wgmma.wait_group", step.line, 0, 0});
    WarpProducts& own = products_of[this_warp()];
    if (own.groups.size() <= step.groups_left) {
        return;
    }
    size_t complete = own.groups.size() - step.groups_left;
    size_t end = own.groups[complete - 1];
    for (size_t i = 0; i < end; i++) {
        complete_product(own, own.products[i]);
    }
    own.products.erase(own.products.begin(), own.products.begin() + end);
    own.groups.erase(own.groups.begin(), own.groups.begin() + complete);
    for (size_t& group : own.groups) {
        group -= end;
    }
}

}  // namespace

void start_products(unsigned warp_count) {
    for (unsigned warp = 0; warp < warp_count; warp++) {
        products_of[warp] = WarpProducts();
        steps_of[warp / WARPS_OF_GROUP].clear();
    }
    for (unsigned thread = 0; thread < warp_count * LANES; thread++) {
        settled_by[thread].clear();
    }
}

void finish_products() {
    if (!products_of[this_warp()].products.empty()) {
        fail("%zu products were never waited for", products_of[this_warp()].products.size());
    }
}

void check_products() {
    for (unsigned warp = 0; warp < threads / LANES; warp++) {
        size_t steps = steps_of[warp / WARPS_OF_GROUP].size();
        if (products_of[warp].steps != steps && !failed) {
            failed = true;
            snprintf(message, sizeof message, "block (%llu, %u): warp %u took %u of its warpgroup's %zu steps of wgmma", here.row,
                here.column, warp, products_of[warp].steps, steps);
        }
    }
}

void publish_shared() {
    fences[here.thread]++;
}

void multiply_by_group(int* sum, unsigned columns, unsigned long long left, unsigned long long right, bool left_unsigned, int line) {
    GroupOperand operand = {sum, columns, left, right, left_unsigned, line};
    collective(issue_product, "wgmma", &operand, line);
}

void settle_sums(int* sums, unsigned count, int line) {
    for (const Sums& held : products_of[this_warp()].sums) {
        const int* own = held.registers[here.thread % LANES];
        if (own < sums + count && sums < own + held.columns / 2) {
            fail("the sums in line %d are used while %u products are under way to them", line, held.products);
        }
    }
    std::vector<Settled>& all = settled_by[here.thread];
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].registers == sums) {
            all.erase(all.begin() + i);
            break;
        }
    }
    all.push_back({sums, std::vector<int>(sums, sums + count), false});
}

void fence_products(int line) {
    GroupStep step = {line, 0};
    collective(fence, "wgmma.fence", &step, line);
}

void commit_products(int line) {
    GroupStep step = {line, 0};
    collective(commit, "wgmma.commit_group", &step, line);
}

void wait_products(unsigned groups_left, int line) {
    GroupStep step = {line, groups_left};
    collective(wait, "wgmma.wait_group", &step, line);
}

}  // namespace shim
