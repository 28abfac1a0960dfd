// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Matrices of codes less their zero point, one after the other, row-major: what inference of an
 * attention computes with, in int32, as the reference engine does.
 */
final class CodeMatrices {

    private final int[] values;
    private final int rows;
    private final int columns;
    private final QuantParams params;

    private CodeMatrices(int[] values, int rows, int columns, QuantParams params) {
        this.values = values;
        this.rows = rows;
        this.columns = columns;
        this.params = params;
    }

    /** {@return how many columns a matrix has} */
    int columns() {
        return columns;
    }

    /** {@return how the codes stand for values} */
    QuantParams params() {
        return params;
    }

    /** {@return the codes of values, of which none is NaN} */
    static CodeMatrices of(float[] values, int rows, int columns, QuantParams params) {
        int[] codes = new int[values.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = params.quantize(values[i]) - params.zeroPoint();
        }
        return new CodeMatrices(codes, rows, columns, params);
    }

    private int count() {
        return values.length / (rows * columns);
    }

    /** {@return the same codes as matrices of other sizes} */
    CodeMatrices reshaped(int newRows, int newColumns) {
        return new CodeMatrices(values, newRows, newColumns, params);
    }

    /** {@return each matrix with rows and columns exchanged} */
    CodeMatrices transposed() {
        int[] turned = new int[values.length];
        for (int start = 0; start < values.length; start += rows * columns) {
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    turned[start + column * rows + row] = values[start + row * columns + column];
                }
            }
        }
        return new CodeMatrices(turned, columns, rows, params);
    }

    private static int[] products(
            int[] left, int leftStep, int[] right, int matrices, int rows, int inner, int columns) {
        int[] sums = new int[matrices * rows * columns];
        for (int matrix = 0; matrix < matrices; matrix++) {
            for (int row = 0; row < rows; row++) {
                int to = (matrix * rows + row) * columns;
                for (int i = 0; i < inner; i++) {
                    int factor = left[matrix * leftStep + row * inner + i];
                    int from = (matrix * inner + i) * columns;
                    for (int column = 0; column < columns; column++) {
                        sums[to + column] += factor * right[from + column];
                    }
                }
            }
        }
        return sums;
    }

    /** {@return weights [out, in] times each matrix [in, steps], in codes} */
    CodeMatrices projected(WeightTensor weights, QuantParams result) {
        int out = weights.channels();
        int[] sums = sums(weights);
        for (int i = 0; i < sums.length; i++) {
            float multiplier =
                    Rounding.multiplier(
                            params.scale(), weights.scale(i / columns % out), result.scale());
            sums[i] =
                    Rounding.requantize(sums[i], multiplier, result.zeroPoint(), result.range())
                            - result.zeroPoint();
        }
        return new CodeMatrices(sums, out, columns, result);
    }

    /** {@return weights [out, in] times each matrix [in, steps], in float32} */
    float[] projectedToFloat(WeightTensor weights) {
        int out = weights.channels();
        int[] sums = sums(weights);
        float[] result = new float[sums.length];
        for (int i = 0; i < sums.length; i++) {
            result[i] = sums[i] * (params.scale() * weights.scale(i / columns % out));
        }
        return result;
    }

    private int[] sums(WeightTensor weights) {
        byte[] codes = weights.codes();
        int[] left = new int[codes.length];
        Arrays.setAll(left, i -> codes[i]);
        return products(left, 0, values, count(), weights.channels(), rows, columns);
    }

    /** {@return each matrix times the other's, in codes} */
    CodeMatrices times(CodeMatrices right, QuantParams result) {
        int[] sums = sums(right);
        float multiplier =
                Rounding.multiplier(params.scale(), right.params.scale(), result.scale());
        for (int i = 0; i < sums.length; i++) {
            sums[i] =
                    Rounding.requantize(sums[i], multiplier, result.zeroPoint(), result.range())
                            - result.zeroPoint();
        }
        return new CodeMatrices(sums, rows, right.columns, result);
    }

    private int[] sums(CodeMatrices right) {
        return products(
                values, rows * columns, right.values, count(), rows, columns, right.columns);
    }

    /**
     * {@return the softmax of the rows of each matrix times the other's, in codes}
     *
     * @param right the keys, [length, keys]
     * @param keys for each example, one after the other, whether a key counts; null if all do
     * @param heads how many matrices in a row are of one example
     * @param result how the codes stand for values
     */
    CodeMatrices weighing(
            CodeMatrices right, boolean @Nullable [] keys, int heads, QuantParams result) {
        int[] scores = sums(right);
        int steps = right.columns;
        if (keys != null) {
            for (int i = 0; i < scores.length; i++) {
                int example = i / (rows * steps) / heads;
                if (!keys[example * steps + i % steps]) {
                    scores[i] = AttentionWeights.HIDDEN;
                }
            }
        }
        byte[] containers = new byte[scores.length];
        float unit = ExponentTable.steps(params.scale(), right.params.scale(), columns);
        for (int row = 0; row < scores.length; row += steps) {
            ExponentTable.softmax(scores, row, steps, unit, result, containers);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = result.range().decode(containers[i]) - result.zeroPoint();
        }
        return new CodeMatrices(scores, rows, steps, result);
    }

    /** {@return the values of the codes} */
    float[] toFloats() {
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i] * params.scale();
        }
        return result;
    }
}
