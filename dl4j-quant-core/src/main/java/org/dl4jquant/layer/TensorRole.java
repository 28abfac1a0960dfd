// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * The activation tensors of a quantized layer that may have a quantizer.
 *
 * <p>Their order is that of their parameters in model files: a new one is appended.
 */
public enum TensorRole {
    /** The layer's input. */
    INPUT(QuantizedLayer.INPUT_SCALE, QuantizedLayer.INPUT_ZERO, "input"),
    /** The argument of an activation function that becomes a table. */
    PRE_ACTIVATION(
            QuantizedLayer.PRE_ACTIVATION_SCALE,
            QuantizedLayer.PRE_ACTIVATION_ZERO,
            "preActivation"),
    /** The layer's result. */
    OUTPUT(QuantizedLayer.OUTPUT_SCALE, QuantizedLayer.OUTPUT_ZERO, "output"),
    /** The state that a recurrent layer hands from one step to the next. */
    HIDDEN(QuantizedLayer.HIDDEN_SCALE, QuantizedLayer.HIDDEN_ZERO, "hidden"),
    /** The same for the direction that goes back in time. */
    HIDDEN_BACKWARD(
            QuantizedLayer.HIDDEN_BACKWARD_SCALE,
            QuantizedLayer.HIDDEN_BACKWARD_ZERO,
            "hiddenBackward"),
    /** A self-attention's projected queries. */
    QUERY("Query", TensorRole.PRODUCTS),
    /** Its projected keys. */
    KEY("Key", TensorRole.PRODUCTS),
    /** Its projected values. */
    VALUE("Value", TensorRole.PRODUCTS),
    /** The softmax's result, which weighs the values. */
    PROBABILITY("Probability", "probabilities"),
    /** The joined result of its heads, which the last projection reads. */
    JOINED("Joined", TensorRole.PRODUCTS);

    /** The factors of an attention's inner products. */
    static final Set<TensorRole> OF_ATTENTION =
            Collections.unmodifiableSet(EnumSet.of(QUERY, KEY, VALUE, PROBABILITY, JOINED));

    private static final String PRODUCTS = "products";

    private final String scaleKey;
    private final String zeroKey;
    private final String jsonName;

    TensorRole(String scaleKey, String zeroKey, String jsonName) {
        this.scaleKey = scaleKey;
        this.zeroKey = zeroKey;
        this.jsonName = jsonName;
    }

    TensorRole(String suffix, String jsonName) {
        this(QuantizedLayer.SCALE + suffix, QuantizedLayer.ZERO + suffix, jsonName);
    }

    /** {@return the name of the parameter that holds the tensor's scale} */
    public String scaleKey() {
        return scaleKey;
    }

    /** {@return the name of the parameter that holds the tensor's code of 0, if it has one} */
    public String zeroKey() {
        return zeroKey;
    }

    /** {@return the name of its scheme in a layer's JSON; tensors of one name share a scheme} */
    String jsonName() {
        return jsonName;
    }
}
