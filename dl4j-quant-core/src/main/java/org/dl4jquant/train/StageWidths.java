// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.train;

import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.NumberFormat;
import org.dl4jquant.scheme.Precision;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;

/**
 * Compares the widths of a schedule's stages with those that a network was prepared for.
 *
 * @param plan the stages
 */
record StageWidths(StagePlan plan) {

    /**
     * Refuses a stage of fewer bits than any layer has: it would do nothing, silently.
     *
     * @throws IllegalArgumentException if there is one; the message names it
     */
    void requireReached(TrainedNetwork network) {
        for (int i = 0; i < plan.stages().size(); i++) {
            Precision precision = plan.stages().get(i).precision();
            if (precision != null) {
                requireReached(i, "weights", precision.weights(), leastBits(network, true));
                requireReached(
                        i, "activations", precision.activations(), leastBits(network, false));
            }
        }
    }

    private void requireReached(
            int stage, String tensors, @Nullable NumberFormat wanted, int least) {
        Require.argument(
                !(wanted instanceof IntFormat) || wanted.bitsPerNumber() >= least,
                "%s asks for %s of %d bits, but no layer of the network was prepared for fewer than"
                        + " %d; prepare it for the last stage's bits, or use at least %d",
                plan.label(stage),
                tensors,
                wanted == null ? 0 : wanted.bitsPerNumber(),
                least,
                least);
    }

    private static int leastBits(TrainedNetwork network, boolean ofWeights) {
        int least = Integer.MAX_VALUE;
        for (TrainedNetwork.Quantized quantized : network.quantized()) {
            QuantizedLayer conf = quantized.conf();
            TensorScheme scheme =
                    ofWeights
                            ? conf.preparedQuantizers().weights()
                            : conf.preparedQuantizers().output() == null
                                    ? null
                                    : conf.preparedQuantizers().output().scheme();
            if (scheme != null) {
                least = Math.min(least, scheme.format().bitsPerNumber());
            }
        }
        return least == Integer.MAX_VALUE ? IntFormat.MIN_BITS : least;
    }
}
