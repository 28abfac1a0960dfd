// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.MoveByMask;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * Random graphs of one or two recurrent layers.
 *
 * @param graph the graph
 * @param seed of the inputs
 */
public record RandomSequences(IntGraph graph, long seed) {

    private static final String MASK = "x.mask";
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
        Optional<String> mask = random.nextBoolean() ? Optional.of(MASK) : Optional.empty();
        mask.ifPresent(name -> all.add(new Input(name, Shape.of(shape.size(1)))));
        Quantize codes = new Quantize("q", "x", nodes.params(nodes.scale()));
        all.add(codes);
        TensorType type = new TensorType(shape, codes.params());
        var first =
                new RandomRecurrent(random, nodes)
                        .node("first", Recurrent.Reads.of("q", mask), type);
        all.add(first);
        if (random.nextBoolean()) {
            TensorType next =
                    new TensorType(Shape.of(first.units(), shape.size(1)), first.params());
            all.add(
                    new RandomRecurrent(random, nodes)
                            .node("second", Recurrent.Reads.of("first", mask), next));
        }
        if (random.nextInt(3) == 0) {
            addAttention(nodes, all, mask);
        }
        if (mask.isPresent()) {
            String last = all.get(all.size() - 1).name();
            MoveByMask.Choice[] choices = MoveByMask.Choice.values();
            MoveByMask.Choice choice = choices[random.nextInt(choices.length)];
            all.add(new MoveByMask("chosen", last, MASK, choice));
        }
        List<String> outputs = new ArrayList<>(List.of(all.get(all.size() - 1).name()));
        if (first.cell().remembers() && random.nextInt(3) == 0) {
            all.add(new RecurrentMemory("memory", first));
            outputs.add("memory");
        }
        return new RandomSequences(IntGraph.of(all, outputs), seed);
    }

    /* Of the last sequence to itself. */
    private static void addAttention(RandomNodes nodes, List<IntNode> all, Optional<String> mask) {
        IntNode last = all.get(all.size() - 1);
        TensorType type = IntGraph.of(all, List.of(last.name())).type(last.name());
        QuantParams weights = nodes.params(nodes.near(1f / 256));
        all.add(Move.of("turned", last.name(), IndexMap.permute(type.shape(), List.of(1, 0))));
        all.add(new AttentionWeights("weights", "turned", last.name(), weights, mask));
        int steps = type.shape().size(1);
        IndexMap exchange = IndexMap.permute(Shape.of(steps, steps), List.of(1, 0));
        all.add(Move.of("columns", "weights", exchange));
        Output.Codes codes = nodes.bounded(nodes.params(nodes.near(type.codes().scale())));
        all.add(new MatMul("attended", last.name(), "columns", codes));
    }

    /**
     * {@return inputs, most of them inside the codes' range}
     *
     * @param examples how many
     */
    public Map<String, Batch.Floats> inputs(int examples) {
        Random random = new Random(seed + 1);
        Input input = graph.inputs().get(0);
        Quantize quantize =
                (Quantize)
                        graph.nodes().stream()
                                .filter(Quantize.class::isInstance)
                                .findFirst()
                                .orElseThrow();
        float[] values = new float[examples * input.shape().elements()];
        int codes = quantize.params().range().max() - quantize.params().range().min() + 9;
        for (int i = 0; i < values.length; i++) {
            int code = quantize.params().range().min() - 4 + random.nextInt(codes);
            values[i] = (code - quantize.params().zeroPoint()) * quantize.params().scale();
        }
        Batch.Floats x = Batch.Floats.of(examples, input.shape(), values);
        return graph.masks().isEmpty()
                ? Map.of("x", x)
                : Map.of("x", x, MASK, mask(random, examples, input.shape().size(1)));
    }

    /* Of each example's steps one counts, at least, for the maximum of no steps is refused. */
    private static Batch.Floats mask(Random random, int examples, int steps) {
        float[] mask = new float[examples * steps];
        for (int example = 0; example < examples; example++) {
            for (int t = 0; t < steps; t++) {
                mask[example * steps + t] = random.nextInt(2);
            }
            mask[example * steps + random.nextInt(steps)] = 1;
        }
        return Batch.Floats.of(examples, Shape.of(steps), mask);
    }
}
