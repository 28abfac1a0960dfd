// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import java.util.Arrays;
import org.dl4jquant.check.Require;

/** The float32 biases of a node's output channels. */
public final class FloatBias {

    private final float[] values;

    private FloatBias(float[] values) {
        this.values = values;
    }

    /**
     * {@return biases of these values}
     *
     * @param values one finite value for each output channel; copied
     * @throws IllegalArgumentException if one is NaN or infinite
     */
    public static FloatBias of(float[] values) {
        Require.given(values, "values");
        for (int channel = 0; channel < values.length; channel++) {
            Require.argument(
                    Float.isFinite(values[channel]),
                    "the bias of channel %d is %s; it must be finite",
                    channel,
                    values[channel]);
        }
        return new FloatBias(values.clone());
    }

    /** {@return how many output channels there are} */
    public int size() {
        return values.length;
    }

    /**
     * {@return the bias of an output channel}
     *
     * @param channel from 0
     */
    public float value(int channel) {
        return values[channel];
    }

    /** {@return a copy of the values} */
    public float[] toArray() {
        return values.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FloatBias that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return "FloatBias[" + values.length + "]";
    }
}
