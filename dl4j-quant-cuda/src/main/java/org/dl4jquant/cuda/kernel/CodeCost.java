// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dl4jquant.cuda.kernel.Operation.Pipe;

/**
 * What a stretch of machine code costs a quarter of a multiprocessor, which issues at most one
 * instruction in a cycle: each instruction once and for one warp, the other quarters doing the
 * same.
 *
 * <p>With enough warps the stretch takes {@link #boundCycles()} for each; a warp that is alone
 * needs at least {@link #stallCycles()}. Neither counts what waits for memory or at barriers, nor
 * conflicts of banks.
 *
 * <p>The rates are NVIDIA's: the multiprocessors' units and the bytes per cycle of shared memory by
 * the white papers of Turing, A100, GA102, Ada and H100; int8 products by the data sheets that
 * {@link Chip} has; 64 integer products a cycle by the CUDA programming guide's table of arithmetic
 * throughput. Conversions are taken at the rate of the special function units.
 *
 * @param instructions how many
 * @param stallCycles the sum of the cycles that the compiler puts behind each
 * @param products the products of int8 on Tensor Cores
 * @param operations how often each operation occurs, by its name, or its number in hexadecimal
 * @param cycles how long each pipe is busy
 */
public record CodeCost(
        int instructions,
        int stallCycles,
        long products,
        SortedMap<String, Integer> operations,
        Map<Pipe, Double> cycles) {

    private static final int QUARTERS = 4;
    private static final double WARP = 32;
    private static final double INTEGER_LANES = 16;
    private static final double CONVERSION_LANES = 4;

    /** Copies the counts. */
    public CodeCost {
        operations = Collections.unmodifiableSortedMap(new TreeMap<>(operations));
        cycles = Collections.unmodifiableMap(new EnumMap<>(cycles));
    }

    static CodeCost of(List<Instruction> code, int capability) {
        SortedMap<String, Integer> operations = new TreeMap<>();
        EnumMap<Pipe, Double> cycles = new EnumMap<>(Pipe.class);
        for (Pipe pipe : Pipe.values()) {
            cycles.put(pipe, 0.0);
        }
        for (Instruction instruction : code) {
            operations.merge(instruction.name(), 1, Integer::sum);
            Pipe pipe = instruction.operation().map(Operation::pipe).orElse(Pipe.NONE);
            cycles.merge(pipe, cycles(instruction, pipe, capability), Double::sum);
        }
        return new CodeCost(
                code.size(),
                code.stream().mapToInt(Instruction::stallCycles).sum(),
                code.stream().mapToLong(Instruction::products).sum(),
                operations,
                cycles);
    }

    private static double cycles(Instruction instruction, Pipe pipe, int capability) {
        return switch (pipe) {
            case TENSOR -> instruction.products() * QUARTERS / productsACycle(capability);
            case MEMORY ->
                    QUARTERS
                            * Math.max(
                                    WARP / memoryLanes(capability),
                                    instruction.warpBytes() / bytesACycle(capability));
            case INTEGER, MULTIPLY -> WARP / INTEGER_LANES;
            case FLOAT -> WARP / (capability >= 86 ? 32 : 16);
            case CONVERT -> WARP / CONVERSION_LANES;
            case NONE -> 1;
        };
    }

    private static double productsACycle(int capability) {
        return switch (capability) {
            case 80 -> 2048;
            case 90 -> 4096;
            default -> 1024;
        };
    }

    private static double memoryLanes(int capability) {
        return capability == 80 || capability == 90 ? 32 : 16;
    }

    private static double bytesACycle(int capability) {
        return capability < 80 ? 64 : 128;
    }

    /**
     * {@return how often an operation occurs}
     *
     * @param operation the operation
     */
    public int count(Operation operation) {
        return operations.getOrDefault(operation.name().replace('_', '.'), 0);
    }

    /**
     * {@return the cycles below which no number of warps gets: of the busiest pipe, or the issue}
     */
    public double boundCycles() {
        return Math.max(instructions, cycles(busiest()));
    }

    /** {@return what bounds it: a pipe, or {@link Pipe#NONE} for the issue} */
    public Pipe bound() {
        return cycles(busiest()) > instructions ? busiest() : Pipe.NONE;
    }

    /**
     * {@return how many cycles a pipe is busy}
     *
     * @param pipe the pipe
     */
    public double cycles(Pipe pipe) {
        return cycles.getOrDefault(pipe, 0.0);
    }

    private Pipe busiest() {
        return cycles.entrySet().stream()
                .max(Comparator.comparingDouble(Map.Entry::getValue))
                .map(Map.Entry::getKey)
                .orElse(Pipe.NONE);
    }
}
