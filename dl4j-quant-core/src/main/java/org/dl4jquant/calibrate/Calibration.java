// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.scheme.CalibrationMethod;
import org.dl4jquant.scheme.Symmetry;

/** Fits scales and zero points to what was seen. */
public final class Calibration {

    /**
     * The least scale. A tensor that is nearly or wholly 0 would otherwise get a scale whose
     * products and quotients leave float32's normal numbers.
     */
    public static final float MIN_SCALE = 0x1p-40f;

    private Calibration() {}

    /**
     * Fits an activation's codes to its statistics.
     *
     * <p>Unsigned symmetric codes reach the values above 0 only; whatever lies below gets the code
     * 0. A tensor that leaves nothing to reach, one of zeros alone for example, gets the scale at
     * which the largest code is 1.
     *
     * @param seen the statistics of the tensor
     * @param method how the range is found
     * @param range the codes to use
     * @param symmetry whether the value 0 has the code 0, or any
     * @return how the codes stand for values; the scale is at least {@link #MIN_SCALE}
     * @throws IllegalStateException if nothing was seen of the tensor
     */
    public static QuantParams fit(
            TensorStatistics seen, CalibrationMethod method, CodeRange range, Symmetry symmetry) {
        seen.requireSeen();
        return ClippingRange.of(seen, method, range, symmetry).params(range, symmetry);
    }

    /**
     * Fits one scale to each channel of a weight.
     *
     * <p>The least mean squared error is searched over the channel's own numbers; every other
     * method works on their statistics, as for an activation. A channel of zeros alone gets the
     * scale at which the largest code is 1.
     *
     * @param channels the weights of each channel, in any order, at least one in each
     * @param method how the range is found
     * @param bits the width of the codes, which are signed and narrow
     * @return units per code of each channel, finite and at least {@link #MIN_SCALE}
     * @throws IllegalArgumentException if a channel is empty or a weight not finite; the message
     *     names the channel
     */
    public static float[] weightScales(float[][] channels, CalibrationMethod method, int bits) {
        CodeRange range = CodeRange.narrow(bits);
        for (int channel = 0; channel < channels.length; channel++) {
            float[] weights = channels[channel];
            Require.argument(
                    weights.length > 0,
                    "channel %d of %d has no weights; leave it out",
                    channel,
                    channels.length);
            TensorStatistics.requireFinite(name(channel), weights, 0, weights.length);
        }
        // Each channel alone, so the result does not depend on the number of threads.
        float[] scales = new float[channels.length];
        IntStream.range(0, channels.length)
                .parallel()
                .forEach(
                        channel ->
                                scales[channel] =
                                        weightScale(channel, channels[channel], method, range));
        return scales;
    }

    private static String name(int channel) {
        return "weights of channel " + channel;
    }

    private static float weightScale(
            int channel, float[] weights, CalibrationMethod method, CodeRange range) {
        if (method instanceof CalibrationMethod.MeanSquaredError) {
            return usable(WeightScale.of(weights, range.max()), range);
        }
        TensorStatistics seen = new TensorStatistics(name(channel));
        seen.add(weights, 0, weights.length);
        return fit(seen, method, range, Symmetry.SYMMETRIC).scale();
    }

    /**
     * {@return a scale that float32 holds, at least {@link #MIN_SCALE}}
     *
     * @param scale the result of a method; not above 0 if there is nothing to reach
     * @param range the codes
     */
    static float usable(double scale, CodeRange range) {
        if (scale <= 0) {
            return 1f / range.max();
        }
        return Math.min(Math.max((float) scale, MIN_SCALE), Float.MAX_VALUE);
    }
}
