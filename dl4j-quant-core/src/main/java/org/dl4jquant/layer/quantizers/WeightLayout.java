// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.layer.quantizers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Channels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The order in which a weight lies in memory: which of its dimensions number the layer's output
 * channels, and which one the inputs of an output channel. DL4J has no word for either, and an
 * order for each kind of layer.
 *
 * @param outputs the dimensions that number the output channels, the slowest first; {@link
 *     Channels#NONE} if the layout is not known
 * @param inputs the dimension that numbers the inputs; {@link #NONE} if there is none
 * @param reversed whether the layer reads the weight's memory with its dimensions in reverse; then
 *     the numbers above are those of the reversed weight
 */
public record WeightLayout(Channels outputs, int inputs, boolean reversed) {

    /** No dimension. */
    public static final int NONE = -1;

    /** A layout that is not known: the weight has one scale. */
    public static final WeightLayout UNKNOWN = new WeightLayout(Channels.NONE, NONE, false);

    /** A matrix [in, out]. */
    public static final WeightLayout MATRIX = of(1, 0);

    /**
     * Checks the dimensions.
     *
     * @throws IllegalArgumentException if a dimension numbers both
     */
    public WeightLayout {
        Require.given(outputs, "outputs");
        Require.argument(
                inputs == NONE || !outputs.axes().contains(inputs),
                "dimension %d of a weight numbers its inputs and its outputs",
                inputs);
    }

    /**
     * Returns a layout.
     *
     * @param outputs the dimension of output channels
     * @param inputs the dimension of inputs
     * @return the layout
     */
    public static WeightLayout of(int outputs, int inputs) {
        return new WeightLayout(Channels.axis(outputs), inputs, false);
    }

    /**
     * Returns the layout of a weight of rank 3 that the layer reads in reverse.
     *
     * @param outputs the dimension of output channels, in reverse
     * @param inputs the dimension of inputs, in reverse
     * @return the layout
     */
    public static WeightLayout reversed(int outputs, int inputs) {
        return new WeightLayout(Channels.axis(outputs), inputs, true);
    }

    /**
     * Returns the layout of a weight that has one input for each output channel.
     *
     * @param outputs the dimensions that together number the output channels, the slowest first
     * @return the layout
     */
    public static WeightLayout withoutInputs(int... outputs) {
        return new WeightLayout(Channels.merged(outputs), NONE, false);
    }

    /**
     * Returns a weight with the dimensions that this layout numbers.
     *
     * @param weight the weight, its rounded image or its gradient, as the parameter table has it
     * @return the array itself, or a view of it
     */
    public INDArray arranged(INDArray weight) {
        Require.given(weight, "weight");
        return reversed
                ? weight.reshape('c', weight.size(2), weight.size(1), weight.size(0))
                : weight;
    }

    /**
     * Returns a weight as a matrix with one row for each output channel: its inputs, for each of
     * them the elements of the kernel.
     *
     * @param weight the weight as the parameter table has it
     * @return [outputs, inputs * kernel], a copy in 'c' order
     * @throws IllegalArgumentException if the layout is not known
     */
    public INDArray matrix(INDArray weight) {
        INDArray arranged = arranged(weight);
        Require.argument(
                !outputs.axes().isEmpty(),
                "the layout of a weight of shape %s is not known, so it is no matrix",
                Arrays.toString(weight.shape()));
        List<Integer> order = new ArrayList<>(outputs.axes());
        if (inputs != NONE) {
            order.add(inputs);
        }
        IntStream.range(0, arranged.rank())
                .filter(axis -> !order.contains(axis))
                .forEach(order::add);
        INDArray rows = arranged.permute(order.stream().mapToInt(Integer::intValue).toArray());
        long count = outputs.count(arranged.shape());
        return rows.dup('c').reshape('c', count, arranged.length() / count);
    }
}
