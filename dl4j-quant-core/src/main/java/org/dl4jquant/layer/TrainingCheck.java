// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer;

import java.util.Arrays;
import java.util.Map;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.nd.NonFinite;
import org.dl4jquant.nd.RowMajor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stops a training in the iteration in which a number of it is NaN or infinite, before the updater
 * changes anything, and says which: a feature, a label, a parameter or a gradient.
 *
 * <p>An infinite feature is no fault where the layer rounds its input: it saturates there.
 */
final class TrainingCheck {

    /* What is searched in every iteration are the inputs that no quantized layer has made, all
     * parameters and all gradients: NaN cannot come from elsewhere. With finite features and
     * parameters, the values in between can only overflow. */

    /** The advice for a lost parameter. */
    static final String REMEDY =
            "training has diverged. Go back to the last good checkpoint, and lower the learning"
                    + " rate or clip the gradients";

    private final QuantizedRuntime layer;

    /**
     * Checks a layer.
     *
     * @param layer the layer, in its network
     */
    TrainingCheck(QuantizedRuntime layer) {
        this.layer = layer;
    }

    private static final int SEQUENCES_RANK = 3;

    private static final String UNCHANGED = "No parameter has been changed by this batch";

    /**
     * Requires that the layer's input holds no NaN, unless a mask hides steps of it, and that its
     * parameters are finite.
     *
     * @param x the input
     * @param parameters all of them in one view; null if there are none
     * @param mask of the input; null without one
     * @throws IllegalArgumentException if the input holds NaN
     * @throws IllegalStateException if a parameter is not finite; the message names it
     */
    void beforeForward(INDArray x, @Nullable INDArray parameters, @Nullable INDArray mask) {
        // What a mask hides may hold anything; if the layer reads it, its gradient is NaN.
        boolean hidden = mask != null && x.rank() > 2;
        if (layer.layerConf().quantizers().inputFrom() == null && !hidden) {
            requireNumbers(x, parameters);
        }
        if (parameters != null && NonFinite.first(parameters) >= 0) {
            throw new IllegalStateException(
                    String.format(
                            "%s: its parameter \"%s\" is NaN or infinite; %s",
                            place(), NonFinite.firstName(layer.paramTable()), REMEDY));
        }
    }

    /**
     * Requires that a mask of sequences has a number for each step of each example, 0 or 1. Those
     * of losses may be weights.
     *
     * @param x the input
     * @param mask of the features, as it arrives at the layer; null without one
     * @throws IllegalArgumentException if the mask does not fit
     */
    void requireMask(INDArray x, @Nullable INDArray mask) {
        if (mask == null
                || x.rank() != SEQUENCES_RANK
                || mask.rank() != 2
                || layer.getUnderlying() instanceof IOutputLayer) {
            return;
        }
        long steps =
                x.size(
                        SEQUENCES_RANK
                                - LayerKinds.of(layer.layerConf().getUnderlying()).channelAxis());
        Require.argument(
                mask.size(0) == x.size(0) && mask.size(1) == steps,
                "%s: the mask of the features has the shape %s, and its input has %d examples of %d"
                        + " steps; a mask has a number for each step. %s",
                place(),
                Arrays.toString(mask.shape()),
                x.size(0),
                steps,
                UNCHANGED);
        float[] values = RowMajor.floats(mask);
        for (int i = 0; i < values.length; i++) {
            Require.argument(
                    values[i] == 0 || values[i] == 1,
                    "%s: the mask of the features is %s in example %d at step %d; it is 1 where a"
                            + " step counts and 0 where not. %s",
                    place(),
                    values[i],
                    i / steps,
                    i % steps,
                    UNCHANGED);
        }
    }

    private void requireNumbers(INDArray x, @Nullable INDArray parameters) {
        long at = NonFinite.firstNan(x);
        if (at >= 0) {
            requireFiniteNetwork(parameters);
        }
        // In a ComputationGraph the index is that of the vertex, and the network's inputs are
        // first.
        boolean first = layer.getUnderlying().getIndex() == 0;
        Require.argument(
                at < 0,
                "%s: %s holds NaN, first in %s. Clean the data, or leave the example out. %s",
                place(),
                first
                        ? "the input of this batch"
                        : "the input of this batch, or what layers in float make of it,",
                at < 0 ? "" : elementOf(x, at),
                UNCHANGED);
    }

    /* What stays in float is not checked before it computes: neither a layer nor a vertex knows of
     * this library. Only the place of its parameter in the network's flat array is known here. */
    private void requireFiniteNetwork(@Nullable INDArray parameters) {
        long lost = parameters == null ? -1 : NonFinite.firstInBuffer(parameters);
        if (lost >= 0) {
            throw new IllegalStateException(
                    String.format(
                            "%s: its input holds NaN, because number %d of the network's params()"
                                    + " is NaN or infinite; %s",
                            place(), lost, REMEDY));
        }
    }

    /**
     * Requires that the layer's gradients are finite, and else says what makes them NaN.
     *
     * @param x the layer's input
     * @param all the gradients in one view; null if there are none
     * @param table the same by parameter
     * @throws IllegalArgumentException if the input or the labels are not finite
     * @throws IllegalStateException if only gradients are not; the message names one
     */
    void afterBackward(INDArray x, @Nullable INDArray all, Map<String, INDArray> table) {
        // Infinite gradients may be clipped to finite ones.
        boolean clipped =
                layer.layerConf().getGradientNormalization()
                        == GradientNormalization.ClipElementWiseAbsoluteValue;
        if (all == null || (clipped ? NonFinite.firstNan(all) : NonFinite.first(all)) < 0) {
            return;
        }
        requireFinite("input of this batch, or what layers before this one make of it,", x);
        INDArray labels =
                layer.getUnderlying() instanceof IOutputLayer output ? output.getLabels() : null;
        if (labels != null) {
            requireFinite("labels of this batch", labels);
        }
        throw new IllegalStateException(
                String.format(
                        "%s: the gradient of its parameter \"%s\" is NaN or infinite, although its"
                                + " parameters and its input are finite%s %s. %s",
                        place(),
                        NonFinite.firstName(table),
                        labels == null ? "; if the labels are, too," : ", and so are the labels:",
                        REMEDY,
                        UNCHANGED));
    }

    private void requireFinite(String what, INDArray values) {
        long at = NonFinite.first(values);
        Require.argument(
                at < 0,
                "%s: the %s holds NaN or infinity, first in %s. Clean the data, or leave the"
                        + " example out. %s",
                place(),
                what,
                at < 0 ? "" : elementOf(values, at),
                UNCHANGED);
    }

    private String place() {
        return String.format(
                "layer \"%s\", epoch %d, iteration %d",
                layer.name(), layer.getEpochCount(), layer.getIterationCount());
    }

    private static String elementOf(INDArray values, long at) {
        long length = values.length() / values.size(0);
        return "example "
                + at / length
                + " at index "
                + at % length
                + " of "
                + Arrays.toString(Arrays.copyOfRange(values.shape(), 1, values.rank()));
    }
}
