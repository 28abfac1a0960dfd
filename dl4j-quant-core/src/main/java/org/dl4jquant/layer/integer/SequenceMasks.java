// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.integer;

import java.util.Arrays;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Masks of sequences, one number for each step of each example. */
final class SequenceMasks {

    private SequenceMasks() {}

    /**
     * {@return a mask's numbers, row-major; null without a mask, or if some are neither 0 nor 1}
     *
     * @param layer the name of the layer, for messages
     * @param mask the mask; null without one
     * @param x [examples, features, steps]
     */
    static float @Nullable [] values(String layer, @Nullable INDArray mask, INDArray x) {
        if (mask == null) {
            return null;
        }
        long[] shape = mask.shape();
        Require.argument(
                mask.length() == x.size(0) * x.size(2) && shape[0] == x.size(0),
                "layer \"%s\": the mask has the shape %s, but the input has %d examples of %d"
                        + " steps",
                layer,
                Arrays.toString(shape),
                x.size(0),
                x.size(2));
        float[] values = RowMajor.floats(mask);
        for (float value : values) {
            if (value != 0 && value != 1) {
                return null;
            }
        }
        return values;
    }
}
