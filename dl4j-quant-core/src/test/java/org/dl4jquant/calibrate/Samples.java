// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.dl4jquant.numeric.QuantParams;

/** Random values of known distributions, always the same, and what rounding does to them. */
final class Samples {

    static final int COUNT = 200_000;

    private static final double INTEGRATION_STEP = 1e-5;

    private Samples() {}

    static float[] normal(int count) {
        Random random = new Random(42);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /**
     * One value from the middle of each of so many equally likely parts of N(0, 1). A dozen of
     * 200,000 values decide the error of 8 bits, and random ones would blur it by 5 %.
     */
    static float[] normalQuantiles(int count) {
        float[] values = new float[count];
        double below = 0;
        int filled = 0;
        for (double x = -8; x < 8; x += INTEGRATION_STEP) {
            double middle = x + INTEGRATION_STEP / 2;
            below += density(middle) * INTEGRATION_STEP;
            while (filled < count && below * count >= filled + 0.5) {
                values[filled++] = (float) middle;
            }
        }
        return Arrays.copyOf(values, filled);
    }

    static float[] uniform(int count) {
        Random random = new Random(1);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    static float[] laplace(int count) {
        return mapped(uniform(count), uniform -> -Math.log(1 - uniform));
    }

    static float[] rectified(float[] values) {
        return mapped(values, value -> Math.max(0, value));
    }

    static float[] mapped(float[] values, DoubleUnaryOperator function) {
        float[] mapped = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            mapped[i] = (float) function.applyAsDouble(values[i]);
        }
        return mapped;
    }

    static float[] withOutlier(float[] values, float outlier) {
        float[] longer = Arrays.copyOf(values, values.length + 1);
        longer[values.length] = outlier;
        return longer;
    }

    static TensorStatistics seen(float... values) {
        TensorStatistics statistics = new TensorStatistics("x");
        statistics.add(values, 0, values.length);
        return statistics;
    }

    static double meanSquaredError(float[] values, QuantParams params) {
        double sum = 0;
        for (float value : values) {
            double error = value - params.dequantize(params.quantize(value));
            sum += error * error;
        }
        return sum / values.length;
    }

    /** The mean squared error for N(0, 1) above {@code from}, which is -infinity or 0. */
    static double meanSquaredErrorOfNormal(QuantParams params, double from) {
        double sum = 0;
        for (double x = Math.max(-8, from); x < 8; x += 10 * INTEGRATION_STEP) {
            double middle = x + 5 * INTEGRATION_STEP;
            double error = middle - params.dequantize(params.quantize((float) middle));
            sum += error * error * density(middle) * 10 * INTEGRATION_STEP;
        }
        return sum;
    }

    private static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }
}
