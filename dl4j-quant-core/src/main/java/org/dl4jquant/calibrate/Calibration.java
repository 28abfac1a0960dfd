// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

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
     * <p>A tensor of zeros alone has no range; it gets the scale at which the largest code is 1.
     *
     * @param seen what was seen of the tensor
     * @param method how the range is found
     * @param range the codes to use
     * @param symmetry whether the value 0 has the code 0, or any
     * @return how the codes stand for values
     * @throws IllegalStateException if nothing was seen of the tensor
     */
    public static QuantParams fit(
            TensorStatistics seen, CalibrationMethod method, CodeRange range, Symmetry symmetry) {
        seen.requireSeen();
        return symmetry == Symmetry.SYMMETRIC
                ? symmetric(seen, method, range)
                : asymmetric(ClippingRange.of(seen, method, range, symmetry), range);
    }

    private static QuantParams symmetric(
            TensorStatistics seen, CalibrationMethod method, CodeRange range) {
        if (method instanceof CalibrationMethod.LsqInitial) {
            return new QuantParams(
                    usable(lsqInitial(seen.meanMagnitude(), range.max()), range), 0, range);
        }
        ClippingRange clip = ClippingRange.of(seen, method, range, Symmetry.SYMMETRIC);
        double threshold = range.signed() ? Math.max(-clip.low(), clip.high()) : clip.high();
        return new QuantParams(usable(threshold / range.max(), range), 0, range);
    }

    private static QuantParams asymmetric(ClippingRange clip, CodeRange range) {
        double low = Math.min(0, clip.low());
        double high = Math.max(0, clip.high());
        float scale = usable((high - low) / (range.max() - range.min()), range);
        int zeroPoint = range.clamp((int) Math.rint(range.min() - low / scale));
        return new QuantParams(scale, zeroPoint, range);
    }

    /**
     * Fits one scale to each channel of a weight, exactly, over the channel's own numbers.
     *
     * <p>A channel of zeros alone gets the scale at which the largest code is 1.
     *
     * @param channels the weights of each channel, in any order
     * @param method how the range is found
     * @param bits the width of the codes, which are signed and narrow
     * @return units per code of each channel, finite and at least {@link #MIN_SCALE}
     * @throws IllegalArgumentException if a weight is not finite; the message names its channel
     */
    public static float[] weightScales(float[][] channels, CalibrationMethod method, int bits) {
        CodeRange range = CodeRange.narrow(bits);
        float[] scales = new float[channels.length];
        for (int channel = 0; channel < channels.length; channel++) {
            float[] weights = channels[channel];
            if (method instanceof CalibrationMethod.MeanSquaredError) {
                double threshold = WeightThreshold.of(weights, range.max());
                scales[channel] = usable(threshold / range.max(), range);
            } else {
                TensorStatistics seen = new TensorStatistics("weights of channel " + channel);
                seen.add(weights, 0, weights.length);
                scales[channel] = fit(seen, method, range, Symmetry.SYMMETRIC).scale();
            }
        }
        return scales;
    }

    /* Esser et al., section 2.1: 2 <|v|> / sqrt(Q_P). */
    private static double lsqInitial(double meanMagnitude, int maxCode) {
        return 2 * meanMagnitude / Math.sqrt(maxCode);
    }

    private static float usable(double scale, CodeRange range) {
        if (scale == 0) {
            return 1f / range.max();
        }
        return Math.min(Math.max((float) scale, MIN_SCALE), Float.MAX_VALUE);
    }
}
