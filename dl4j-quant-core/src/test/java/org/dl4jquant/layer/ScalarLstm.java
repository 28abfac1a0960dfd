// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import org.jspecify.annotations.Nullable;

/**
 * An LSTM as loops over single numbers, in double, whose hidden state is rounded in each step.
 *
 * <p>Its derivative by finite differences is the surrogate's: a first run notes what each rounding
 * read and made, and later runs go along the surrogate's tangent from there, so that no number
 * jumps from one code to the next.
 */
final class ScalarLstm {

    private final int examples;
    private final int inputs;
    private final int units;
    private final int steps;
    private final int minCode;
    private final int maxCode;
    private final double @Nullable [][] mask;
    private double @Nullable [][][] rawAtStart;
    private double scaleAtStart;

    /** A network without rounding has minCode = maxCode = 0. */
    ScalarLstm(
            int examples,
            int inputs,
            int units,
            int steps,
            int minCode,
            int maxCode,
            double @Nullable [][] mask) {
        this.examples = examples;
        this.inputs = inputs;
        this.units = units;
        this.steps = steps;
        this.minCode = minCode;
        this.maxCode = maxCode;
        this.mask = mask;
    }

    /** Everything that has a gradient; matrices row-major. */
    static final class Values {
        /** The input, [examples, inputs, steps]. */
        final double[] x;

        /** The weights of the input, [inputs, 4 units]. */
        final double[] w;

        /** The weights of the hidden state, [units, 4 units]. */
        final double[] rw;

        /** The biases, [4 units]. */
        final double[] b;

        /** One number. */
        final double[] scale;

        Values(double[] x, double[] w, double[] rw, double[] b, double scale) {
            this.x = x;
            this.w = w;
            this.rw = rw;
            this.b = b;
            this.scale = new double[] {scale};
        }
    }

    /** {@return the hidden states, [examples, units, steps], row-major} */
    double[] run(Values values) {
        double[][][] raw = new double[examples][steps][units];
        double[] result = new double[examples * units * steps];
        for (int e = 0; e < examples; e++) {
            double[] h = new double[units];
            double[] c = new double[units];
            for (int t = 0; t < steps; t++) {
                double[] z = sums(values, e, t, h);
                double[] next = new double[units];
                double counts = mask == null ? 1 : mask[e][t];
                for (int u = 0; u < units; u++) {
                    double memory =
                            sigmoid(z[units + u]) * c[u]
                                    + sigmoid(z[3 * units + u]) * Math.tanh(z[u]);
                    raw[e][t][u] = counts * sigmoid(z[2 * units + u]) * Math.tanh(memory);
                    c[u] = counts * memory;
                    next[u] = rounded(raw[e][t][u], values.scale[0], e, t, u);
                    result[(e * units + u) * steps + t] = next[u];
                }
                h = next;
            }
        }
        if (rawAtStart == null) {
            rawAtStart = raw;
            scaleAtStart = values.scale[0];
        }
        return result;
    }

    private double[] sums(Values values, int e, int t, double[] h) {
        double[] z = values.b.clone();
        for (int column = 0; column < 4 * units; column++) {
            for (int i = 0; i < inputs; i++) {
                z[column] +=
                        values.x[(e * inputs + i) * steps + t] * values.w[i * 4 * units + column];
            }
            for (int u = 0; u < units; u++) {
                z[column] += h[u] * values.rw[u * 4 * units + column];
            }
        }
        return z;
    }

    private double rounded(double raw, double scale, int e, int t, int u) {
        if (maxCode == 0) {
            return raw;
        }
        if (rawAtStart == null) {
            return scale * Math.rint(Math.max(minCode, Math.min(maxCode, raw / scale)));
        }
        double before = rawAtStart[e][t][u];
        double v = before / scaleAtStart;
        double code = Math.rint(Math.max(minCode, Math.min(maxCode, v)));
        boolean inside = v > minCode && v < maxCode;
        double byScale = inside ? code - v : code;
        return scaleAtStart * code + (inside ? raw - before : 0) + byScale * (scale - scaleAtStart);
    }

    /** {@return how many hidden states of the first run were clipped} */
    int clipped() {
        int count = 0;
        for (double[][] example : java.util.Objects.requireNonNull(rawAtStart)) {
            for (double[] step : example) {
                for (double raw : step) {
                    double v = raw / scaleAtStart;
                    count += v <= minCode || v >= maxCode ? 1 : 0;
                }
            }
        }
        return count;
    }

    private static double sigmoid(double z) {
        return 1 / (1 + Math.exp(-z));
    }

    /**
     * {@return the gradient of {@code sum(upstream * result)} with respect to one of the arrays}
     *
     * @param values the point; its arrays are changed and restored
     * @param of one of its arrays
     * @param upstream as long as the result
     */
    double[] gradient(Values values, double[] of, double[] upstream) {
        double step = 1e-6;
        double[] gradient = new double[of.length];
        for (int i = 0; i < of.length; i++) {
            double kept = of[i];
            of[i] = kept + step;
            double above = loss(values, upstream);
            of[i] = kept - step;
            double below = loss(values, upstream);
            of[i] = kept;
            gradient[i] = (above - below) / (2 * step);
        }
        return gradient;
    }

    private double loss(Values values, double[] upstream) {
        double[] result = run(values);
        double sum = 0;
        for (int i = 0; i < result.length; i++) {
            sum += upstream[i] * result[i];
        }
        return sum;
    }
}
