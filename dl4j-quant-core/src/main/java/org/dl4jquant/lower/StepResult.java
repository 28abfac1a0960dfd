// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import org.dl4jquant.check.Require;

/**
 * Where a node's codes are in the result of a step of the network.
 *
 * @param step the step's name
 * @param channelsLast whether the step's result has the channels last; the node has them first
 * @param batch which of the batches that the step's result holds below one another
 * @param batches how many there are; 1 unless they are stacked
 */
public record StepResult(String step, boolean channelsLast, int batch, int batches) {
    /** Checks that the batch is one of them. */
    public StepResult {
        Require.given(step, "step");
        Require.argument(
                batch >= 0 && batch < batches, "there is no batch %d of %d", batch, batches);
    }
}
