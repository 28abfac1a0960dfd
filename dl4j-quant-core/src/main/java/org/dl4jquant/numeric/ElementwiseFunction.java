// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.numeric;

import org.dl4jquant.check.Require;

/**
 * The activation functions that run as tables of codes, evaluated with {@link StrictMath} so that a
 * table is the same on every machine.
 *
 * <p>The definitions are DL4J's, so that the table agrees with the layer that was trained. A value
 * of this type is the whole function: two of them are equal only if all their parameters are.
 */
public sealed interface ElementwiseFunction {

    /**
     * {@return the function's value}
     *
     * @param x the argument
     */
    double apply(double x);

    /** {@return whether no value is below 0} */
    boolean nonNegative();

    /**
     * The family of ReLU: {@code x} from the threshold on, else {@code slope * (x - threshold)},
     * and never more than the maximum.
     *
     * <p>The threshold is a float32, for the networks compare in float32, and the function may jump
     * there.
     *
     * @param max the largest value; positive infinity for none
     * @param threshold where the positive part begins
     * @param slope the factor of a value below the threshold
     */
    record PiecewiseLinear(double max, float threshold, double slope)
            implements ElementwiseFunction {

        /** Checks that the parameters are numbers. */
        public PiecewiseLinear {
            requireNumber("maximum", max);
            requireNumber("threshold", threshold);
            requireNumber("slope", slope);
        }

        @Override
        public double apply(double x) {
            return Math.min(max, x >= threshold ? x : slope * (x - threshold));
        }

        @Override
        public boolean nonNegative() {
            return max >= 0 && threshold >= 0 && slope <= 0;
        }

        /** {@return whether it is a clamp to [0, max], the maximum being above 0} */
        public boolean isClamp() {
            return threshold == 0 && slope == 0 && max > 0;
        }
    }

    /**
     * {@code x} above the threshold, else 0; the threshold itself becomes 0.
     *
     * @param threshold the largest value that becomes 0 from below, a float32 as in the networks
     */
    record ThresholdedRelu(float threshold) implements ElementwiseFunction {

        /** Checks that the threshold is a number. */
        public ThresholdedRelu {
            requireNumber("threshold", threshold);
        }

        @Override
        public double apply(double x) {
            return x > threshold ? x : 0;
        }

        @Override
        public boolean nonNegative() {
            return threshold >= 0;
        }
    }

    /**
     * {@code x} if not negative, else {@code height * (e^x - 1)}.
     *
     * @param height how far below 0 the function reaches
     */
    record Elu(double height) implements ElementwiseFunction {

        /** Checks that the height is a number. */
        public Elu {
            requireNumber("height", height);
        }

        @Override
        public double apply(double x) {
            return x >= 0 ? x : height * StrictMath.expm1(x);
        }

        @Override
        public boolean nonNegative() {
            return height <= 0;
        }
    }

    private static void requireNumber(String parameter, double value) {
        Require.argument(
                !Double.isNaN(value), "the function's %s is NaN; it must be a number", parameter);
    }

    /** The functions without parameters. */
    enum Fixed implements ElementwiseFunction {
        /** The identity: a table of it changes one tensor's scale into another. */
        IDENTITY {
            @Override
            public double apply(double x) {
                return x;
            }
        },
        /** {@code x^3}. */
        CUBE {
            @Override
            public double apply(double x) {
                return x * x * x;
            }
        },
        /** {@code 1 / (1 + e^-x)}. */
        SIGMOID {
            @Override
            public double apply(double x) {
                return 1 / (1 + StrictMath.exp(-x));
            }

            @Override
            public boolean nonNegative() {
                return true;
            }
        },
        /** The hyperbolic tangent. */
        TANH {
            @Override
            public double apply(double x) {
                return StrictMath.tanh(x);
            }
        },
        /** The hyperbolic tangent of what is not negative, else 0. */
        RECTIFIED_TANH {
            @Override
            public double apply(double x) {
                return Math.max(0, StrictMath.tanh(x));
            }

            @Override
            public boolean nonNegative() {
                return true;
            }
        },
        /**
         * An approximation of {@code 1.7159 tanh(2x / 3)}: {@code 1.7159 (1 - 1 / (1 + |y| + y^2 +
         * 1.41645 y^4))} with the sign of x, where {@code y = 2x / 3}.
         */
        RATIONAL_TANH {
            @Override
            public double apply(double x) {
                double y = 2 * Math.abs(x) / 3;
                double squared = y * y;
                double magnitude = 1 - 1 / (1 + y + squared + 1.41645 * squared * squared);
                return 1.7159 * Math.signum(x) * magnitude;
            }
        },
        /** {@code 0.2 x + 0.5}, clamped to [0, 1]. */
        HARD_SIGMOID {
            @Override
            public double apply(double x) {
                return Math.min(1, Math.max(0, 0.2 * x + 0.5));
            }

            @Override
            public boolean nonNegative() {
                return true;
            }
        },
        /** {@code x}, clamped to [-1, 1]. */
        HARD_TANH {
            @Override
            public double apply(double x) {
                return Math.min(1, Math.max(-1, x));
            }
        },
        /** {@code x * sigmoid(x)}, also called SiLU. */
        SWISH {
            @Override
            public double apply(double x) {
                return x / (1 + StrictMath.exp(-x));
            }
        },
        /** {@code x * tanh(softplus(x))}. */
        MISH {
            @Override
            public double apply(double x) {
                return x * StrictMath.tanh(SOFTPLUS.apply(x));
            }
        },
        /** ELU of a fixed height and slope that keep mean and variance near 0 and 1. */
        SELU {
            @Override
            public double apply(double x) {
                return SELU_SLOPE * (x > 0 ? x : SELU_HEIGHT * StrictMath.expm1(x));
            }
        },
        /**
         * GELU by its tanh approximation as ND4J has it, {@code 0.5 x (1 + tanh(sqrt(2/pi) (x +
         * (0.044715 x)^3)))}: in the paper the cube is of {@code x} alone.
         */
        GELU {
            @Override
            public double apply(double x) {
                double cubed = 0.044715 * x;
                double inner = StrictMath.sqrt(2 / Math.PI) * (x + cubed * cubed * cubed);
                return 0.5 * x * (1 + StrictMath.tanh(inner));
            }
        },
        /** GELU by its sigmoid approximation, {@code x / (1 + e^(-1.702 x))}. */
        GELU_SIGMOID {
            @Override
            public double apply(double x) {
                return x / (1 + StrictMath.exp(-1.702 * x));
            }
        },
        /** {@code ln(1 + e^x)}. */
        SOFTPLUS {
            @Override
            public double apply(double x) {
                return Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
            }

            @Override
            public boolean nonNegative() {
                return true;
            }
        },
        /** {@code x / (1 + |x|)}. */
        SOFTSIGN {
            @Override
            public double apply(double x) {
                return x / (1 + Math.abs(x));
            }
        };

        /* Klambauer et al., Self-Normalizing Neural Networks, 2017, the fixed point (0, 1). */
        private static final double SELU_SLOPE = 1.0507009873554805;
        private static final double SELU_HEIGHT = 1.6732632423543772;

        @Override
        public boolean nonNegative() {
            return false;
        }
    }
}
