// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.List;
import java.util.Random;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Draws a product whose scales are found at run time, from codes to codes. */
final class DynamicNodes {

    static final String KIND = "DynamicDense";

    private static final int MAX_OUTPUTS = 9;

    private DynamicNodes() {}

    /**
     * {@return three nodes in a row: values of codes, the product, codes of its values}
     *
     * @param nodes draws parts of nodes
     * @param random draws numbers
     * @param name the last node's name
     * @param input the codes that are read
     * @param type their type
     */
    static List<IntNode> draw(
            RandomNodes nodes, Random random, String name, String input, TensorType type) {
        int axis = random.nextInt(type.shape().rank());
        int in = type.shape().size(axis);
        WeightTensor drawn = nodes.weights(Shape.of(1 + random.nextInt(MAX_OUTPUTS), in));
        int out = drawn.channels();
        WeightTensor weights =
                WeightTensor.of(
                        drawn.shape(), drawn.range(), drawn.codes(), drawn.scales(), new int[out]);
        QuantParams codes = type.codes();
        float largest = codes.scale() * (codes.range().max() - codes.range().min());
        float reach = largest * weights.range().max() * (float) Math.sqrt(in) / 2;
        float most = 0;
        float[] bias = new float[out];
        for (int channel = 0; channel < out; channel++) {
            most = Math.max(most, weights.scale(channel) * reach);
            bias[channel] = (float) random.nextGaussian() * weights.scale(channel) * reach / 8;
        }
        RuntimeScale scale = random.nextInt(3) == 0 ? RuntimeScale.PER_BATCH : RuntimeScale.PER_ROW;
        QuantParams like = nodes.params(1);
        float unit = most / (like.range().max() - like.range().min() + 1);
        return List.of(
                new Dequantize(name + "/values", input),
                new DynamicDense(
                        name + "/product",
                        name + "/values",
                        axis,
                        weights,
                        FloatBias.of(bias),
                        scale),
                new Quantize(
                        name,
                        name + "/product",
                        new QuantParams(unit, like.zeroPoint(), like.range())));
    }
}
