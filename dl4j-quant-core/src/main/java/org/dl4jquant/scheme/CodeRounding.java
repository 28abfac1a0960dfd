// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.scheme;

import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/**
 * Which code a number between two codes gets while a network trains. Calibration, inference and
 * lowering round to nearest whatever it says.
 *
 * <p>In JSON, {@code "NEAREST"} or {@code {"type": "stochastic", "seed": 42}}; a scheme without it
 * rounds to nearest.
 */
@JsonSerialize(using = CodeRoundingJson.Writer.class)
@JsonDeserialize(using = CodeRoundingJson.Reader.class)
public sealed interface CodeRounding {

    /** The nearest code; of two, the even one (less the zero point). */
    CodeRounding NEAREST = new Nearest();

    /** Rounding to nearest; {@link #NEAREST} is the only instance. */
    final class Nearest implements CodeRounding {

        private Nearest() {}

        /** {@return NEAREST} */
        @Override
        public String toString() {
            return "NEAREST";
        }
    }

    /**
     * The code below or the code above, with probabilities that make the mean of the results the
     * number itself: of 2.3, 3 in three of ten passes and 2 in the others. A number that is a code
     * stays, and what lies outside of the codes is clipped.
     *
     * <p>What is drawn depends on the seed, the layer, the tensor, the network's count of
     * iterations and the element's index alone: neither on the number of threads nor on what was
     * drawn before, so a training repeats bit for bit, and one that was saved goes on with the same
     * draws. Replicas that train side by side with equal counts draw alike. What a layer rounds
     * inside, such as the hidden state of a recurrent layer, is rounded to nearest.
     *
     * @param seed of the draws
     * @see <a href="https://arxiv.org/abs/1502.02551">Gupta et al., Deep Learning with Limited
     *     Numerical Precision, 2015, section 3.1</a>
     */
    record Stochastic(long seed) implements CodeRounding {}
}
