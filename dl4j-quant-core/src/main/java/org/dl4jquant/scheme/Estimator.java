// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

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
    Estimator LSQ = new Plain("LSQ");

    /** Clipped straight-through estimator: the scale stays as it was fitted. */
    Estimator STE = new Plain("STE");

    /** {@return whether the scale is a parameter with a gradient} */
    default boolean learnsScale() {
        return this != STE;
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
}
