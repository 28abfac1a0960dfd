// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Graphs of the patterns that plans join to one kernel; one seed always gives the same graph. */
final class RandomPatterns {

    private static final float SCALE = 0.05f;
    private static final int[] CHANNELS = {1, 3, 4, 8, 16, 20};
    private static final int[] FILTERS = {5, 16, 17, 32, 48, 70};

    private final IntGraph.Builder graph = IntGraph.builder();
    private final List<String> outputs = new ArrayList<>();
    private final Random random;
    private int count;

    private RandomPatterns(long seed) {
        this.random = new Random(seed);
    }

    /** {@return layers that read the same, and what reads them} */
    static IntGraph siblings(long seed) {
        RandomPatterns patterns = new RandomPatterns(seed);
        patterns.input();
        patterns.addSiblings();
        return patterns.graph.build(patterns.outputs);
    }

    /** {@return a convolution, a max pool that alone reads it, and what reads that} */
    static IntGraph pooled(long seed) {
        RandomPatterns patterns = new RandomPatterns(seed);
        patterns.input();
        Random random = patterns.random;
        int stride = 1 + random.nextInt(2);
        String convolved =
                patterns.convolution(
                        "q",
                        patterns.one(FILTERS),
                        patterns.window(5, stride),
                        random.nextInt(3) == 0 ? 4 : 8,
                        patterns.codes());
        Window window = patterns.window(3, 1 + random.nextInt(2));
        String pool = patterns.add(new MaxPool(patterns.next(), convolved, window));
        if (random.nextInt(3) == 0) {
            QuantParams params = patterns.graph.type(pool).codes();
            String other =
                    patterns.convolution(
                            pool, 32, Window.of(Extent.ONE, Extent.ONE), 8, patterns.codes());
            patterns.outputs.add(
                    patterns.add(new Concat(patterns.next(), List.of(pool, other), params)));
        } else {
            patterns.read(pool, true);
        }
        return patterns.graph.build(patterns.outputs);
    }

    /**
     * {@return two layers that read the same, whose codes have other zero points and bounds}
     *
     * @param packs whether the zero points are such that newer GPUs round and pack at once
     */
    static IntGraph twoKinds(boolean packs) {
        RandomPatterns patterns = new RandomPatterns(7);
        IntGraph.Builder graph = patterns.graph;
        graph.add(new Input("x", Shape.of(20, 7, 6)));
        graph.add(new Quantize("q", "x", new QuantParams(SCALE, 9, CodeRange.signed(8))));
        QuantParams relu = new QuantParams(1, 0, CodeRange.unsigned(8));
        QuantParams other = new QuantParams(1, packs ? 0 : -7, CodeRange.signed(8));
        Window point = Window.of(Extent.ONE, Extent.ONE);
        List<String> results = new ArrayList<>();
        results.add(patterns.convolution("q", 24, point, 8, Output.Codes.of(relu)));
        Output.Codes bounded = new Output.Codes(other, new CodeRange(-40, 30));
        results.add(patterns.convolution("q", 40, point, 8, bounded));
        return graph.build(results);
    }

    /** {@return inputs of a graph from here} */
    static Map<String, Batch.Floats> inputs(IntGraph graph, int examples) {
        Shape shape = graph.inputs().get(0).shape();
        Random random = new Random(shape.elements());
        float[] values = new float[examples * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 3;
        }
        return Map.of("x", Batch.Floats.of(examples, shape, values));
    }

    private void input() {
        Shape shape = Shape.of(one(CHANNELS), 5 + random.nextInt(8), 5 + random.nextInt(8));
        graph.add(new Input("x", shape));
        graph.add(new Quantize("q", "x", params()));
    }

    private void addSiblings() {
        boolean dense = random.nextInt(4) == 0;
        String from = "q";
        if (dense) {
            from = "flat";
            graph.add(new Reshape("flat", "q", Shape.of(shape("q").elements())));
        }
        Window window = window(3, 1 + random.nextInt(2));
        int bits = random.nextInt(3) == 0 ? 4 : 8;
        int siblings = 2 + random.nextInt(3);
        List<Output.Codes> kinds = List.of(codes(), codes(), codes());
        for (int i = 0; i < siblings; i++) {
            Output.Codes codes = kinds.get(random.nextInt(random.nextInt(3) + 1));
            int filters = one(FILTERS);
            String name =
                    dense
                            ? dense(from, filters, bits, codes)
                            : convolution(from, filters, window, bits, codes);
            read(name, !dense);
        }
    }

