// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An activation function of DL4J whose value at NaN is NaN: several of them, such as ReLU6 and the
 * thresholded ReLU, compare, and make a number of it.
 */
public final class FunctionOfNan {

    private static final Set<Class<?>> KEEP_NAN =
            Set.of(
                    ActivationIdentity.class,
                    ActivationSigmoid.class,
                    ActivationSoftmax.class,
                    ActivationTanH.class);

    private FunctionOfNan() {}

    /**
     * {@return the function's values in inference}
     *
     * @param function the function
     * @param arguments its arguments; may be overwritten, as DL4J's functions do
     */
    public static INDArray infer(IActivation function, INDArray arguments) {
        Require.given(function, "function");
        Require.given(arguments, "arguments");
        if (KEEP_NAN.contains(function.getClass()) || !NonFinite.hasNan(arguments)) {
            return function.getActivation(arguments, false);
        }
        float[] before = RowMajor.floats(arguments);
        INDArray result = function.getActivation(arguments, false);
        float[] after = RowMajor.floats(result);
        for (int i = 0; i < before.length; i++) {
            after[i] = Float.isNaN(before[i]) ? Float.NaN : after[i];
        }
        RowMajor.copyInto(after, result);
        return result;
    }
}
