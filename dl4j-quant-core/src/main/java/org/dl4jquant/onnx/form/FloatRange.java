// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.form;

/**
 * The values that clamps of floats leave.
 *
 * @param least the lowest; negative infinity if there is none
 * @param most the highest; infinity if there is none
 */
record FloatRange(float least, float most) {

    static final FloatRange ALL = new FloatRange(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);

    /** {@return the values that a Relu or Clip leaves} */
    static FloatRange of(OnnxNode clamp, Constants constants) {
        if (clamp.operator().equals(Operators.RELU)) {
            clamp.requireInputs(1, 1);
            clamp.requireAttributes();
            return new FloatRange(0, Float.POSITIVE_INFINITY);
        }
        clamp.requireInputs(1, 3);
        clamp.requireAttributes();
        return new FloatRange(
                clamp.optionalInput(1).map(constants::scalar).orElse(ALL.least),
                clamp.optionalInput(2).map(constants::scalar).orElse(ALL.most));
    }

    /** {@return the values that both leave} */
    FloatRange and(FloatRange other) {
        return new FloatRange(Math.max(least, other.least), Math.min(most, other.most));
    }
}
