// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

/**
 * The activation functions that run as tables of codes, evaluated with {@link StrictMath} so that a
 * table is the same on every machine.
 *
 * <p>The definitions are DL4J's, so that the table agrees with the layer that was trained.
 */
public enum ElementwiseFunction {
    /** The identity: a table of it changes one tensor's scale into another. */
    IDENTITY {
        @Override
        public double apply(double x, double alpha) {
            return x;
        }
    },
    /** {@code x} if not negative, else {@code alpha * x}. */
    LEAKY_RELU {
        @Override
        public double apply(double x, double alpha) {
            return x >= 0 ? x : alpha * x;
        }
    },
    /** {@code x} if not negative, else {@code alpha * (e^x - 1)}. */
    ELU {
        @Override
        public double apply(double x, double alpha) {
            return x >= 0 ? x : alpha * StrictMath.expm1(x);
        }
    },
    /** {@code 1 / (1 + e^-x)}. */
    SIGMOID {
        @Override
        public double apply(double x, double alpha) {
            return 1 / (1 + StrictMath.exp(-x));
        }
    },
    /** The hyperbolic tangent. */
    TANH {
        @Override
        public double apply(double x, double alpha) {
            return StrictMath.tanh(x);
        }
    },
    /** {@code 0.2 x + 0.5}, clamped to [0, 1]. */
    HARD_SIGMOID {
        @Override
        public double apply(double x, double alpha) {
            return Math.min(1, Math.max(0, 0.2 * x + 0.5));
        }
    },
    /** {@code x}, clamped to [-1, 1]. */
    HARD_TANH {
        @Override
        public double apply(double x, double alpha) {
            return Math.min(1, Math.max(-1, x));
        }
    },
    /** {@code x * sigmoid(x)}, also called SiLU. */
    SWISH {
        @Override
        public double apply(double x, double alpha) {
            return x / (1 + StrictMath.exp(-x));
        }
    },
    /**
     * GELU by its tanh approximation as ND4J has it, {@code 0.5 x (1 + tanh(sqrt(2/pi) (x +
     * (0.044715 x)^3)))}: in the paper the cube is of {@code x} alone.
     */
    GELU {
        @Override
        public double apply(double x, double alpha) {
            double cubed = 0.044715 * x;
            double inner = StrictMath.sqrt(2 / Math.PI) * (x + cubed * cubed * cubed);
            return 0.5 * x * (1 + StrictMath.tanh(inner));
        }
    },
    /** GELU by its sigmoid approximation, {@code x / (1 + e^(-1.702 x))}. */
    GELU_SIGMOID {
        @Override
        public double apply(double x, double alpha) {
            return x / (1 + StrictMath.exp(-1.702 * x));
        }
    },
    /** {@code ln(1 + e^x)}. */
    SOFTPLUS {
        @Override
        public double apply(double x, double alpha) {
            return Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
        }
    },
    /** {@code x / (1 + |x|)}. */
    SOFTSIGN {
        @Override
        public double apply(double x, double alpha) {
            return x / (1 + Math.abs(x));
        }
    };

    /**
     * {@return the function's value}
     *
     * @param x the argument
     * @param alpha the slope or height of the negative side; functions without one ignore it
     */
    public abstract double apply(double x, double alpha);
}
