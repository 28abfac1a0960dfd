// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.point;

import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The input of a recurrent layer, step by step.
 *
 * @param x all steps, [m, nIn, T]
 * @param mask 1 for steps that count and 0 for others, [m, T]; null if all count
 */
record TimeSteps(INDArray x, @Nullable INDArray mask) {

    /** {@return how many steps there are} */
    int count() {
        return (int) x.size(2);
    }

    /**
     * {@return room for all steps, [m, columns, T], in order 'f', which keeps each one together}
     */
    INDArray sequence(ArrayType type, long columns, LayerWorkspaceMgr mgr) {
        return mgr.create(type, x.dataType(), new long[] {x.size(0), columns, x.size(2)}, 'f');
    }

    /** {@return room for one step, [m, columns]} */
    INDArray matrix(ArrayType type, long columns, LayerWorkspaceMgr mgr) {
        return mgr.create(type, x.dataType(), new long[] {x.size(0), columns}, 'f');
    }

    /** {@return one step of a sequence, [m, columns], not a copy} */
    static INDArray at(INDArray sequence, int t) {
        return sequence.get(all(), all(), point(t));
    }

    /** {@return the input of one step as a factor of a matrix product} */
    INDArray operand(int t) {
        return Shape.toMmulCompatible(at(x, t));
    }

    /** Writes {@code x W + h RW + b} of one step to {@code sums}. */
    void sums(
            int t,
            INDArray input,
            @Nullable INDArray hidden,
            INDArray recurrent,
            INDArray biases,
            INDArray sums) {
        Nd4j.gemm(operand(t), input, sums, false, false, 1, 0);
        if (hidden != null) {
            Nd4j.gemm(Shape.toMmulCompatible(hidden), recurrent, sums, false, false, 1, 1);
        }
        sums.addiRowVector(biases);
    }

    /**
     * Adds what one step contributes to the gradients of the weights and biases.
     *
     * @param t the step
     * @param hidden the hidden state that it read; null for 0
     * @param delta loss per unit of its sums
     * @param input gradient of W
     * @param recurrent gradient of RW
     * @param biases gradient of b
     */
    void accumulate(
            int t,
            @Nullable INDArray hidden,
            INDArray delta,
            INDArray input,
            INDArray recurrent,
            INDArray biases) {
        Nd4j.gemm(operand(t), delta, input, true, false, 1, 1);
        if (hidden != null) {
            Nd4j.gemm(Shape.toMmulCompatible(hidden), delta, recurrent, true, false, 1, 1);
        }
        biases.addi(delta.sum(0).reshape(biases.shape()));
    }

    /** Sets the rows of a step's matrix to 0 whose examples have no such step. */
    void hide(INDArray matrix, int t) {
        if (mask != null) {
            matrix.muliColumnVector(mask.getColumn(t, true));
        }
    }
}
