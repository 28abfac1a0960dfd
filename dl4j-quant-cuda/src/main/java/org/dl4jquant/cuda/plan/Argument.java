// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

/** A pointer that a kernel is given. */
public sealed interface Argument {

    /**
     * A tensor in the arena.
     *
     * @param place bytes from the arena's begin for each example of the batch
     * @param slice bytes from there, whatever the batch: where a slice of channels begins
     */
    record Arena(long place, long slice) implements Argument {}

    /**
     * Weights, multipliers or a table.
     *
     * @param offset bytes from the begin of the constants
     */
    record Constant(long offset) implements Argument {}

    /**
     * A float32 tensor from outside.
     *
     * @param index which of the plan's inputs
     */
    record Input(int index) implements Argument {}

    /** The memory that a launch finds and leaves zero. */
    record Scratch() implements Argument {}

    /** No tensor: the kernel does not read this pointer. */
    record Nothing() implements Argument {}
}
