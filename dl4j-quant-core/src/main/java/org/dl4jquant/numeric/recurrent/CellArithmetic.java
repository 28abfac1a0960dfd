// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric.recurrent;

/** One step of all units of a recurrent layer, after the sums of products. */
public interface CellArithmetic {

    /**
     * Replaces the state before the step by the one after it.
     *
     * @param sums all blocks of sums, units of a block together, in their codes before rounding
     * @param hidden the codes of the hidden state
     * @param memory the codes of the memory; none without memory cells
     */
    void step(float[] sums, int[] hidden, int[] memory);
}
