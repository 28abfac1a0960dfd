// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph.node;

import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;

/** The result that a node makes of its accumulator. */
public sealed interface Output {

    /**
     * {@return the worth of an accumulator's unit in the result: in codes, or as a value}
     *
     * @param inputScale units per code of the node's input
     * @param weightScale units per code of one output channel's weights
     */
    float multiplier(float inputScale, float weightScale);

    /**
     * Codes: {@code clamp(rint((float) accumulator * multiplier) + zeroPoint)}.
     *
     * @param params how the result's codes stand for values
     * @param bounds the clamp, inside {@code params.range()}; ReLU and ReLU6 are narrower bounds
     */
    record Codes(QuantParams params, CodeRange bounds) implements Output {
        /** Checks that the bounds lie in the range. */
        public Codes {
            Objects.requireNonNull(params, "params");
            Require.argument(
                    params.range().contains(bounds.min()) && params.range().contains(bounds.max()),
                    "the clamp [%d, %d] is not inside the codes [%d, %d]",
                    bounds.min(),
                    bounds.max(),
                    params.range().min(),
                    params.range().max());
        }

        /**
         * {@return codes that are clamped to their whole range only}
         *
         * @param params how the result's codes stand for values
         */
        public static Codes of(QuantParams params) {
            return new Codes(params, params.range());
        }

        @Override
        public float multiplier(float inputScale, float weightScale) {
            return Rounding.multiplier(inputScale, weightScale, params.scale());
        }
    }

    /** Float32 values: {@code (float) accumulator * (inputScale * weightScale)}. */
    record Floats() implements Output {
        @Override
        public float multiplier(float inputScale, float weightScale) {
            return inputScale * weightScale;
        }
    }
}
