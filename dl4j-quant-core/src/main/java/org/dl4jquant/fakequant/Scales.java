// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import org.dl4jquant.check.Require;
import org.dl4jquant.nd.RowMajor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keeps learned scales usable: above 0 after every update, and reported when they are lost.
 *
 * <p>A gradient step can carry a scale to 0 or below it, where rounding would divide by zero or
 * turn signs around. Which scales are moved depends on their values only, so that a resumed
 * training continues bit for bit.
 */
public final class Scales {

    /**
     * The smallest scale. Not tuned: small enough for weights and activations of any sensible unit,
     * and large enough that the product of two scales is still a normal float32.
     */
    public static final float MIN = 0x1p-32f;

    private Scales() {}

    /**
     * Raises scales below {@link #MIN} to it; NaN and infinity stay.
     *
     * @param scales FLOAT or DOUBLE, any shape; changed
     */
    public static void projectInPlace(INDArray scales) {
        float[] values = RowMajor.floats(scales);
        for (int i = 0; i < values.length; i++) {
            if (values[i] < MIN) {
                scales.putScalar(i, MIN);
            }
        }
    }

    /**
     * Requires that every scale is a finite number of at least {@link #MIN}.
     *
     * @param scales any shape
     * @param owner whose scales they are, for the message: for example {@code layer "conv1",
     *     weights}
     * @throws IllegalStateException if one is not
     */
    public static void requireUsable(INDArray scales, String owner) {
        float[] values = RowMajor.floats(scales);
        for (int i = 0; i < values.length; i++) {
            Require.state(
                    values[i] >= MIN && Float.isFinite(values[i]),
                    "%s: scale %d of %d is %s; it must be a finite number of at least %s. Training"
                            + " has diverged: lower the learning rate (above all that of the"
                            + " scales) or clip gradients, and go on from the last good model",
                    owner,
                    i,
                    values.length,
                    values[i],
                    MIN);
        }
    }
}
