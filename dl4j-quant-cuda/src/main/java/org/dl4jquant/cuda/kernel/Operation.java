// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The operations of machine code from Turing to Hopper that have a name here, by the low 9 bits of
 * an instruction; the 3 bits above them say where the operands are. The numbers were found by
 * compiling kernels of one operation each.
 */
public enum Operation {
    /** Multiplies int8 matrices on the Tensor Cores, for a warp. */
    IMMA(0x037, Pipe.TENSOR),
    /** Multiplies int8 matrices on the Tensor Cores, for four warps. */
    IGMMA(0x1f1, Pipe.TENSOR),
    /** Reads matrices from shared memory. */
    LDSM(0x03b, Pipe.MEMORY),
    /** Copies from global to shared memory without waiting. */
    LDGSTS(0x1ae, Pipe.MEMORY),
    /** Reads global memory. */
    LDG(0x181, Pipe.MEMORY),
    /** Writes global memory. */
    STG(0x186, Pipe.MEMORY),
    /** Reads shared memory. */
    LDS(0x184, Pipe.MEMORY),
    /** Writes shared memory. */
    STS(0x188, Pipe.MEMORY),
    /** Reads local memory: what was spilled. */
    LDL(0x183, Pipe.MEMORY),
    /** Writes local memory: what is spilled. */
    STL(0x187, Pipe.MEMORY),
    /** Exchanges registers within a warp. */
    SHFL(0x189, Pipe.MEMORY),
    /** Multiplies and adds int32. */
    IMAD(0x024, Pipe.MULTIPLY),
    /** Multiplies int32 and adds 64 bits. */
    IMAD_WIDE(0x025, Pipe.MULTIPLY),
    /** The upper half of a product. */
    IMAD_HI(0x027, Pipe.MULTIPLY),
    /** Adds products of four int8. */
    IDP(0x026, Pipe.MULTIPLY),
    /** Multiplies and adds float32. */
    FFMA(0x023, Pipe.FLOAT),
    /** Multiplies float32. */
    FMUL(0x020, Pipe.FLOAT),
    /** Adds float32. */
    FADD(0x021, Pipe.FLOAT),
    /** Adds three int32. */
    IADD3(0x010, Pipe.INTEGER),
    /** Adds two int32; Hopper. */
    VIADD(0x036, Pipe.INTEGER),
    /** A logical function of three words. */
    LOP3(0x012, Pipe.INTEGER),
    /** Shifts. */
    SHF(0x019, Pipe.INTEGER),
    /** Shifts and adds, as addresses need. */
    LEA(0x011, Pipe.INTEGER),
    /** Permutes bytes. */
    PRMT(0x016, Pipe.INTEGER),
    /** The smaller or larger of two int32. */
    IMNMX(0x017, Pipe.INTEGER),
    /** The smaller or larger of two int32; Hopper. */
    VIMNMX(0x048, Pipe.INTEGER),
    /** The smaller or larger of two float32. */
    FMNMX(0x009, Pipe.INTEGER),
    /** Compares int32. */
    ISETP(0x00c, Pipe.INTEGER),
    /** Compares float32. */
    FSETP(0x00b, Pipe.INTEGER),
    /** A logical function of predicates. */
    PLOP3(0x01c, Pipe.INTEGER),
    /** Chooses one of two words. */
    SEL(0x007, Pipe.INTEGER),
    /** Copies a register. */
    MOV(0x002, Pipe.INTEGER),
    /** Copies predicates to a register. */
    P2R(0x003, Pipe.INTEGER),
    /** Rounds two floats and saturates them to bytes. */
    F2IP(0x043, Pipe.INTEGER),
    /** Makes float32 of int32 without the conversion unit. */
    I2FP(0x045, Pipe.INTEGER),
    /** Makes float32 of int32. */
    I2F(0x106, Pipe.CONVERT),
    /** Makes integers of float32. */
    F2I(0x105, Pipe.CONVERT),
    /** Reciprocals and other functions. */
    MUFU(0x108, Pipe.CONVERT),
    /** Counts bits. */
    POPC(0x109, Pipe.CONVERT),
    /** Finds the leading bit. */
    FLO(0x100, Pipe.CONVERT),
    /** Waits for the block's threads. */
    BAR(0x11d, Pipe.NONE),
    /** Goes elsewhere. */
    BRA(0x147, Pipe.NONE),
    /** Ends the thread. */
    EXIT(0x14d, Pipe.NONE),
    /** Does nothing, such as the padding behind a kernel's end. */
    NOP(0x118, Pipe.NONE);

    /** What executes an operation. */
    public enum Pipe {
        /** The Tensor Cores. */
        TENSOR,
        /** Loads and stores, shared by the quarters of a multiprocessor. */
        MEMORY,
        /** Integers, logic and comparisons. */
        INTEGER,
        /** Float32 arithmetic. */
        FLOAT,
        /** Integer products. */
        MULTIPLY,
        /** Conversions and special functions. */
        CONVERT,
        /** Only the issue: control, uniform registers, and what has no name here. */
        NONE
    }

    private static final Map<Integer, Operation> BY_NUMBER =
            Arrays.stream(values())
                    .collect(Collectors.toUnmodifiableMap(Operation::number, Function.identity()));

    private final int number;
    private final Pipe pipe;

    Operation(int number, Pipe pipe) {
        this.number = number;
        this.pipe = pipe;
    }

    /** {@return the low 9 bits of its instructions} */
    public int number() {
        return number;
    }

    /** {@return what executes it} */
    public Pipe pipe() {
        return pipe;
    }

    /** {@return the operation of a number, if it has a name} */
    static Optional<Operation> of(int number) {
        return Optional.ofNullable(BY_NUMBER.get(number));
    }
}
