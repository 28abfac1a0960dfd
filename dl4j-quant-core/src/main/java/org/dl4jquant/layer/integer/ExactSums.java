// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.function.UnaryOperator;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums of products of codes by float32 arithmetic that are exact up to int32.
 *
 * <p>Float32 adds integers exactly up to 2^24. Where a layer's sums may be larger, its input's
 * codes are split into parts of a few bits, each part is summed on its own, and the sums are put
 * together in float64, which then adds the bias.
 */
final class ExactSums {

    /** Up to here float32 holds every integer, so that sums are exact in any order. */
    private static final long EXACT = 1 << 24;

    private final long[] bias;
    private final long[] positive;
    private final long[] negative;
    private final long largestPart;

    /**
     * Adds up the weights' codes by sign.
     *
     * @param codes the layer's weights, or a part of them, one output channel after another
     * @param bias one for each output channel
     */
    ExactSums(int[] codes, long[] bias) {
        this.bias = bias;
        this.positive = new long[bias.length];
        this.negative = new long[bias.length];
        int length = codes.length / bias.length;
        long largest = 0;
        for (int channel = 0; channel < bias.length; channel++) {
            for (int i = channel * length; i < (channel + 1) * length; i++) {
                int code = codes[i];
                positive[channel] += Math.max(code, 0);
                negative[channel] += Math.max(-code, 0);
            }
            largest = Math.max(largest, Math.max(positive[channel], negative[channel]));
        }
        this.largestPart = largest;
    }

    /**
     * {@return whether no sum can leave what float32 adds exactly, the bias included}
     *
     * @param least the least code of the input, less its zero point
     * @param most the largest one
     */
    boolean areSmall(int least, int most) {
        for (int channel = 0; channel < positive.length; channel++) {
            if (reach(channel, least, most) + Math.abs(bias[channel]) > EXACT) {
                return false;
            }
        }
        return true;
    }

    /* No partial sum is larger, whatever its order. */
    private long reach(int channel, double least, double most) {
        double below = Math.max(0, -least);
        double above = Math.max(0, most);
        return (long)
                Math.max(
                        positive[channel] * above + negative[channel] * below,
                        positive[channel] * below + negative[channel] * above);
    }

    private boolean fitsWithoutBias(double least, double most) {
        for (int channel = 0; channel < positive.length; channel++) {
            if (reach(channel, least, most) > EXACT) {
                return false;
            }
        }
        return true;
    }

    /**
     * Adds the sums of products to others, without a bias.
     *
     * @param totals the others; null if there are none yet
     * @param codes the input's codes, less the zero point
     * @param weight how many units of the totals a unit of these sums is
     * @param arithmetic the layer's sums of products, without a bias
     * @return the sums; NaN where an input is
     */
    double[] addTo(
            double @Nullable [] totals,
            INDArray codes,
            double weight,
            UnaryOperator<INDArray> arithmetic) {
        float[] values = RowMajor.floats(codes);
        double least = 0;
        double most = 0;
        for (float value : values) {
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        int bits = partBits();
        double unit = weight;
        double @Nullable [] all = totals;
        INDArray rest = codes;
        while (!fitsWithoutBias(least, most) && (least < -1 || most > 1)) {
            INDArray shifted = floored(rest, bits);
            INDArray part = rest.sub(shifted.mul(1 << bits));
            all = plus(all, arithmetic.apply(part), unit);
            unit *= 1 << bits;
            least = Math.floor(least / (1 << bits));
            most = Math.floor(most / (1 << bits));
            rest = shifted;
        }
        return plus(all, arithmetic.apply(rest), unit);
    }

    /* As many bits as the sums of the largest part of that size can have. */
    private int partBits() {
        int bits = 1;
        while (bits < Byte.SIZE && largestPart * ((1L << (bits + 1)) - 1) <= EXACT) {
            bits++;
        }
        return bits;
    }

    private static INDArray floored(INDArray codes, int bits) {
        float[] values = RowMajor.floats(codes);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.floor(values[i] / (1 << bits));
        }
        return RowMajor.array(values, codes.shape());
    }

    private static double[] plus(double @Nullable [] totals, INDArray sums, double unit) {
        float[] values = RowMajor.floats(sums);
        double[] all = totals == null ? new double[values.length] : totals;
        for (int i = 0; i < values.length; i++) {
            all[i] += unit * Math.rint(values[i]);
        }
        return all;
    }

    /**
     * Writes the accumulators, each the float32 nearest to its integer; NaN where an input is.
     *
     * @param totals the sums of products
     * @param channelAxis the axis of the result that numbers the channels
     * @param result takes them
     */
    void accumulators(double[] totals, int channelAxis, INDArray result) {
        RowMajor.copyInto(withBias(totals, result.shape(), channelAxis), result);
    }

    private float[] withBias(double[] totals, long[] shape, int channelAxis) {
        int stride = 1;
        for (int axis = channelAxis + 1; axis < shape.length; axis++) {
            stride *= Math.toIntExact(shape[axis]);
        }
        float[] accumulators = new float[totals.length];
        for (int i = 0; i < totals.length; i++) {
            accumulators[i] = (float) (totals[i] + bias[i / stride % positive.length]);
        }
        return accumulators;
    }
}
