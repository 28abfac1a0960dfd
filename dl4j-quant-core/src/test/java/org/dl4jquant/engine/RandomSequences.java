// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.Shape;

/**
 * Random graphs of one or two recurrent layers.
 *
 * @param graph the graph
 * @param seed of the inputs
 */
public record RandomSequences(IntGraph graph, long seed) {

    private static final int MOST_INPUTS = 9;
    private static final int MOST_STEPS = 24;

    /**
     * {@return a graph}
     *
     * @param seed one graph for each
     */
    public static RandomSequences of(long seed) {
        Random random = new Random(seed);
        RandomNodes nodes = new RandomNodes(random);
        Shape shape = Shape.of(1 + random.nextInt(MOST_INPUTS), 1 + random.nextInt(MOST_STEPS));
        List<IntNode> all = new ArrayList<>();
        all.add(new Input("x", shape));
        Quantize codes = new Quantize("q", "x", nodes.params(nodes.scale()));
        all.add(codes);
        TensorType type = new TensorType(shape, codes.params());
        var first = new RandomRecurrent(random, nodes).node("first", "q", type);
        all.add(first);
        if (random.nextBoolean()) {
            TensorType next =
                    new TensorType(Shape.of(first.units(), shape.size(1)), first.params());
            all.add(new RandomRecurrent(random, nodes).node("second", "first", next));
        }
        return new RandomSequences(IntGraph.of(all, List.of(all.get(all.size() - 1).name())), seed);
    }

    /**
     * {@return inputs, most of them inside the codes' range}
     *
     * @param examples how many
     */
    public Map<String, Batch.Floats> inputs(int examples) {
        Random random = new Random(seed + 1);
        Input input = graph.inputs().get(0);
        Quantize quantize = (Quantize) graph.nodes().get(1);
        float[] values = new float[examples * input.shape().elements()];
        int codes = quantize.params().range().max() - quantize.params().range().min() + 9;
        for (int i = 0; i < values.length; i++) {
            int code = quantize.params().range().min() - 4 + random.nextInt(codes);
            values[i] = (code - quantize.params().zeroPoint()) * quantize.params().scale();
        }
        return Map.of("x", Batch.Floats.of(examples, input.shape(), values));
    }
}
