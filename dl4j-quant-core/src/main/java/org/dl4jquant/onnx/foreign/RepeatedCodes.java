// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx.foreign;

import java.util.Arrays;
import java.util.Optional;

/**
 * Codes that are there already: a QuantizeLinear of codes that were just dequantized at the same
 * scale, or a second one of the same values at the same scale.
 */
final class RepeatedCodes implements Rewrite {

    @Override
    public boolean apply(Op op, Rewriting graph) {
        if (!op.is("QuantizeLinear") || graph.constant(op.input(0)).isPresent()) {
            return false;
        }
        Optional<Op> dequantize =
                graph.maker(op.input(0), "DequantizeLinear")
                        .filter(maker -> haveEqualParams(op, maker, graph))
                        .filter(maker -> graph.constant(maker.input(0)).isEmpty());
        Optional<String> codes =
                dequantize
                        .map(maker -> maker.input(0))
                        .or(() -> graph.quantized(op.input(0), other -> isEqual(op, other, graph)));
        boolean repeats = codes.filter(found -> graph.canReplace(op.output(), found)).isPresent();
        if (repeats) {
            graph.replace(op.output(), codes.get());
        }
        return repeats;
    }

    private static boolean isEqual(Op op, Op other, Rewriting graph) {
        return haveEqualParams(op, other, graph) && op.attributes().equals(other.attributes());
    }

    static boolean haveEqualParams(Op one, Op other, Rewriting graph) {
        Optional<float[]> scale = graph.floats(one.input(1));
        Optional<float[]> otherScale = graph.floats(other.input(1));
        return scale.isPresent()
                && otherScale.isPresent()
                && Arrays.equals(scale.get(), otherScale.get())
                && haveEqualZeros(one.input(2), other.input(2), graph);
    }

    private static boolean haveEqualZeros(String one, String other, Rewriting graph) {
        if (one.isEmpty() || other.isEmpty() || one.equals(other)) {
            return one.equals(other);
        }
        Optional<long[]> zero = graph.integers(one);
        Optional<long[]> otherZero = graph.integers(other);
        return zero.isPresent()
                && otherZero.isPresent()
                && Arrays.equals(zero.get(), otherZero.get())
                && graph.type(one) == graph.type(other);
    }
}
