// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Splits a weight's input dimension into groups, by a view.
 *
 * @param axis the input dimension
 * @param size how many inputs make a group; a divisor of the dimension
 * @param count how many groups that makes
 * @param order how the weight lies in memory, 'c' or 'f': only then is the split a view
 */
public record InputGroups(int axis, int size, int count, char order) {

    /**
     * {@return the groups of a weight}
     *
     * @param layer the layer
     * @param key the weight's parameter name
     * @param layout which of the weight's dimensions number outputs and inputs
     * @param weight the weight, arranged as its channels are numbered
     * @param size how many inputs make a group
     * @throws IllegalArgumentException if the weight has no inputs to be grouped, or the size does
     *     not divide them; the message names layer and weight
     */
    static InputGroups of(Layer layer, String key, WeightLayout layout, INDArray weight, int size) {
        int axis = layout.inputs();
        Require.argument(
                axis != WeightLayout.NONE,
                "layer '%s': weight %s of a %s has no dimension of inputs that could be grouped; give"
                        + " this layer Granularity.PER_CHANNEL",
                layer.getLayerName(),
                key,
                layer.getClass().getSimpleName());
        long inputs = weight.size(axis);
        Require.argument(
                inputs % size == 0,
                "layer '%s': weight %s has %d inputs, which groups of %d do not divide; give this layer"
                        + " a group size that does, or Granularity.PER_CHANNEL",
                layer.getLayerName(),
                key,
                inputs,
                size);
        return new InputGroups(axis, size, (int) (inputs / size), weight.ordering());
    }

    /**
     * {@return a view of a weight in which two dimensions stand for the inputs}
     *
     * @param weight the weight, its rounded image or its gradient
     */
    public INDArray split(INDArray weight) {
        long[] shape = new long[weight.rank() + 1];
        for (int i = 0, to = 0; i < weight.rank(); i++) {
            if (i == axis) {
                shape[groupAxis()] = weight.size(i) / size;
                shape[2 * axis + 1 - groupAxis()] = size;
                to += 2;
            } else {
                shape[to++] = weight.size(i);
            }
        }
        return weight.reshape(order, true, shape);
    }

    /**
     * {@return one channel for each output channel and group, in the dimensions after the split}
     *
     * @param outputs the output channels, in the dimensions before it
     */
    public Channels channels(Channels outputs) {
        int[] axes = new int[outputs.axes().size() + 1];
        for (int i = 0; i < axes.length - 1; i++) {
            int before = outputs.axes().get(i);
            axes[i] = before < axis ? before : before + 1;
        }
        axes[axes.length - 1] = groupAxis();
        return Channels.merged(axes);
    }

    /* The inputs of a group are neighbours: they vary first, which in 'c' order is the later of the
     * two dimensions. */
    private int groupAxis() {
        return order == 'f' ? axis + 1 : axis;
    }
}
