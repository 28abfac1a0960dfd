// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What machine code says about one kernel.
 *
 * @param registers registers of a thread
 * @param stackBytes local memory of a thread: what was spilled, and arrays that are indexed
 * @param localBytesWritten bytes that its instructions write to local memory, each instruction
 *     counted once; in a kernel without indexed arrays, what compilers call spill stores
 * @param localBytesRead bytes that they read from it: spill loads
 * @param sharedBytes static shared memory of a block; what a launch adds is not in it
 * @param opcodes how often each operation occurs, by its number
 */
public record CubinInspection(
        int registers,
        int stackBytes,
        int localBytesWritten,
        int localBytesRead,
        int sharedBytes,
        SortedMap<Integer, Integer> opcodes) {

    /** Operations that tell whether a kernel is what it should be. */
    public enum Opcode {
        /** Multiplies int8 matrices on the Tensor Cores, for a warp. */
        IMMA(0x237),
        /** Multiplies int8 matrices on the Tensor Cores, for four warps; sm_90a only. */
        IGMMA(0x9f1),
        /** Reads matrices from shared memory, {@code ldmatrix}. */
        LDSM(0x83b),
        /** Copies from global to shared memory without waiting, {@code cp.async}. */
        LDGSTS(0xfae),
        /** Reads local memory: what was spilled, or an indexed local array. */
        LDL(0x983),
        /** Writes local memory: what is spilled, or an indexed local array. */
        STL(0x387);

        private final int code;

        Opcode(int code) {
            this.code = code;
        }

        /** {@return its number: the low 12 bits of an instruction} */
        public int code() {
            return code;
        }
    }

    /** Copies the counts. */
    public CubinInspection {
        opcodes = Collections.unmodifiableSortedMap(new TreeMap<>(opcodes));
    }

    /**
     * Reads machine code for sm_70 and newer, as compilers since CUDA 12 write it.
     *
     * @param cubin an ELF file
     * @return its kernels by their names
     * @throws IllegalArgumentException if this is no cubin, or a damaged one
     */
    public static SortedMap<String, CubinInspection> of(byte[] cubin) {
        return new CubinReader(cubin).kernels();
    }

    /**
     * {@return how often an operation occurs}
     *
     * @param opcode the operation
     */
    public int count(Opcode opcode) {
        return opcodes.getOrDefault(opcode.code(), 0);
    }

    /** {@return how many instructions the kernel has, with the padding behind its end} */
    public int instructions() {
        return opcodes.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** {@return whether it uses local memory, as kernels do whose values do not fit registers} */
    public boolean usesLocalMemory() {
        return stackBytes > 0 || localBytesWritten > 0 || localBytesRead > 0;
    }
}
