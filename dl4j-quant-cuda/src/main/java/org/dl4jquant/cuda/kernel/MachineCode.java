// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.check.Require;

/**
 * One kernel's machine code, read without any tool: what it costs as a whole and in its inner
 * loops.
 *
 * @param capability the architecture's number, such as 80 for sm_80
 * @param bytes the size of the code
 * @param inspection registers, spills and shared memory
 * @param pass the cost of every instruction once
 * @param innerLoops the loops without loops inside, in the order of the code
 */
public record MachineCode(
        int capability,
        int bytes,
        CubinInspection inspection,
        CodeCost pass,
        List<Loop> innerLoops) {

    /**
     * A loop: code that ends with a branch back to its begin. What is skipped in some rounds is in
     * it.
     *
     * @param begin the place of its first instruction, in bytes from the kernel's begin
     * @param end the place behind its last one
     * @param cost the cost of one round
     */
    public record Loop(int begin, int end, CodeCost cost) {

        private boolean holds(Loop other) {
            return begin <= other.begin && other.end <= end && !equals(other);
        }
    }

    /** Copies the loops. */
    public MachineCode {
        innerLoops = List.copyOf(innerLoops);
    }

    /**
     * Reads machine code for sm_75 to sm_90a, as compilers since CUDA 12 write it.
     *
     * @param cubin an ELF file
     * @return its kernels by their names
     * @throws IllegalArgumentException if this is no cubin, a damaged one, or one for another
     *     architecture
     */
    public static SortedMap<String, MachineCode> of(byte[] cubin) {
        CubinReader reader = new CubinReader(cubin);
        SortedMap<String, CubinInspection> inspections = reader.kernels();
        int capability = reader.capability();
        Require.argument(
                capability >= 75 && capability <= 90,
                "the cubin is for sm_%d, and only sm_75 to sm_90a can be read",
                capability);
        SortedMap<String, MachineCode> kernels = new TreeMap<>();
        inspections.forEach(
                (name, inspection) ->
                        kernels.put(name, of(name, reader.code(name), inspection, capability)));
        return kernels;
    }

    private static MachineCode of(
            String name, ByteBuffer code, CubinInspection inspection, int capability) {
        Require.argument(
                code.remaining() % Instruction.BYTES == 0,
                "the code of %s has %d bytes, no multiple of %d: the cubin is damaged",
                name,
                code.remaining(),
                Instruction.BYTES);
        List<Instruction> all = new ArrayList<>();
        for (int at = 0; at < code.limit(); at += Instruction.BYTES) {
            all.add(new Instruction(code.getLong(at), code.getLong(at + Long.BYTES)));
        }
        return new MachineCode(
                capability,
                code.remaining(),
                inspection,
                CodeCost.of(all, capability),
                innerLoops(name, all, capability));
    }

    /* The branch to itself that ends each kernel is no loop. */
    private static List<Loop> innerLoops(String name, List<Instruction> code, int capability) {
        List<Loop> loops = new ArrayList<>();
        for (int i = 0; i < code.size(); i++) {
            if (code.get(i).is(Operation.BRA)) {
                int at = i * Instruction.BYTES;
                long target = code.get(i).target(at, capability);
                Require.argument(
                        target >= 0
                                && target <= (long) code.size() * Instruction.BYTES
                                && target % Instruction.BYTES == 0,
                        "a branch of %s at byte %d goes to byte %d, outside its code of %d bytes"
                                + " or between instructions: the cubin is damaged",
                        name,
                        at,
                        target,
                        code.size() * Instruction.BYTES);
                if (target < at) {
                    int begin = (int) target / Instruction.BYTES;
                    CodeCost cost = CodeCost.of(code.subList(begin, i + 1), capability);
                    loops.add(new Loop((int) target, at + Instruction.BYTES, cost));
                }
            }
        }
        return loops.stream().filter(loop -> loops.stream().noneMatch(loop::holds)).toList();
    }

    /**
     * {@return the inner loop with the most products, then the most cycles; none if nothing loops}
     */
    public Optional<Loop> mainLoop() {
        return innerLoops.stream()
                .max(
                        Comparator.<Loop>comparingLong(loop -> loop.cost().products())
                                .thenComparingDouble(loop -> loop.cost().boundCycles()));
    }
}
