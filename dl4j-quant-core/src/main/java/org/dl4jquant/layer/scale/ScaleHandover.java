// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.scale;

import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.layer.quantizers.WeightSlot;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Converts a layer's scales from one integer width to another, so that the values at which they
 * clip stay: {@code s2 = s1 * Q1 / Q2}, where Q is the largest code (the number of steps, for codes
 * with a zero point).
 *
 * <p>While a tensor is not rounded to integers, its scale stands for the format that the layer was
 * prepared for.
 */
public final class ScaleHandover {

    private final LayerQuantizers prepared;
    private final LayerQuantizers before;
    private final LayerQuantizers after;

    /**
     * Names the two precisions.
     *
     * @param prepared the quantizers that the layer was prepared for
     * @param before the quantizers that its scales were for
     * @param after the quantizers that they shall be for
     */
    public ScaleHandover(LayerQuantizers prepared, LayerQuantizers before, LayerQuantizers after) {
        this.prepared = prepared;
        this.before = before;
        this.after = after;
    }

    /**
     * {@return the scale whose largest code stands for the same value}
     *
     * @param scale units per code, above 0
     * @param from its codes
     * @param to the codes of the new scale
     */
    public static float scale(float scale, CodeRange from, CodeRange to) {
        Require.given(from, "from");
        Require.given(to, "to");
        return (float) ((double) scale * from.max() / to.max());
    }

    /**
     * Converts all scales in place.
     *
     * @param slots the layer's weights that have scales
     * @param table its parameters by name, views that are written to
     */
    public void applyInPlace(Iterable<WeightSlot> slots, Map<String, INDArray> table) {
        CodeRange from = weights(before);
        CodeRange to = weights(after);
        for (WeightSlot slot : slots) {
            INDArray scales = table.get(slot.scaleKey());
            if (scales != null && from != null && to != null) {
                convert(scales, from, to);
            }
        }
        for (TensorRole role : TensorRole.values()) {
            convert(role, table.get(role.scaleKey()), table.get(role.zeroKey()));
        }
    }

    private @Nullable CodeRange weights(LayerQuantizers quantizers) {
        TensorScheme scheme = quantizers.weights();
        TensorScheme standing =
                scheme != null && scheme.format() instanceof IntFormat
                        ? scheme
                        : prepared.weights();
        return standing != null && standing.format() instanceof IntFormat format
                ? CodeRange.narrow(format.bits())
                : null;
    }

    private @Nullable CodeRange activation(TensorRole role, LayerQuantizers quantizers) {
        ActivationScheme scheme = quantizers.scheme(role);
        ActivationScheme standing =
                scheme != null && scheme.isInteger() ? scheme : prepared.scheme(role);
        return standing != null && standing.isInteger() ? standing.range() : null;
    }

    private static void convert(INDArray scales, CodeRange from, CodeRange to) {
        if (from.equals(to)) {
            return;
        }
        float[] values = RowMajor.floats(scales);
        for (int i = 0; i < values.length; i++) {
            values[i] = scale(values[i], from, to);
        }
        RowMajor.copyInto(values, scales);
    }

    private void convert(TensorRole role, @Nullable INDArray scale, @Nullable INDArray zero) {
        CodeRange from = activation(role, before);
        CodeRange to = activation(role, after);
        if (scale == null || from == null || to == null || from.equals(to)) {
            return;
        }
        if (zero == null) {
            convert(scale, from, to);
            return;
        }
        double ratio = (double) (from.max() - from.min()) / (to.max() - to.min());
        double code = to.min() + (zero.getDouble(0) - from.min()) / ratio;
        // Not rounded: a zero point may learn, and is rounded wherever it is read.
        zero.assign((float) Math.min(Math.max(code, to.min()), to.max()));
        scale.assign((float) (scale.getFloat(0) * ratio));
    }
}
