// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;

/**
 * A valid integer graph drawn at random, with inputs for it; one seed always gives the same graph.
 *
 * <p>All kinds of nodes occur, in chains and in branches that meet again; shapes reach from one
 * element to more than a vector register holds. Scales are drawn so that results neither all vanish
 * nor all saturate, some of them as powers of two, where ties are frequent.
 */
public final class RandomGraph {

    private static final int MAX_OPERATIONS = 9;

    /* Neighbouring seeds of java.util.Random begin alike; 2^64 divided by the golden ratio parts them. */
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private final IntGraph graph;
    private final long seed;

    private RandomGraph(IntGraph graph, long seed) {
        this.graph = graph;
        this.seed = seed;
    }

    /**
     * {@return the graph of a seed}
     *
     * @param seed any number
     */
    public static RandomGraph of(long seed) {
        return without(Set.of(), seed);
    }

    /**
     * {@return the graph of a seed in which some kinds of nodes do not occur}
     *
     * @param kinds the kinds, as {@link IntNode#kind} names them: any that came after the first
     *     version of random graphs
     * @param seed any number
     */
    public static RandomGraph without(Set<String> kinds, long seed) {
        return new RandomGraph(
                new Draw(
                                new Random(seed * SPREAD),
                                LaterNodes.without(kinds),
                                !kinds.contains(LaterNodes.LOOKUP),
                                !kinds.contains(DynamicNodes.KIND))
                        .graph(),
                seed);
    }

    /**
     * {@return the graph of a seed with the kinds of nodes of the first version only}
     *
     * @param seed any number
     */
    public static RandomGraph ofFirstVersion(long seed) {
        return new RandomGraph(
                new Draw(new Random(seed * SPREAD), List.of(), false, false).graph(), seed);
    }

    /** {@return the graph} */
    public IntGraph graph() {
        return graph;
    }

