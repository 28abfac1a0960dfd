// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.scheme.Granularity;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One weight of a layer and the scales that belong to it.
 *
 * @param key the weight's parameter name
 * @param scaleKey the scales' parameter name
 * @param channels which of the weight's axes number its scales
 * @param scales how many scales there are
 * @param layout which of the weight's dimensions number outputs and inputs
 * @param groups how its inputs are split into groups; null if they are not
 */
public record WeightSlot(
        String key,
        String scaleKey,
        Channels channels,
        int scales,
        WeightLayout layout,
        @Nullable InputGroups groups) {

    /** Checks that the parts are there. */
    public WeightSlot {
        Objects.requireNonNull(channels, "channels");
        Objects.requireNonNull(layout, "layout");
    }

    /**
     * {@return the scales that a weight needs}
     *
     * @param layer the layer's configuration, without its quantizers
     * @param key the weight's parameter name
     * @param layout which of the weight's dimensions number outputs and inputs
     * @param weight an array of the weight's shape and order, as the parameter table has it; its
     *     values are not read
     * @param granularity which parts of the weight share a scale
     * @throws IllegalArgumentException if its inputs cannot be grouped as asked; the message names
     *     layer and weight
     */
    public static WeightSlot of(
            Layer layer,
            String key,
            WeightLayout layout,
            INDArray weight,
            Granularity granularity) {
        Require.given(layer, "layer");
        Require.given(layout, "layout");
        Require.given(granularity, "granularity");
        // DL4J splits names at the last underscore.
        String scaleKey = TensorRole.SCALE + Require.given(key, "key").replace("_", "");
        INDArray arranged = layout.arranged(weight);
        Channels channels =
                granularity == Granularity.PER_TENSOR ? Channels.NONE : layout.outputs();
        InputGroups groups = null;
        if (granularity instanceof Granularity.PerGroup perGroup) {
            groups = InputGroups.of(layer, key, layout, arranged, perGroup.size());
            channels = groups.channels(channels);
            arranged = groups.split(arranged);
        }
        int scales = channels.count(arranged.shape());
        return new WeightSlot(key, scaleKey, channels, scales, layout, groups);
    }

    /**
     * {@return the weight with the dimensions that {@link #channels} numbers: itself, or a view}
     *
     * @param weight the weight, its rounded image or its gradient, as the parameter table has it
     */
    public INDArray arranged(INDArray weight) {
        INDArray arranged = layout.arranged(weight);
        return groups == null ? arranged : groups.split(arranged);
    }
}
