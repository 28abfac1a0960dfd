// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Objects;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * A quantized layer as integers: what its inference mode computes with, and what lowering emits, so
 * that the two cannot differ.
 *
 * <p>The layer computes, in this order: its own input quantization if it has one; the accumulator
 * of its weights, with batch normalization folded into codes' signs, scales and bias; codes of
 * {@code preActivation} looked up in {@code table} where it has one; codes of {@code output}
 * clamped to {@code bounds}. A layer without weights applies only the last steps.
 *
 * @param input how the codes of its input stand for values; null where no quantizer has rounded it,
 *     as in a sum, a concatenation or a mean that this layer rounds
 * @param quantizesInput whether the layer rounds its input itself; else the producer has done so
 * @param inputShape one example of its input as calibration saw it, without the batch dimension
 * @param weights [out, in / groups, kernel height, kernel width] or [out, in]; null without weights
 * @param preActivation codes of the accumulator's value before the table; null without a table
 * @param table the activation function; null if it is the identity or a clamp
 * @param bounds the clamp of the output's codes; null where the result leaves as float32
 * @param output how the result's codes stand for values; null where it leaves as float32
 */
public record IntegerParameters(
        @Nullable QuantParams input,
        boolean quantizesInput,
        Shape inputShape,
        @Nullable WeightTensor weights,
        @Nullable QuantParams preActivation,
        @Nullable CodeTable table,
        @Nullable CodeRange bounds,
        @Nullable QuantParams output) {

    /** Checks that the always-present parts are there. */
    public IntegerParameters {
        Objects.requireNonNull(inputShape, "inputShape");
    }
}
