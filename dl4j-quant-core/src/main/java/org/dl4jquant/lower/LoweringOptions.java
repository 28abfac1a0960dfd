// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

/**
 * What an integer graph takes besides the network's inputs.
 *
 * <pre>{@code
 * IntGraph graph = Quantization.lower(quantized, LoweringOptions.DEFAULT.withMasks(true));
 * }</pre>
 *
 * @param masks whether each network input of sequences has a mask, as the features of a DataSet
 *     have: a further input of the graph, {@code <input>.mask} of shape [steps], which is 1 where a
 *     step counts and 0 where not. Sequences of several lengths can then be in one batch
 */
public record LoweringOptions(boolean masks) {

    /** Only the network's inputs. */
    public static final LoweringOptions DEFAULT = new LoweringOptions(false);

    /**
     * {@return the same with or without masks}
     *
     * @param wanted whether there are masks
     */
    public LoweringOptions withMasks(boolean wanted) {
        return new LoweringOptions(wanted);
    }
}
