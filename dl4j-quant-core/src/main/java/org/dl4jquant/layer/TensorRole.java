// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The activation tensors of a quantized layer that may have a quantizer. */
public enum TensorRole {
    /** What enters the layer. */
    INPUT(QuantizedLayer.INPUT_SCALE, QuantizedLayer.INPUT_ZERO) {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.input();
        }
    },
    /** What stands before an activation function that becomes a table. */
    PRE_ACTIVATION(QuantizedLayer.PRE_ACTIVATION_SCALE, QuantizedLayer.PRE_ACTIVATION_ZERO) {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.preActivation();
        }
    },
    /** What a recurrent layer hands from one step to the next. */
    HIDDEN(QuantizedLayer.HIDDEN_SCALE, QuantizedLayer.HIDDEN_ZERO) {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.hidden();
        }
    },
    /** The same for the direction that goes back in time. */
    HIDDEN_BACKWARD(QuantizedLayer.HIDDEN_BACKWARD_SCALE, QuantizedLayer.HIDDEN_BACKWARD_ZERO) {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.hiddenBackward();
        }
    },
    /** A self-attention's projected queries. */
    QUERY(QuantizedLayer.SCALE + "Query", QuantizedLayer.ZERO + "Query") {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.products();
        }
    },
    /** Its projected keys. */
    KEY(QuantizedLayer.SCALE + "Key", QuantizedLayer.ZERO + "Key") {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.products();
        }
    },
    /** Its projected values. */
    VALUE(QuantizedLayer.SCALE + "Value", QuantizedLayer.ZERO + "Value") {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.products();
        }
    },
    /** The softmax's result, which weighs the values. */
    PROBABILITY(QuantizedLayer.SCALE + "Probability", QuantizedLayer.ZERO + "Probability") {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.probabilities();
        }
    },
    /** The joined result of its heads, which the last projection reads. */
    JOINED(QuantizedLayer.SCALE + "Joined", QuantizedLayer.ZERO + "Joined") {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.products();
        }
    },
    /** What leaves the layer. */
    OUTPUT(QuantizedLayer.OUTPUT_SCALE, QuantizedLayer.OUTPUT_ZERO) {
        @Override
        public @Nullable ActivationScheme scheme(LayerQuantizers quantizers) {
            return quantizers.output();
        }
    };

    /** The factors of an attention's inner products. */
    static final Set<TensorRole> OF_ATTENTION =
            Collections.unmodifiableSet(EnumSet.of(QUERY, KEY, VALUE, PROBABILITY, JOINED));

    private final String scaleKey;
    private final String zeroKey;

    TensorRole(String scaleKey, String zeroKey) {
        this.scaleKey = scaleKey;
        this.zeroKey = zeroKey;
    }

    /** {@return the name of the parameter that holds the tensor's scale} */
    public String scaleKey() {
        return scaleKey;
    }

    /** {@return the name of the parameter that holds the tensor's code of 0, if it has one} */
    public String zeroKey() {
        return zeroKey;
    }

    /**
     * {@return the tensor's scheme; null if it is not rounded}
     *
     * @param quantizers the layer's quantizers
     */
    public abstract @Nullable ActivationScheme scheme(LayerQuantizers quantizers);
}