    /* Something that reads a result, where it may be a slice. */
    private void read(String name, boolean image) {
        QuantParams params = graph.type(name).codes();
        switch (random.nextInt(image ? 7 : 3)) {
            case 0 -> outputs.add(name);
            case 1 -> outputs.add(add(new Dequantize(next(), name)));
            case 2 ->
                    outputs.add(
                            add(
                                    new Add(
                                            next(),
                                            name,
                                            name,
                                            Output.Codes.of(scaled(params, 2 * params.scale())))));
            case 3 ->
                    outputs.add(
                            convolution(
                                    name,
                                    one(FILTERS),
                                    Window.of(Extent.ONE, Extent.ONE),
                                    8,
                                    codes()));
            case 4 ->
                    outputs.add(add(new MaxPool(next(), name, Window.of(Extent.ONE, Extent.ONE))));
            case 5 -> outputs.add(add(new GlobalAveragePool(next(), name, params)));
            default -> outputs.add(add(new Concat(next(), List.of(name, name), scaled(params, 1))));
        }
    }

    private String convolution(
            String input, int filters, Window window, int bits, Output.Codes output) {
        Shape shape =
                Shape.of(
                        filters,
                        shape(input).size(0),
                        window.kernel().height(),
                        window.kernel().width());
        WeightTensor weights = weights(shape, bits);
        return add(
                new Convolution(next(), input, weights, window, 1, spread(input, weights, output)));
    }

    private String dense(String input, int filters, int bits, Output.Codes output) {
        WeightTensor weights = weights(Shape.of(filters, shape(input).elements()), bits);
        return add(new Dense(next(), input, weights, spread(input, weights, output)));
    }

    /* A scale with which the codes spread over their range. */
    private Output.Codes spread(String input, WeightTensor weights, Output.Codes output) {
        double code = 70 * Math.sqrt(weights.weightsPerChannel()) * weights.range().max() / 2;
        float scale = (float) (graph.type(input).codes().scale() * SCALE * code / 40);
        return new Output.Codes(
                scaled(output.params(), scale * (0.5f + random.nextFloat())), output.bounds());
    }

    private WeightTensor weights(Shape shape, int bits) {
        CodeRange range = CodeRange.narrow(bits);
        byte[] codes = new byte[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (range.min() + random.nextInt(range.max() - range.min() + 1));
        }
        float[] scales = new float[shape.size(0)];
        int[] bias = new int[shape.size(0)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = SCALE * (0.5f + random.nextFloat());
            bias[i] = random.nextInt(2000) - 1000;
        }
        return WeightTensor.of(shape, range, codes, scales, bias);
    }

    private Window window(int largest, int stride) {
        Extent kernel = new Extent(1 + random.nextInt(largest), 1 + random.nextInt(largest));
        Extent before = new Extent(random.nextInt(kernel.height()), random.nextInt(kernel.width()));
        Extent after = new Extent(random.nextInt(kernel.height()), random.nextInt(kernel.width()));
        return new Window(kernel, Extent.square(stride), Extent.ONE, before, after);
    }

    private Output.Codes codes() {
        QuantParams params = params();
        int least = params.range().min() + random.nextInt(3) * 20;
        int most = params.range().max() - random.nextInt(2) * 30;
        return new Output.Codes(params, new CodeRange(least, most));
    }

    private QuantParams params() {
        CodeRange range = random.nextBoolean() ? CodeRange.unsigned(8) : CodeRange.signed(8);
        int zero = random.nextBoolean() ? 0 : range.min() + random.nextInt(256);
        return new QuantParams(SCALE, zero, range);
    }

    private static QuantParams scaled(QuantParams params, float scale) {
        return new QuantParams(scale, params.zeroPoint(), params.range());
    }

    private Shape shape(String name) {
        return graph.type(name).shape();
    }

    private int one(int[] of) {
        return of[random.nextInt(of.length)];
    }

    private String add(IntNode node) {
        graph.add(node);
        return node.name();
    }

    private String next() {
        return "n" + count++;
    }
}
