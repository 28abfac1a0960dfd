// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Recurrent layers as loops over single numbers, in double, whose sums, gates, memory and hidden
 * state are rounded in each step.
 *
 * <p>Its derivative by finite differences is the surrogate's: a first run notes what each rounding
 * read and made, and later runs go along the surrogate's tangent from there, so that no number
 * jumps from one code to the next.
 */
final class ScalarRecurrence {

    /** Which layer. */
    enum Kind {
        /** Four blocks of sums: input, forget, output, modulation. */
        LSTM(4, 0),
        /** The same; three gates see the memory: forget, output, modulation. */
        GRAVES_LSTM(4, 3),
        /** Tanh of one block of sums. */
        SIMPLE_RNN(1, 0);

        private final int blocks;
        private final int peepholes;

        Kind(int blocks, int peepholes) {
            this.blocks = blocks;
            this.peepholes = peepholes;
        }
    }

    private final Kind kind;
    private final int examples;
    private final int inputs;
    private final int units;
    private final int steps;
    private final int minCode;
    private final int maxCode;
    private final double @Nullable [][] mask;
    private double @Nullable [][][] rawAtStart;
    private double scaleAtStart;
    private final List<Rounding> roundings = new ArrayList<>();
    private int next;

    /* A rounding in the first run. */
    private record Rounding(double before, double after, boolean passes) {}

    /** A network without rounding has minCode = maxCode = 0. */
    ScalarRecurrence(
            Kind kind,
            int examples,
            int inputs,
            int units,
            int steps,
            int minCode,
            int maxCode,
            double @Nullable [][] mask) {
        this.kind = kind;
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

        /** The weights of the input, [inputs, blocks * units]. */
        final double[] w;

        /** The weights of the hidden state, [units, blocks * units + peepholes]. */
        final double[] rw;

        /** The biases, [blocks * units]. */
        final double[] b;

        /** One number. */
        final double[] scale;

        /** The hidden state before the first step, [examples, units]. */
        final double[] start;

        Values(double[] x, double[] w, double[] rw, double[] b, double scale, double[] start) {
            this.x = x;
            this.w = w;
            this.rw = rw;
            this.b = b;
            this.scale = new double[] {scale};
            this.start = start;
        }
    }

    /** {@return the hidden states, [examples, units, steps], row-major} */
    double[] run(Values values) {
        double[][][] raw = new double[examples][steps][units];
        double[] result = new double[examples * units * steps];
        next = 0;
        for (int e = 0; e < examples; e++) {
            double[] h = java.util.Arrays.copyOfRange(values.start, e * units, (e + 1) * units);
            double[] c = new double[units];
            for (int t = 0; t < steps; t++) {
                double[] z = sums(values, e, t, h);
                double[] next = new double[units];
                double counts = mask == null ? 1 : mask[e][t];
                for (int u = 0; u < units; u++) {
                    raw[e][t][u] =
                            counts
                                    * (kind == Kind.SIMPLE_RNN
                                            ? Math.tanh(sum(z[u]))
                                            : lstm(values, z, c, u, counts));
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

    private double lstm(Values values, double[] z, double[] c, int u, double counts) {
        double forget = gate(z[units + u] + peephole(values, u, 0) * c[u]);
        double modulation = gate(z[3 * units + u] + peephole(values, u, 2) * c[u]);
        double candidate = rounded(Math.tanh(sum(z[u])), 0x1p-7, -128, 127, true);
        double memory =
                rounded(forget * c[u] + modulation * candidate, 0x1p-12, -32768, 32767, false);
        c[u] = counts * memory;
        double output = gate(z[2 * units + u] + peephole(values, u, 1) * memory);
        return output * rounded(Math.tanh(memory), 0x1p-15, -32767, 32767, true);
    }

    private double sum(double z) {
        return rounded(z, 0x1p-8, -2048, 2047, false);
    }

    private double gate(double z) {
        return rounded(sigmoid(sum(z)), 0x1p-8, 0, 255, true);
    }

    /* What is rounded beside the hidden state, if that is; gradients of a function's value pass. */
    private double rounded(double value, double step, int least, int most, boolean always) {
        if (maxCode == 0) {
            return value;
        }
        if (rawAtStart == null) {
            double code = Math.max(least, Math.min(most, Math.rint(value / step)));
            boolean inside = code > least && code < most;
            roundings.add(new Rounding(value, code * step, inside || always));
            return code * step;
        }
        Rounding first = roundings.get(next++);
        return first.after + (first.passes ? value - first.before : 0);
    }

    private double peephole(Values values, int u, int index) {
        int row = kind.blocks * units + kind.peepholes;
        return kind.peepholes == 0 ? 0 : values.rw[u * row + kind.blocks * units + index];
    }

    private double[] sums(Values values, int e, int t, double[] h) {
        double[] z = values.b.clone();
        int columns = kind.blocks * units;
        for (int column = 0; column < columns; column++) {
            for (int i = 0; i < inputs; i++) {
                z[column] +=
                        values.x[(e * inputs + i) * steps + t] * values.w[i * columns + column];
            }
            for (int u = 0; u < units; u++) {
                z[column] += h[u] * values.rw[u * (columns + kind.peepholes) + column];
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
