// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.ExponentTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Rounding;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/** Products of two tensors of codes in int32, and what makes codes of them. */
final class MatMulKernel implements Kernel {

    private final Shape shape;
    private final int inner;
    private final int rightZero;
    private final int leftZero;
    private final Rounder rounder;
    private final QuantParams params;

    /** Makes the codes of a result's int32 products, which it may overwrite. */
    @FunctionalInterface
    private interface Rounder {
        void round(int[] products, byte[] containers, float @Nullable [] mask);
    }

    private MatMulKernel(
            TensorType left, TensorType right, Shape shape, QuantParams params, Rounder rounder) {
        this.shape = shape;
        this.inner = left.shape().size(left.shape().rank() - 1);
        this.leftZero = left.codes().zeroPoint();
        this.rightZero = right.codes().zeroPoint();
        this.params = params;
        this.rounder = rounder;
    }

    static MatMulKernel of(MatMul node, TensorType left, TensorType right, Shape shape) {
        QuantParams params = node.output().params();
        float multiplier = node.output().multiplier(left.codes().scale(), right.codes().scale());
        return new MatMulKernel(
                left,
                right,
                shape,
                params,
                (products, containers, mask) -> {
                    for (int i = 0; i < products.length; i++) {
                        containers[i] =
                                (byte)
                                        Rounding.requantize(
                                                products[i],
                                                multiplier,
                                                params.zeroPoint(),
                                                node.output().bounds());
                    }
                });
    }

    static MatMulKernel of(AttentionWeights node, TensorType left, TensorType right, Shape shape) {
        float steps = AttentionWeights.steps(left, right);
        int count = shape.size(shape.rank() - 1);
        return new MatMulKernel(
                left,
                right,
                shape,
                node.params(),
                (products, containers, mask) -> {
                    if (mask != null) {
                        hide(products, mask, shape.elements(), count);
                    }
                    for (int row = 0; row < products.length; row += count) {
                        ExponentTable.softmax(
                                products, row, count, steps, node.params(), containers);
                    }
                });
    }

    /* The mask is one row of keys for each example. */
    private static void hide(int[] products, float[] mask, int elements, int keys) {
        for (int i = 0; i < products.length; i++) {
            if (mask[i / elements * keys + i % keys] == 0) {
                products[i] = AttentionWeights.HIDDEN;
            }
        }
    }

    @Override
    public Batch run(List<Batch> inputs) {
        Batch.Codes left = (Batch.Codes) inputs.get(0);
        Batch.Codes right = (Batch.Codes) inputs.get(1);
        int rows = shape.size(shape.rank() - 2);
        int columns = shape.size(shape.rank() - 1);
        int[] products = new int[left.size() * shape.elements()];
        int matrices = products.length / (rows * columns);
        for (int matrix = 0; matrix < matrices; matrix++) {
            for (int row = 0; row < rows; row++) {
                int to = (matrix * rows + row) * columns;
                for (int i = 0; i < inner; i++) {
                    int factor = left.code((matrix * rows + row) * inner + i) - leftZero;
                    int from = (matrix * inner + i) * columns;
                    for (int column = 0; column < columns; column++) {
                        products[to + column] += factor * (right.code(from + column) - rightZero);
                    }
                }
            }
        }
        byte[] containers = new byte[products.length];
        float[] mask = inputs.size() > 2 ? ((Batch.Floats) inputs.get(2)).values() : null;
        rounder.round(products, containers, mask);
        return Batch.Codes.of(left.size(), shape, containers, params);
    }
}
