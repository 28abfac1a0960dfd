// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.recurrent;

import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.recurrent.Cell;
import org.dl4jquant.numeric.recurrent.GateTables;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The sums of an Elman network in a training, rounded to 12 bits as the integer graph rounds them.
 * Gradients pass where they are not clipped.
 *
 * @param step units per code
 */
record SumRounding(double step) {

    /** {@return the rounding; null if the function has no table, or without codes} */
    static @Nullable SumRounding of(IActivation function, @Nullable QuantParams codes) {
        return codes == null
                ? null
                : PointwiseActivation.of(function)
                        .map(PointwiseActivation::elementwise)
                        .map(known -> new SumRounding(new Cell.Elman(known).sumStep(codes)))
                        .orElse(null);
    }

    /** Rounds sums in place. */
    void forward(INDArray sums) {
        double[] values = RowMajor.doubles(sums);
        for (int i = 0; i < values.length; i++) {
            values[i] = GateTables.sum((float) (values[i] / step)) * step;
        }
        RowMajor.copyInto(values, sums);
    }

    /** Sets the gradient to 0 where sums were clipped. */
    void backward(INDArray sums, INDArray gradient) {
        GateRounding.hide(sums, gradient, GateTables.LEAST_SUM * step, GateTables.MOST_SUM * step);
    }
}
