// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.function.BiFunction;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.jspecify.annotations.Nullable;

/**
 * An operator whose quantize node has not come yet.
 *
 * @param node the operator
 * @param keeps the codes whose scale its result must keep; null if it has its own
 * @param clamps whether the node of the integer graph can clamp its codes
 * @param least the value that a Relu or Clip after it clamps to
 * @param most the value that a Relu or Clip after it clamps to
 * @param maker makes the node of the integer graph, given its name and its codes
 */
record Pending(
        OnnxNode node,
        @Nullable String keeps,
        boolean clamps,
        float least,
        float most,
        BiFunction<String, Output.Codes, IntNode> maker) {

    /** An operator that can clamp its result. */
    static Pending clamping(OnnxNode node, BiFunction<String, Output.Codes, IntNode> maker) {
        return new Pending(
                node, null, true, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, maker);
    }

    /** An operator whose result has its own scale. */
    static Pending rescaling(OnnxNode node, BiFunction<String, QuantParams, IntNode> maker) {
        return new Pending(
                node,
                null,
                false,
                Float.NEGATIVE_INFINITY,
                Float.POSITIVE_INFINITY,
                (name, output) -> maker.apply(name, output.params()));
    }

    /** An operator that moves codes about without a change. */
    static Pending keeping(
            OnnxNode node, String codes, BiFunction<String, Output.Codes, IntNode> maker) {
        return new Pending(
                node, codes, false, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, maker);
    }

    /** {@return the same after one more clamp} */
    Pending clamped(float low, float high) {
        return new Pending(node, keeps, clamps, Math.max(least, low), Math.min(most, high), maker);
    }

    /**
     * {@return the bounds of the result's codes: rounding keeps the order, so that clamped values
     * have clamped codes}
     *
     * @param params how the codes stand for values
     * @param bounds what an integer Clip allows
     */
    CodeRange bounds(QuantParams params, CodeRange bounds) {
        int low =
                least == Float.NEGATIVE_INFINITY
                        ? bounds.min()
                        : Math.max(bounds.min(), params.quantize(least));
        int high =
                most == Float.POSITIVE_INFINITY
                        ? bounds.max()
                        : Math.min(bounds.max(), params.quantize(most));
        node.require(low < high, "is clamped to less than two codes, %d to %d", low, high);
        CodeRange clamped = new CodeRange(low, high);
        node.require(
                clamps || clamped.equals(params.range()),
                "is clamped to the codes %d to %d of %d to %d; only Conv, Gemm, MatMul and Add can"
                        + " be clamped",
                low,
                high,
                params.range().min(),
                params.range().max());
        return clamped;
    }
}
