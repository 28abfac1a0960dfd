// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class WeightLayoutTest {

    private static INDArray counted(long... shape) {
        return Nd4j.arange((double) Nd4j.createUninitialized(shape).length())
                .castTo(DataType.FLOAT)
                .reshape('c', shape);
    }

    @Test
    void aMatrixHasItsOutputsInRows() {
        assertEquals(
                Nd4j.createFromArray(new float[][] {{0, 3}, {1, 4}, {2, 5}}),
                WeightLayout.MATRIX.matrix(counted(2, 3)));
    }

    @Test
    void aTransposedConvolutionHasItsInputsFirst() {
        assertEquals(
                Nd4j.createFromArray(new float[][] {{0, 1, 4, 5}, {2, 3, 6, 7}}),
                WeightLayout.of(1, 0).matrix(counted(2, 2, 1, 2)));
    }

    @Test
    void aDepthwiseConvolutionHasOneRowForEachInputAndMultiplier() {
        // [height 1, width 2, in 2, multiplier 2]
        assertEquals(
                Nd4j.createFromArray(new float[][] {{0, 4}, {1, 5}, {2, 6}, {3, 7}}),
                WeightLayout.withoutInputs(2, 3).matrix(counted(1, 2, 2, 2)));
    }

    @Test
    void aConvolutionOfSequencesIsReadInReverse() {
        // Declared as [out 2, in 1, kernel 3, 1]; memory is [kernel 3, in 1, out 2].
        assertEquals(
                Nd4j.createFromArray(new float[][] {{0, 2, 4}, {1, 3, 5}}),
                WeightLayout.reversed(2, 1).matrix(counted(2, 1, 3, 1)));
    }

    @Test
    void refusesTheMatrixOfAnUnknownLayout() {
        IllegalArgumentException refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> WeightLayout.UNKNOWN.matrix(counted(2, 3)));
        assertEquals(
                "the layout of a weight of shape [2, 3] is not known, so it is no matrix",
                refused.getMessage());
    }

    @Test
    void refusesADimensionThatNumbersBoth() {
        assertThrows(IllegalArgumentException.class, () -> WeightLayout.of(1, 1));
    }
}
