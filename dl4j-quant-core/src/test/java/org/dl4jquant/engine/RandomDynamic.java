// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.FloatBias;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.RuntimeScale;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Random chains of products whose scales are found at run time, with static ones among them. */
public final class RandomDynamic {

    private final Random random;
    private final List<IntNode> nodes = new ArrayList<>();
    private final Shape input;
    private final IntGraph graph;

    private RandomDynamic(long seed) {
        this.random = new Random(seed);
        int rank = 1 + random.nextInt(3);
        List<Integer> sizes = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            sizes.add(1 + random.nextInt(rank == 1 ? 70 : 7));
        }
        this.input = new Shape(sizes);
        nodes.add(new Input("x", input));
        Shape shape = input;
        String last = "x";
        int products = 1 + random.nextInt(3);
        for (int i = 0; i < products; i++) {
            shape = product("d" + i, last, shape);
            last = "d" + i;
            last = between(last, shape);
            if (shape.rank() > 1 && random.nextInt(3) == 0) {
                nodes.add(new Reshape("flat" + i, last, Shape.of(shape.elements())));
                shape = Shape.of(shape.elements());
                last = "flat" + i;
            }
        }
        this.graph = IntGraph.of(nodes, List.of(last));
    }

    /** {@return the chain of a seed} */
    public static RandomDynamic of(long seed) {
        return new RandomDynamic(seed);
    }

    /** {@return the graph} */
    public IntGraph graph() {
        return graph;
    }

    private Shape product(String name, String from, Shape shape) {
        int axis = random.nextInt(shape.rank());
        int in = shape.size(axis);
        int out = 1 + random.nextInt(9);
        RuntimeScale scale = random.nextInt(3) == 0 ? RuntimeScale.PER_BATCH : RuntimeScale.PER_ROW;
        float[] bias = new float[out];
        for (int i = 0; i < out; i++) {
            bias[i] = random.nextInt(4) == 0 ? 0 : (float) random.nextGaussian();
        }
        nodes.add(new DynamicDense(name, from, axis, weights(out, in), FloatBias.of(bias), scale));
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        sizes.set(axis, out);
        return new Shape(sizes);
    }

    private WeightTensor weights(int out, int in) {
        int bits = random.nextBoolean() ? 8 : 2 + random.nextInt(7);
        CodeRange range = CodeRange.narrow(bits);
        byte[] codes = new byte[out * in];
        float[] scales = new float[out];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(2 * range.max() + 1) - range.max());
        }
        for (int i = 0; i < out; i++) {
            scales[i] = (float) Math.exp(-4 * random.nextDouble());
        }
        return WeightTensor.of(Shape.of(out, in), range, codes, scales, new int[out]);
    }

    private String between(String last, Shape shape) {
        QuantParams codes =
                new QuantParams(
                        0.05f,
                        random.nextInt(3) - 1,
                        CodeRange.signed(random.nextBoolean() ? 8 : 5));
        switch (random.nextInt(5)) {
            case 0 -> {
                nodes.add(new Rectify(last + "r", last, new RandomNodes(random).rectifier()));
                return last + "r";
            }
            case 1 -> {
                nodes.add(new Quantize(last + "q", last, codes));
                nodes.add(new Dequantize(last + "v", last + "q"));
                return last + "v";
            }
            case 2 -> {
                if (shape.rank() > 1) {
                    return last;
                }
                nodes.add(new Quantize(last + "q", last, codes));
                nodes.add(
                        new Dense(
                                last + "s",
                                last + "q",
                                weights(shape.size(0), shape.size(0)),
                                random.nextBoolean()
                                        ? new Output.Floats()
                                        : Output.Codes.of(codes)));
                if (((Dense) nodes.get(nodes.size() - 1)).output() instanceof Output.Floats) {
                    return last + "s";
                }
                nodes.add(new Dequantize(last + "v", last + "s"));
                return last + "v";
            }
            default -> {
                return last;
            }
        }
    }

    /**
     * {@return a batch of values of many magnitudes}
     *
     * @param size how many examples
     */
    public Map<String, Batch.Floats> inputs(int size) {
        float[] values = new float[size * input.elements()];
        int kind = random.nextInt(5);
        for (int i = 0; i < values.length; i++) {
            float value = (float) random.nextGaussian();
            values[i] =
                    switch (kind) {
                        case 0 -> Math.round(4 * value) / 4f;
                        case 1 -> value * (float) Math.exp(10 * random.nextGaussian());
                        case 2 -> random.nextInt(3) == 0 ? value : 0;
                        case 3 -> Math.abs(value);
                        default -> value;
                    };
        }
        if (random.nextInt(4) == 0) {
            // The first example is 0 everywhere.
            java.util.Arrays.fill(values, 0, input.elements(), 0);
        }
        return Map.of("x", Batch.Floats.of(size, input, values));
    }
}
