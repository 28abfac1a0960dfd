// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.check.Require;
import org.dl4jquant.nd.FloatCursor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The passes over whole tensors, written once for host memory and once as ND4J operations. */
interface Kernels {

    /**
     * {@return the fastest passes that can compute with these arrays}
     *
     * @param arrays all the arrays of one call, of one type
     * @throws IllegalArgumentException if they are not all FLOAT or all DOUBLE
     */
    static Kernels of(INDArray... arrays) {
        DataType type = arrays[0].dataType();
        for (INDArray array : arrays) {
            Require.argument(
                    array.dataType() == type,
                    "an array of type %s beside one of type %s; the types must be equal",
                    array.dataType(),
                    type);
        }
        Require.argument(
                type == DataType.FLOAT || type == DataType.DOUBLE,
                "arrays of type %s; quantizers compute with FLOAT or DOUBLE only, set the"
                        + " network's data type to one of them (to simulate half precision, use"
                        + " Fp16Format)",
                type);
        return FloatCursor.reaches(arrays[0]) ? HostKernels.INSTANCE : Nd4jKernels.INSTANCE;
    }

    /**
     * Rounds values to values that have a code.
     *
     * @param grid the grid to round to
     * @param in values
     * @param scale one for each channel
     * @param out takes the rounded values; may be {@code in}
     */
    void round(Grid grid, INDArray in, INDArray scale, INDArray out);

    /**
     * Rounds values to codes less the zero point, in float32.
     *
     * @param grid the grid to round to
     * @param in values
     * @param scale one for each channel
     * @param out takes the codes; may be {@code in}
     */
    void quantize(Grid grid, INDArray in, INDArray scale, INDArray out);

    /**
     * Masks gradients.
     *
     * @param grid the grid that was rounded to
     * @param rule how gradients pass
     * @param in values
     * @param scale one for each channel
     * @param upstream loss per unit of each rounded value
     * @param gradientIn takes loss per unit of each value; may be {@code upstream}
     */
    void mask(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn);

    /**
     * Masks gradients and sums the scales' own.
     *
     * @param grid the grid that was rounded to
     * @param rule how gradients pass
     * @param in values
     * @param scale one for each channel
     * @param upstream loss per unit of each rounded value
     * @param gradientIn takes loss per unit of each value; may be {@code upstream}
     * @return loss per unit of scale, one for each channel
     */
    double[] gradients(
            Grid grid,
            GradientRule rule,
            INDArray in,
            INDArray scale,
            INDArray upstream,
            INDArray gradientIn);

    /**
     * Sums the gradients of the values that are clipped: those that do not pass.
     *
     * @param grid the grid that was rounded to
     * @param in values
     * @param scale one for each channel
     * @param upstream loss per unit of each rounded value
     * @return the sums, one for each channel
     */
    double[] clippedSums(Grid grid, INDArray in, INDArray scale, INDArray upstream);

    /**
     * Turns accumulators into results.
     *
     * @param steps the steps to compute
     * @param accumulator integers as floats
     * @param out takes the results; may be {@code accumulator}
     */
    void requantize(RequantizeSteps steps, INDArray accumulator, INDArray out);

    /**
     * Rounds values to half precision.
     *
     * @param in values
     * @param out takes the rounded values; may be {@code in}
     */
    void roundToHalf(INDArray in, INDArray out);
}
