// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Optional;

/**
 * One instruction of 128 bits.
 *
 * @param low bits 0 to 63: the operation, the condition, registers and constants
 * @param high bits 64 to 127: more of them, and from bit 105 on how the scheduler treats it
 */
record Instruction(long low, long high) {

    /* Bits 105 to 108 are the cycles until the warp's next instruction may be issued. (Then come a hint to change the
     * warp, the barriers that it sets and awaits, and which operands are kept for the next.)
     *
     * An access to memory has its width in bits 73 to 75: 8 bits twice, for both signs, 16 bits twice, then 32, 64
     * and 128 bits; ldmatrix has in bits 72 and 73 whether it reads 1, 2 or 4 matrices of 128 bytes.
     *
     * mma.m8n8k16 has neither of two bits, m16n8k16 bit 86, m16n8k32 bits 86 and 75. wgmma has three times the index
     * of its columns in 8, 16, 24, 32, 48, 64, ... 256, from bit 53 on.
     *
     * A branch's distance from its end is in bits 34 to 63, in words of 32 bits; from Hopper on these are the
     * upper bits, and bits 16 to 23 the lowest. */

    static final int BYTES = 16;

    private static final int NUMBER = 0x1ff;
    private static final int HOPPER = 90;
    private static final int WARP = 32;

    int number() {
        return (int) low & NUMBER;
    }

    Optional<Operation> operation() {
        return Operation.of(number());
    }

    boolean is(Operation operation) {
        return number() == operation.number();
    }

    /** {@return its name, or its number where it has none} */
    String name() {
        return operation()
                .map(operation -> operation.name().replace('_', '.'))
                .orElseGet(() -> String.format("0x%03x", number()));
    }

    int stallCycles() {
        return (int) (high >>> 41) & 0xf;
    }

    /** {@return the bytes that a thread reads or writes} */
    int width() {
        int width = (int) (high >>> 9) & 7;
        return width < 4 ? 1 << (width / 2) : 1 << (width - 2);
    }

    /** {@return the bytes that a warp reads or writes, each thread its own} */
    int warpBytes() {
        return is(Operation.LDSM) ? 128 << ((int) (high >>> 8) & 3) : WARP * width();
    }

    /** {@return the products of int8 that it adds for a warp; 0 if it is not for Tensor Cores} */
    int products() {
        if (is(Operation.IMMA)) {
            return 8 * (((high >>> 22) & 1) == 1 ? 16 : 8) * (((high >>> 11) & 1) == 1 ? 32 : 16);
        }
        return is(Operation.IGMMA) ? 16 * 32 * columns((int) (low >>> 53) / 3) : 0;
    }

    private static int columns(int index) {
        return index < 4 ? 8 * (index + 1) : 16 * (index - 1);
    }

    /**
     * {@return where a branch goes}
     *
     * @param at the branch's own place
     * @param capability the architecture's number, such as 80
     */
    long target(int at, int capability) {
        long words = low >> 34;
        return at
                + BYTES
                + 4 * (capability < HOPPER ? words : (words << 8) | ((low >>> 16) & 0xff));
    }
}
