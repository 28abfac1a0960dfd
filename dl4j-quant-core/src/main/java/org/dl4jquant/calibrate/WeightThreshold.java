// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.calibrate;

/** The clipping threshold of least mean squared rounding error, over the weights themselves. */
final class WeightThreshold {

    private WeightThreshold() {}

    /**
     * {@return the threshold, at most the largest magnitude}
     *
     * @param weights the weights that share a scale
     * @param maxCode the largest code; the smallest is its negative
     */
    static double of(float[] weights, int maxCode) {
        double largest = 0;
        for (float weight : weights) {
            largest = Math.max(largest, Math.abs(weight));
        }
        return largest == 0
                ? 0
                : LeastError.search(largest, threshold -> error(weights, threshold, maxCode));
    }

    private static double error(float[] weights, double threshold, int maxCode) {
        double scale = threshold / maxCode;
        double sum = 0;
        for (float weight : weights) {
            double code = Math.rint(weight / scale);
            double clamped = Math.max(-maxCode, Math.min(maxCode, code));
            double error = weight - clamped * scale;
            sum += error * error;
        }
        return sum;
    }
}