    /**
     * {@return one batch for each input: values of the whole range and a little beyond, some of
     * them half way between two codes}
     *
     * @param size how many examples
     */
    public Map<String, Batch.Floats> inputs(int size) {
        Random random = new Random(~seed * SPREAD);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : graph.inputs()) {
            Integer rows = graph.indexLimits().get(input.name());
            if (rows != null) {
                inputs.put(input.name(), indices(random, size, input.shape(), rows));
                continue;
            }
            QuantParams params = quantized(input.name());
            float[] values = new float[size * input.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = value(random, params);
            }
            inputs.put(input.name(), Batch.Floats.of(size, input.shape(), values));
        }
        return inputs;
    }

    private static Batch.Floats indices(Random random, int size, Shape shape, int rows) {
        float[] values = new float[size * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(rows);
        }
        return Batch.Floats.of(size, shape, values);
    }

    private static float value(Random random, QuantParams params) {
        int codes = params.range().max() - params.range().min();
        float code = params.range().min() + (random.nextFloat() * 1.1f - 0.05f) * codes;
        float tie = (float) Math.floor(code) + 0.5f;
        return ((random.nextInt(4) == 0 ? tie : code) - params.zeroPoint()) * params.scale();
    }

    /* An input is quantized directly, or after a reshape that has the input's name and "r". */
    private QuantParams quantized(String input) {
        return graph.nodes().stream()
                .filter(Quantize.class::isInstance)
                .map(Quantize.class::cast)
                .filter(node -> node.input().equals(input) || node.input().equals(input + "r"))
                .findFirst()
                .orElseThrow()
                .params();
    }

    /** Draws one graph. */
    private static final class Draw {

        private final Random random;
        private final List<LaterNodes.Drawer> later;
        private final boolean lookups;
        private final boolean dynamic;
        private final RandomNodes nodes;
        private final IntGraph.Builder builder = IntGraph.builder();
        private final List<String> codes = new ArrayList<>();
        private final List<String> outputs = new ArrayList<>();
        private int count;

        Draw(Random random, List<LaterNodes.Drawer> later, boolean lookups, boolean dynamic) {
            this.random = random;
            this.later = later;
            this.lookups = lookups;
            this.dynamic = dynamic;
            this.nodes = new RandomNodes(random);
        }

        IntGraph graph() {
            int inputs = 1 + random.nextInt(8) / 7;
            for (int i = 0; i < inputs; i++) {
                input(i);
            }
            if (lookups && random.nextInt(4) == 0) {
                lookup();
            }
            int operations = 1 + random.nextInt(MAX_OPERATIONS);
            for (int i = 0; i < operations; i++) {
                operation();
            }
            outputs.add(codes.get(codes.size() - 1));
            if (random.nextBoolean()) {
                floats();
            }
            String other = pick();
            if (!outputs.contains(other)) {
                outputs.add(other);
            }
            rectify();
            return builder.build(outputs, functions());
        }

        private void rectify() {
            for (String output : List.copyOf(outputs)) {
                if (!builder.type(output).isCodes() && random.nextBoolean()) {
                    String name = next("rectified");
                    builder.add(new Rectify(name, output, nodes.rectifier()));
                    if (random.nextBoolean()) {
                        outputs.remove(output);
                    }
                    if (random.nextBoolean()) {
                        Shape shape = builder.type(name).shape();
                        String reshaped = next("reshaped");
                        builder.add(new Reshape(reshaped, name, nodes.reshaped(shape)));
                        name = reshaped;
                    }
                    outputs.add(name);
                }
            }
        }

        private Map<String, List<OutputFunction>> functions() {
            Map<String, List<OutputFunction>> functions = new LinkedHashMap<>();
            for (String output : outputs) {
                TensorType type = builder.type(output);
                if (!type.isCodes() && random.nextBoolean()) {
                    functions.put(output, nodes.functions(type.shape()));
                }
            }
            return functions;
        }

        private void input(int i) {
            String name = "in" + i;
            Shape shape = nodes.inputShape();
            builder.add(new Input(name, shape));
            String values = name;
            if (random.nextInt(4) == 0) {
                values = name + "r";
                builder.add(new Reshape(values, name, nodes.reshaped(shape)));
            }
            add(new Quantize(next("q"), values, nodes.params(nodes.scale())));
        }

        private void lookup() {
            Shape shape = random.nextBoolean() ? Shape.of(1) : Shape.of(1 + random.nextInt(9));
            builder.add(new Input("indices", shape));
            add(nodes.lookup(next("rows"), "indices"));
        }

        private void operation() {
            String input = pick();
            TensorType type = builder.type(input);
            if (!later.isEmpty() && random.nextInt(4) == 0) {
                LaterNodes.Drawer drawer = later.get(random.nextInt(later.size()));
                if (drawer.fits().test(type)) {
                    String name = next(drawer.kind().toLowerCase(Locale.ROOT));
                    List<String> all = List.copyOf(codes);
                    add(
                            drawer.drawing()
                                    .draw(
                                            nodes,
                                            new LaterNodes.Place(
                                                    name, input, type, all, builder::type)));
                    return;
                }
            }
            if (dynamic && random.nextInt(12) == 0) {
                List<IntNode> product =
                        DynamicNodes.draw(nodes, random, next("dynamic"), input, type);
                product.subList(0, 2).forEach(builder::add);
                add(product.get(2));
                return;
            }
            boolean image = type.shape().isImage();
            switch (random.nextInt(image ? 12 : 5)) {
                case 0 -> reshape(input, type);
                case 1 -> add(nodes.table(next("table"), input, type.codes()));
                case 2 -> sum(input);
                case 3 -> concat(input);
                case 4, 5 -> {
                    if (image && random.nextBoolean()) {
                        add(nodes.globalAverage(next("gap"), input, type));
                    } else if (type.shape().rank() == 1) {
                        add(nodes.dense(next("dense"), input, type, false));
                    } else {
                        flatDense(input, type, false);
                    }
                }
                case 6 -> add(nodes.maxPool(next("max"), input, type.shape()));
                case 7 -> add(nodes.averagePool(next("mean"), input, type));
                default -> add(nodes.convolution(next("conv"), input, type, false));
            }
        }

        private void reshape(String input, TensorType type) {
            add(new Reshape(next("shape"), input, nodes.reshaped(type.shape())));
        }

        private void flatDense(String input, TensorType type, boolean floats) {
            String flat = next("flat");
            TensorType result =
                    builder.add(new Reshape(flat, input, Shape.of(type.shape().elements())));
            codes.add(flat);
            IntNode dense = nodes.dense(next("dense"), flat, result, floats);
            if (floats) {
                builder.add(dense);
                outputs.add(dense.name());
            } else {
                add(dense);
            }
        }

        private void sum(String left) {
            Shape shape = builder.type(left).shape();
            List<String> fitting =
                    codes.stream()
                            .filter(name -> builder.type(name).shape().equals(shape))
                            .toList();
            String right = fitting.get(random.nextInt(fitting.size()));
            if (right.equals(left) && random.nextInt(4) != 0) {
                right = next("branch");
                add(nodes.table(right, left, builder.type(left).codes()));
            }
            add(
                    nodes.sum(
                            next("sum"),
                            left,
                            builder.type(left).codes(),
                            right,
                            builder.type(right).codes()));
        }

        private void concat(String first) {
            Shape shape = builder.type(first).shape();
            List<String> parts = new ArrayList<>(List.of(first));
            for (String name : codes) {
                Shape other = builder.type(name).shape();
                if (other.dimensions()
                                .subList(1, other.rank())
                                .equals(shape.dimensions().subList(1, shape.rank()))
                        && parts.size() < 3
                        && random.nextBoolean()) {
                    parts.add(name);
                }
            }
            if (parts.size() == 1) {
                parts.add(first);
            }
            float scale = builder.type(parts.get(random.nextInt(parts.size()))).codes().scale();
            add(new Concat(next("concat"), parts, nodes.params(nodes.near(scale))));
        }

        private void floats() {
            String input = pick();
            TensorType type = builder.type(input);
            String result = next("float");
            switch (random.nextInt(3)) {
                case 0 -> builder.add(new Dequantize(result, input));
                case 1 -> {
                    if (type.shape().isImage()) {
                        builder.add(nodes.convolution(result, input, type, true));
                    } else {
                        builder.add(new Dequantize(result, input));
                    }
                }
                default -> {
                    flatDense(input, type, true);
                    return;
                }
            }
            outputs.add(result);
            if (random.nextBoolean()) {
                Shape shape = builder.type(result).shape();
                String reshaped = next("reshaped");
                builder.add(new Reshape(reshaped, result, nodes.reshaped(shape)));
                outputs.add(reshaped);
            }
        }

        private void add(IntNode node) {
            builder.add(node);
            codes.add(node.name());
        }

        /** One of the results so far, more often a late one. */
        private String pick() {
            int back = random.nextInt(random.nextInt(codes.size()) + 1);
            return codes.get(codes.size() - 1 - back);
        }

        private String next(String kind) {
            return kind + count++;
        }
    }
}
