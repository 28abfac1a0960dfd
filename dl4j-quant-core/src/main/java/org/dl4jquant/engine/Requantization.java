// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Makes codes or float32 values of the accumulators of a convolution or dense node. */
final class Requantization {

    private final Output output;
    private final float[] multipliers;

    Requantization(Output output, QuantParams input, WeightTensor weights) {
        this.output = output;
        this.multipliers = new float[weights.channels()];
        for (int channel = 0; channel < multipliers.length; channel++) {
            multipliers[channel] = output.multiplier(input.scale(), weights.scale(channel));
        }
    }

    /**
     * {@return the node's result}
     *
     * @param size how many examples
     * @param shape one example's dimensions, output channels first
     * @param accumulators the int32 sums with their bias, {@code size * shape.elements()} of them
     */
    Batch apply(int size, Shape shape, int[] accumulators) {
        return output instanceof Output.Codes codes
                ? codes(size, shape, accumulators, codes)
                : floats(size, shape, accumulators);
    }

    private Batch codes(int size, Shape shape, int[] accumulators, Output.Codes codes) {
        byte[] containers = new byte[accumulators.length];
        int zeroPoint = codes.params().zeroPoint();
        int inChannel = shape.elements() / shape.size(0);
        for (int start = 0; start < accumulators.length; start += inChannel) {
            float multiplier = multipliers[start / inChannel % multipliers.length];
            for (int i = start; i < start + inChannel; i++) {
                containers[i] =
                        (byte)
                                Rounding.requantize(
                                        accumulators[i], multiplier, zeroPoint, codes.bounds());
            }
        }
        return Batch.Codes.of(size, shape, containers, codes.params());
    }

    private Batch floats(int size, Shape shape, int[] accumulators) {
        float[] values = new float[accumulators.length];
        int inChannel = shape.elements() / shape.size(0);
        for (int i = 0; i < values.length; i++) {
            values[i] = accumulators[i] * multipliers[i / inChannel % multipliers.length];
        }
        return Batch.Floats.of(size, shape, values);
    }

    /**
     * {@return the results of accumulators that need 64 bits, as those of 16-bit codes do}
     *
     * @param size how many examples
     * @param shape of one example
     * @param accumulators the sums
     */
    Batch apply(int size, Shape shape, long[] accumulators) {
        int inChannel = shape.elements() / shape.size(0);
        float[] values = new float[accumulators.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) accumulators[i] * multipliers[i / inChannel % multipliers.length];
        }
        if (!(output instanceof Output.Codes codes)) {
            return Batch.Floats.of(size, shape, values);
        }
        int[] rounded = new int[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] =
                    Rounding.quantize(values[i], 1, codes.params().zeroPoint(), codes.bounds());
        }
        return Batch.Codes.ofCodes(size, shape, rounded, codes.params());
    }
}
