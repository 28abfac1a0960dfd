// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.rounding;

import org.dl4jquant.check.Require;
import org.dl4jquant.fakequant.Scales;
import org.dl4jquant.numeric.CodeRange;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Keeps learned scales usable: above 0, and finite. */
public final class ScaleGuard {

    /**
     * The smallest scale. A smaller or negative one is moved here: all values but the tiniest are
     * clipped then, so that the gradient pushes the scale up again.
     */
    public static final float LEAST = Scales.MIN;

    private ScaleGuard() {}

    /**
     * Moves each scale that is too small to {@link #LEAST}, in place. What it does depends on the
     * parameters alone, so that a resumed training continues bit for bit.
     *
     * @param layer the layer's name
     * @param tensor the tensor's name
     * @param scales one or more scales
     * @throws IllegalStateException if a scale is NaN or infinite
     */
    static void projectInPlace(String layer, String tensor, INDArray scales) {
        Scales.projectInPlace(scales);
        Scales.requireUsable(scales, "layer \"" + layer + "\", " + tensor);
    }

    /**
     * {@return the code of the value 0: a learned zero point, rounded}
     *
     * @param layer the layer's name
     * @param tensor the tensor's name
     * @param zeroPoint in codes, not rounded
     * @param range the codes
     * @throws IllegalStateException if the zero point is NaN or infinite
     */
    public static int zeroPointCode(String layer, String tensor, float zeroPoint, CodeRange range) {
        Require.given(layer, "layer");
        Require.given(tensor, "tensor");
        Require.given(range, "range");
        Require.state(
                Float.isFinite(zeroPoint),
                "layer \"%s\": the zero point of its %s is %s; training has diverged. Go back to the"
                        + " last good checkpoint and lower the learning rate, or clip the gradients",
                layer,
                tensor,
                zeroPoint);
        return range.clamp((int) Math.rint(zeroPoint));
    }

    /**
     * {@return the scale, or {@link #LEAST} if it is smaller}
     *
     * @param layer the layer's name
     * @param tensor the tensor's name
     * @param scale a learned scale
     * @throws IllegalStateException if the scale is NaN or infinite
     */
    public static float usable(String layer, String tensor, float scale) {
        Require.given(layer, "layer");
        Require.given(tensor, "tensor");
        Require.state(
                Float.isFinite(scale),
                "layer \"%s\": the scale of its %s is %s; training has diverged. Go back to the last"
                        + " good checkpoint and lower the learning rate, or clip the gradients",
                layer,
                tensor,
                scale);
        return Math.max(scale, LEAST);
    }
}
