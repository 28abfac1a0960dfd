// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import org.dl4jquant.check.Require;

/**
 * The line {@code factor * x + shift} of each channel that a batch normalization is in inference,
 * once its statistics stand still.
 */
public final class ChannelLine {

    private final double[] factors;
    private final double[] shifts;

    private ChannelLine(double[] factors, double[] shifts) {
        this.factors = factors;
        this.shifts = shifts;
    }

    /**
     * Returns lines of these factors and shifts.
     *
     * @param factors one for each channel
     * @param shifts one for each channel
     * @return the lines
     */
    public static ChannelLine of(double[] factors, double[] shifts) {
        Require.argument(
                Require.given(factors, "factors").length == Require.given(shifts, "shifts").length,
                "%d factors do not fit %d shifts; each channel has one of both",
                factors.length,
                shifts.length);
        return new ChannelLine(factors.clone(), shifts.clone());
    }

    /** {@return the number of channels} */
    public int channels() {
        return factors.length;
    }

    /**
     * {@return the factor of a channel}
     *
     * @param channel the channel
     */
    public double factor(int channel) {
        return factors[channel];
    }

    /**
     * {@return the shift of a channel}
     *
     * @param channel the channel
     */
    public double shift(int channel) {
        return shifts[channel];
    }

    /** {@return the factors of all channels} */
    public double[] factors() {
        return factors.clone();
    }

    /** {@return the shifts of all channels} */
    public double[] shifts() {
        return shifts.clone();
    }
}
