// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import java.util.Arrays;
import org.dl4jquant.check.Require;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rounds tensors to half precision and back, as {@link org.dl4jquant.scheme.Fp16Format} asks for.
 *
 * <p>The numbers are those of a cast to IEEE 754 binary16: ties to even, infinity from 65520 on.
 * Gradients pass unchanged (straight-through estimator), so backward there is nothing to do.
 */
public final class HalfRounder {

    private HalfRounder() {}

    /**
     * Rounds values to half precision.
     *
     * @param in values, any shape, FLOAT or DOUBLE
     * @param out takes the rounded values, same shape and type; may be {@code in} itself, but else
     *     must not share memory with it
     * @throws IllegalArgumentException if shapes or types do not fit, or the arrays are empty
     */
    public static void forward(INDArray in, INDArray out) {
        Require.argument(
                in.length() > 0 && Arrays.equals(in.shape(), out.shape()),
                "values of shape %s and a result of shape %s; the shapes must be equal and not"
                        + " empty",
                Arrays.toString(in.shape()),
                Arrays.toString(out.shape()));
        Kernels.of(in, out).roundToHalf(in, out);
    }
}
