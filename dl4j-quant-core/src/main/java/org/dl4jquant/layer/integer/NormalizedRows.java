// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Normalizations of codes, {@link Normalization}, on the values of codes: what inference computes,
 * as the reference engine does.
 *
 * @param span the codes that are summed, counted in one example
 * @param formula the formula
 * @param input how the codes that are read stand for values
 */
record NormalizedRows(Normalize.Span span, Normalization formula, QuantParams input) {

    /** {@return whether rows of an array are short enough for the engines} */
    static boolean fits(Normalize.Span span, INDArray x) {
        return span.end() < x.rank() && length(span, x) <= Normalization.MAX_LENGTH;
    }

    private static long length(Normalize.Span span, INDArray x) {
        return product(x, span.axis() + 1, span.end() + 1);
    }

    private static long product(INDArray x, int from, int to) {
        return Arrays.stream(x.shape(), from, to).reduce(1, (left, right) -> left * right);
    }

    /**
     * {@return the values of an array's normalized codes, before they are rounded, in row-major
     * order; NaN for a row that holds NaN}
     *
     * @param x the array
     */
    float[] values(INDArray x) {
        int length = Math.toIntExact(length(span, x));
        int inner = Math.toIntExact(product(x, span.end() + 1, x.rank()));
        float[] values = RowMajor.floats(x);
        int[] codes = new int[values.length];
        boolean[] lost = new boolean[values.length / length];
        for (int i = 0; i < codes.length; i++) {
            if (Float.isNaN(values[i])) {
                lost[row(i, length, inner)] = true;
            } else {
                codes[i] = input.quantize(values[i]) - input.zeroPoint();
            }
        }
        float[] normalized = formula.values(codes, length, inner, span.reach());
        for (int i = 0; i < codes.length; i++) {
            if (lost[row(i, length, inner)]) {
                normalized[i] = Float.NaN;
            }
        }
        return normalized;
    }

    private static int row(int place, int length, int inner) {
        return place / (length * inner) * inner + place % inner;
    }

    /**
     * {@return the values of the codes that an array is normalized to}
     *
     * @param x the array
     * @param result how these codes stand for values, perhaps through a function
     * @param call makes the array
     */
    INDArray rounded(INDArray x, ResultCodes result, Call call) {
        QuantParams first = result.argument() == null ? result.output() : result.argument();
        float[] values = values(x);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isNaN(values[i])) {
                int code = first.quantize(values[i]);
                values[i] =
                        result.output()
                                .dequantize(
                                        result.table() == null
                                                ? result.bounds().clamp(code)
                                                : result.output()
                                                        .range()
                                                        .decode(
                                                                result.table()
                                                                        .lookUp((byte) code)));
            }
        }
        INDArray y = call.workspaces().create(ArrayType.ACTIVATIONS, x.dataType(), x.shape(), 'c');
        RowMajor.copyInto(values, y);
        return y;
    }
}
