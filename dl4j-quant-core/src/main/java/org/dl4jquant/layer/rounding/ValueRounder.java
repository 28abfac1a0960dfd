// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.QuantizedTensor;
import org.dl4jquant.numeric.RuntimeScale;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rounds one tensor of a layer, and sends gradients back through the rounding. */
public sealed interface ValueRounder permits CodeRounder, HalfPrecision, RuntimeRounder {

    /** In place of an iteration: rounding to nearest. */
    int NO_TRAINING = -1;

    /**
     * Says which iteration of a training the next passes belong to, for stochastic rounding.
     *
     * @param iteration the network's count, or {@link #NO_TRAINING}
     */
    default void setIteration(int iteration) {}

    /**
     * Writes the rounded values of {@code in} to {@code out}, which may be the same array.
     *
     * @param in the tensor; a weight has the dimensions that its channels number
     * @param out the same shape and floating-point type
     * @throws IllegalStateException if a scale or the zero point is NaN or infinite
     */
    void forward(INDArray in, INDArray out);

    /**
     * Writes the loss's gradient with respect to {@code in} to {@code gradient}, which may be
     * {@code in} or {@code upstream}, and that with respect to the scales to their view.
     *
     * @param in the values before they were rounded
     * @param upstream loss per unit of the rounded values
     * @param gradient loss per unit of {@code in}
     */
    void backward(INDArray in, INDArray upstream, INDArray gradient);

    /** Raises scales that an update has driven to 0 or below; does nothing without scales. */
    default void raiseUseless() {}

    /**
     * {@return the numbers that it rounds to; null if they are no codes with scales}
     *
     * @param parameter the name of the parameter that holds the scales
     */
    default QuantizedTensor.@Nullable Grid grid(String parameter) {
        return null;
    }

    /**
     * Gives the view of the network's gradient that belongs to the scales.
     *
     * @param view one number for each scale, loss per unit of it
     */
    void setScaleGradients(INDArray view);

    /**
     * {@return the rounder of an activation; null if it has none}
     *
     * @param layer the layer's name
     * @param tensor the tensor's name, for errors
     * @param scheme the wish
     * @param table the layer's parameters
     * @param scaleKey the name of the scale among them
     * @param zeroKey the name of the zero point among them
     * @param rowAxis the dimension that a row lies along, where scales are found at run time
     */
    static @Nullable ValueRounder ofActivation(
            String layer,
            String tensor,
            @Nullable ActivationScheme scheme,
            Map<String, INDArray> table,
            String scaleKey,
            String zeroKey,
            int rowAxis) {
        Require.given(layer, "layer");
        Require.given(tensor, "tensor");
        Require.given(table, "table");
        Require.given(scaleKey, "scaleKey");
        Require.given(zeroKey, "zeroKey");
        if (scheme == null) {
            return null;
        }
        RuntimeScale found = scheme.runtimeScale();
        if (found != null) {
            return new RuntimeRounder(found, rowAxis);
        }
        INDArray scale = table.get(scaleKey);
        if (!scheme.isInteger() || scale == null) {
            return new HalfPrecision();
        }
        return CodeRounder.ofActivation(layer, tensor, scheme, scale, table.get(zeroKey));
    }
}
