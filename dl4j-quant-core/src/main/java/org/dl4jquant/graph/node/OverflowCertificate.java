// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.WeightTensor;

/**
 * The bounds that no accumulator of a node can leave, whatever the input and whatever the order of
 * the additions.
 *
 * <p>Per output channel, the most negative partial sum adds all products that can be negative at
 * their least, and the bias if it is negative; the most positive likewise. Exact arithmetic in
 * {@code long}.
 *
 * @param lowest the least partial sum of any channel
 * @param highest the greatest partial sum of any channel
 * @param channel the output channel that comes nearest to int32's ends
 */
public record OverflowCertificate(long lowest, long highest, int channel) {

    /**
     * Returns the bounds of a node's accumulators.
     *
     * @param weights the node's weights
     * @param input how its input's codes stand for values
     * @return the bounds
     */
    public static OverflowCertificate of(WeightTensor weights, QuantParams input) {
        long least = (long) input.range().min() - input.zeroPoint();
        long most = (long) input.range().max() - input.zeroPoint();
        long lowest = 0;
        long highest = 0;
        int worst = 0;
        int length = weights.weightsPerChannel();
        for (int channel = 0; channel < weights.channels(); channel++) {
            long low = Math.min(0, weights.longBias(channel));
            long high = Math.max(0, weights.longBias(channel));
            for (int i = channel * length; i < (channel + 1) * length; i++) {
                long code = weights.code(i);
                low += Math.min(0, Math.min(code * least, code * most));
                high += Math.max(0, Math.max(code * least, code * most));
            }
            if (Math.max(-low, high) > Math.max(-lowest, highest)) {
                worst = channel;
            }
            lowest = Math.min(lowest, low);
            highest = Math.max(highest, high);
        }
        return new OverflowCertificate(lowest, highest, worst);
    }

    /** {@return whether int32 holds every partial sum} */
    public boolean fitsInt32() {
        return lowest >= Integer.MIN_VALUE && highest <= Integer.MAX_VALUE;
    }

    /**
     * {@return whether every accumulator is an integer that float64 holds, as those of 16-bit codes
     * must be}
     */
    public boolean fitsFloat64() {
        return lowest >= -WeightTensor.MAX_SUM && highest <= WeightTensor.MAX_SUM;
    }
}
