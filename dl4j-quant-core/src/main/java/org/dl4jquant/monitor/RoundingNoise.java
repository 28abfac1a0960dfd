// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.Objects;
import org.dl4jquant.fakequant.HalfRounder;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.nd.ChannelWalk;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.nd.Walk;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The noise that rounding adds to the values of a tensor, summed over them. */
final class RoundingNoise {

    /* The nearest code is computed here, and the quantizer itself not run again: it may draw random
     * numbers, and then the training would go another way when somebody looks. */

    private final double signal;
    private final double noise;
    private final double saturation;

    private RoundingNoise(double signal, double noise, double saturation) {
        this.signal = signal;
        this.noise = noise;
        this.saturation = saturation;
    }

    /**
     * {@return the rounding noise of a tensor}
     *
     * @param tensor only read
     */
    static RoundingNoise of(QuantizedTensor tensor) {
        float[] values = RowMajor.floats(tensor.values());
        if (tensor.zeroBelow()) {
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.max(values[i], 0);
            }
        }
        return tensor.grid() == null ? ofHalf(values) : ofCodes(values, tensor);
    }

    private static RoundingNoise ofCodes(float[] values, QuantizedTensor tensor) {
        QuantizedTensor.Grid grid = Objects.requireNonNull(tensor.grid());
        float[] scales = new float[values.length];
        ChannelWalk.of(Walk.rowMajor(tensor.values().shape()), grid.channels())
                .spread(0, RowMajor.floats(grid.scales()), scales, scales.length);
        double signal = 0;
        double noise = 0;
        long clipped = 0;
        for (int i = 0; i < values.length; i++) {
            double code = Math.rint(values[i] / scales[i]) + grid.zeroPoint();
            double kept = Math.min(Math.max(code, grid.range().min()), grid.range().max());
            double error = values[i] - (kept - grid.zeroPoint()) * scales[i];
            signal += (double) values[i] * values[i];
            noise += error * error;
            clipped += kept == code ? 0 : 1;
        }
        return new RoundingNoise(signal, noise, (double) clipped / values.length);
    }

    private static RoundingNoise ofHalf(float[] values) {
        INDArray rounded = RowMajor.array(values, values.length);
        HalfRounder.forward(rounded, rounded);
        float[] halves = RowMajor.floats(rounded);
        double signal = 0;
        double noise = 0;
        long clipped = 0;
        for (int i = 0; i < values.length; i++) {
            double error = (double) values[i] - halves[i];
            signal += (double) values[i] * values[i];
            noise += error * error;
            clipped += Float.isInfinite(halves[i]) ? 1 : 0;
        }
        return new RoundingNoise(signal, noise, (double) clipped / values.length);
    }

    /** {@return the share of the values that were clipped} */
    double saturation() {
        return saturation;
    }

    /** {@return the ratio of the values' power to that of their errors, in decibels} */
    double sqnr() {
        return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    }
}
