// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/**
 * How gradients pass through the rounding, and what learns.
 *
 * <p>In JSON, an estimator without settings is its name ({@code "LSQ"}), one with settings an
 * object ({@code {"type": "ewgs", "delta": 0.001}}).
 */
@JsonSerialize(using = EstimatorJson.Writer.class)
@JsonDeserialize(using = EstimatorJson.Reader.class)
public sealed interface Estimator {

    /**
     * Learned step size quantization: the scale is a parameter with a gradient.
     *
     * @see <a href="https://arxiv.org/abs/1902.08153">Esser et al., 2020</a>
     */
    Estimator LSQ = new Lsq("LSQ", GradientScale.COUNT_AND_LEVELS);

    /** Clipped straight-through estimator: the scale stays as it was fitted. */
    Estimator STE = new Plain("STE");

    /**
     * LSQ with a learned offset, for asymmetric activations. What learns is the zero point, in
     * units of one code: it is rounded to a code in every pass, with a straight-through gradient,
     * so that training sees the integer that is deployed, and the value 0 always has a code, which
     * the padding of convolutions needs. The paper learns a float offset {@code beta}; here {@code
     * beta = -scale * zeroPoint}, and the zero point's gradient is such that gradient descent moves
     * {@code beta} as the paper does.
     *
     * @see <a href="https://arxiv.org/abs/2004.09576">Bhalgat et al., LSQ+, 2020</a>
     */
    Estimator LSQ_PLUS = new Lsq("LSQ_PLUS", GradientScale.COUNT_AND_LEVELS);

    /**
     * {@return {@link #LSQ} with another factor of the scale's gradient}
     *
     * @param gradientScale the factor; with the paper's, {@link GradientScale#COUNT_AND_LEVELS}, it
     *     equals {@link #LSQ}
     */
    static Estimator lsq(GradientScale gradientScale) {
        return new Lsq("LSQ", gradientScale);
    }

    /**
     * {@return {@link #LSQ_PLUS} with another factor of the gradients of scale and zero point}
     *
     * @param gradientScale the factor; with the paper's, {@link GradientScale#COUNT_AND_LEVELS}, it
     *     equals {@link #LSQ_PLUS}
     */
    static Estimator lsqPlus(GradientScale gradientScale) {
        return new Lsq("LSQ_PLUS", gradientScale);
    }

    /** {@return whether the scale is a parameter with a gradient} */
    default boolean learnsScale() {
        return this != STE && !(this instanceof DoReFa);
    }

    /** {@return whether the code of the value 0 is a parameter with a gradient} */
    default boolean learnsZeroPoint() {
        return false;
    }

    /**
     * {@return the factor of the gradients of scale and zero point; PACT has a factor of its own}
     */
    default GradientScale gradientScale() {
        return GradientScale.COUNT_AND_LEVELS;
    }

    /** An estimator without settings; {@link Estimator} has a constant for each. */
    final class Plain implements Estimator {

        /* No enum: its public methods would let one thread initialize it, and through it Estimator,
         * while another initializes Estimator, and through its constants the enum. */

        private final String name;

        private Plain(String name) {
            this.name = name;
        }

        /** {@return the name of the constant} */
        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * Learned step sizes; {@link #LSQ}, {@link #LSQ_PLUS}, {@link #lsq} and {@link #lsqPlus} make
     * them.
     */
    final class Lsq implements Estimator {

        /* No record: its public constructor would be the second way into the initialization of
         * Estimator; see Plain. */

        private final String name;
        private final GradientScale gradientScale;

        private Lsq(String name, GradientScale gradientScale) {
            this.name = name;
            this.gradientScale = Objects.requireNonNull(gradientScale, "gradientScale");
        }

        @Override
        public GradientScale gradientScale() {
            return gradientScale;
        }

        @Override
        public boolean learnsZeroPoint() {
            return "LSQ_PLUS".equals(name);
        }

        /** {@return the name, which the constants and the other factors share} */
        String name() {
            return name;
        }

        /** Two are equal if name and factor are. */
        @Override
        public boolean equals(Object other) {
            return other instanceof Lsq lsq
                    && name.equals(lsq.name)
                    && gradientScale == lsq.gradientScale;
        }

        @Override
        public int hashCode() {
            return Objects.hash(name, gradientScale.name());
        }

        /** {@return the name of the constant, with the factor if it is not the paper's} */
        @Override
        public String toString() {
            return gradientScale == GradientScale.COUNT_AND_LEVELS
                    ? name
                    : name + "[gradientScale=" + gradientScale + "]";
        }
    }

    /**
     * Element-wise gradient scaling: {@code g * (1 + delta * sign(g) * (x - round(x)))}. A value
     * that descent must carry across its rounded value has the longer way to the next code, and its
     * gradient becomes longer; that of one on the near side becomes shorter. Values are measured as
     * in the paper, the whole range of codes being 1. The scale learns as the paper's clipping
     * bounds do, through the same scaled gradients; with {@code delta} 0 that is {@link #LSQ}.
     *
     * @param delta how strongly, finite and at least 0; the paper's fixed value is 0.001
     * @see <a href="https://arxiv.org/abs/2104.00903">Lee et al., Network Quantization with
     *     Element-wise Gradient Scaling, 2021</a>
     */
    record Ewgs(double delta) implements Estimator {
        /** Checks the strength. */
        public Ewgs {
            Require.argument(
                    delta >= 0 && Double.isFinite(delta),
                    "EWGS with delta %s: it must be finite and at least 0; the paper has 0.001",
                    delta);
        }
    }

    /**
     * Parameterized clipping activation: the clipping value {@code alpha = scale * maxCode} learns,
     * from clipped values only. Gradient descent moves {@code alpha} as in the paper, at the
     * learning rate of the weights. Signed codes are clipped at both ends.
     *
     * @param regularization lambda of the penalty {@code lambda * alpha^2 / 2}, finite and at least
     *     0; the paper takes the weight decay. The score that DL4J reports counts the scale instead
     *     of alpha
     * @see <a href="https://arxiv.org/abs/1805.06085">Choi et al., PACT, 2018</a>
     */
    record Pact(double regularization) implements Estimator {
        /** Checks the penalty. */
        public Pact {
            Require.argument(
                    regularization >= 0 && Double.isFinite(regularization),
                    "PACT with regularization %s: it must be finite and at least 0; 0.0001 is"
                            + " customary",
                    regularization);
        }
    }

    /**
     * Fixed ranges, straight-through gradients. Weights become {@code tanh(w) / max|tanh(w)|}, the
     * maximum being the whole tensor's, before they are rounded; activations are clipped to [0, 1]
     * (to [-1, 1] where they may be negative). The scale is one over the largest code, and nothing
     * learns it.
     *
     * <p>The paper rounds weights to {@code 2 k / (2^b - 1) - 1}, a grid without 0. The integer
     * contract has a code for 0, so here they are rounded to the symmetric narrow codes instead,
     * {@code k / maxCode}.
     *
     * @param fitted whether what calibration finds takes the place of 1: weights keep the magnitude
     *     of each channel (by least squares), activations are clipped where calibration says. So a
     *     trained network stays close to what it was; the paper trains from scratch, and leaves
     *     magnitudes to batch normalization
     * @see <a href="https://arxiv.org/abs/1606.06160">Zhou et al., DoReFa-Net, 2016</a>
     */
    record DoReFa(boolean fitted) implements Estimator {}
}
