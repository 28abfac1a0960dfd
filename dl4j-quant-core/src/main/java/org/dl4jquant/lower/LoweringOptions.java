// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

/**
 * The inputs that an integer graph takes besides the network's inputs, and of which sizes.
 *
 * <pre>{@code
 * LoweringOptions options = LoweringOptions.DEFAULT.withMasks(true).withFreeSteps(true);
 * IntGraph graph = Quantization.lower(quantized, options);
 * }</pre>
 *
 * @param masks whether each network input of sequences has a mask that a step reads, as the
 *     features of a DataSet have: a further input of the graph, {@code <input>.mask} of shape
 *     [steps], which is 1 where a step counts and 0 where not. Sequences of several lengths can
 *     then be in one batch
 * @param freeSteps whether the sequences of a batch may have any number of steps; else they have as
 *     many as those that {@code prepare} was given
 */
public record LoweringOptions(boolean masks, boolean freeSteps) {

    /** Only the network's inputs, of fixed sizes. */
    public static final LoweringOptions DEFAULT = new LoweringOptions(false, false);

    /**
     * {@return the same with or without masks}
     *
     * @param wanted whether there are masks
     */
    public LoweringOptions withMasks(boolean wanted) {
        return new LoweringOptions(wanted, freeSteps);
    }

    /**
     * {@return the same for any number of steps, or for a fixed one}
     *
     * @param free whether the number of steps is free
     */
    public LoweringOptions withFreeSteps(boolean free) {
        return new LoweringOptions(masks, free);
    }
}
