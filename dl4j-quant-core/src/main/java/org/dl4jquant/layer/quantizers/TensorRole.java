// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

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
    INPUT("In", "input"),
    /** The argument of an activation function that becomes a table. */
    PRE_ACTIVATION("Pre", "preActivation"),
    /** The layer's result. */
    OUTPUT("Out", "output"),
    /** The state that a recurrent layer hands from one step to the next. */
    HIDDEN("Hidden", "hidden"),
    /** The same for the direction that goes back in time. */
    HIDDEN_BACKWARD("HiddenBack", "hiddenBackward"),
    /** A self-attention's projected queries. */
    QUERY("Query", TensorRole.PRODUCTS),
    /** Its projected keys. */
    KEY("Key", TensorRole.PRODUCTS),
    /** Its projected values. */
    VALUE("Value", TensorRole.PRODUCTS),
    /** The softmax's result, which weighs the values. */
    PROBABILITY("Probability", "probabilities"),
    /** The joined result of its heads, which the last projection reads. */
    JOINED("Joined", TensorRole.PRODUCTS),
    /** The tensor between the depthwise and the pointwise half of a separable convolution. */
    DEPTHWISE("Depthwise", "depthwise"),
    /** The products of a dense layer that a layer normalization reads. */
    NORMALIZED("Normalized", "normalized");

    /** The first letters of the names of all scales. */
    public static final String SCALE = "scale";

    /** The first letters of the names of all zero points: codes, which learn with LSQ+. */
    public static final String ZERO = "zero";

    /** The factors of an attention's inner products. */
    public static final Set<TensorRole> OF_ATTENTION =
            Collections.unmodifiableSet(EnumSet.of(QUERY, KEY, VALUE, PROBABILITY, JOINED));

    private static final String PRODUCTS = "products";

    private final String scaleKey;
    private final String zeroKey;
    private final String jsonName;

    TensorRole(String suffix, String jsonName) {
        this.scaleKey = TensorRole.SCALE + suffix;
        this.zeroKey = TensorRole.ZERO + suffix;
        this.jsonName = jsonName;
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
