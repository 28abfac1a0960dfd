// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Random chains of nodes in which tensors and weights have 8 or 16 bits. */
public final class WideNodes {

    private static final float INPUT_SCALE = 1f / 512;

    private final Random random;
    private final List<IntNode> nodes = new ArrayList<>();
    private final IntGraph.Builder builder = IntGraph.builder();

    private WideNodes(long seed) {
        this.random = new Random(seed);
    }

    /**
     * {@return a graph}
     *
     * @param seed any number
     */
    public static IntGraph graph(long seed) {
        return new WideNodes(seed).graph();
    }

    /**
     * {@return inputs for a graph, of the whole range and a little beyond}
     *
     * @param graph the graph
     * @param seed any number
     */
    public static Map<String, Batch.Floats> inputs(IntGraph graph, long seed) {
        Random random = new Random(~seed);
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        for (Input input : graph.inputs()) {
            QuantParams params = graph.type("q").codes();
            float[] values = new float[3 * input.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                int code =
                        params.range().min()
                                + random.nextInt(params.range().max() + 1 - params.range().min());
                values[i] =
                        (code + 0.5f * random.nextInt(2) - params.zeroPoint())
                                * params.scale()
                                * (random.nextInt(9) == 0 ? 1.1f : 1);
            }
            inputs.put(input.name(), Batch.Floats.of(3, input.shape(), values));
        }
        return inputs;
    }

    private IntGraph graph() {
        Shape image = Shape.of(1 + random.nextInt(4), 3 + random.nextInt(5), 3 + random.nextInt(5));
        add(new Input("x", image));
        String last = add(new Quantize("q", "x", params(range(), INPUT_SCALE)));
        if (random.nextBoolean()) {
            int pad = random.nextInt(3);
            last =
                    add(
                            Move.of(
                                    "moved",
                                    last,
                                    IndexMap.select(
                                            image, 1, AxisIndices.padded(image.size(1), 1, pad))));
        }
        last = add(convolution("first", last, false));
        if (random.nextBoolean()) {
            last =
                    add(
                            new MaxPool(
                                    "pooled",
                                    last,
                                    new Window(
                                            new Extent(2, 2),
                                            Extent.ONE,
                                            Extent.ONE,
                                            new Extent(1, 0),
                                            new Extent(0, 1))));
        }
        if (random.nextBoolean()) {
            last = add(convolution("second", last, random.nextInt(4) == 0));
        }
        if (builder.type(last).isCodes()) {
            Shape shape = builder.type(last).shape();
            last = add(new Reshape("flat", last, Shape.of(shape.elements())));
            last = add(dense(last, random.nextBoolean()));
        }
        return IntGraph.of(nodes, List.of(last));
    }

    private String add(IntNode node) {
        builder.add(node);
        nodes.add(node);
        return node.name();
    }

    private CodeRange range() {
        int bits = random.nextInt(3) == 0 ? CodeRange.MAX_BITS : CodeRange.WIDE_BITS;
        return random.nextBoolean() ? CodeRange.signed(bits) : CodeRange.unsigned(bits);
    }

    private QuantParams params(CodeRange range, float scale) {
        int zero =
                random.nextBoolean()
                        ? 0
                        : range.min() + random.nextInt(range.max() - range.min() + 1);
        return new QuantParams(scale, zero, range);
    }

    private WeightTensor weights(Shape shape) {
        CodeRange range =
                CodeRange.narrow(random.nextInt(3) == 0 ? CodeRange.MAX_BITS : CodeRange.WIDE_BITS);
        int[] codes = new int[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            int code = random.nextInt(2 * range.max() + 1) - range.max();
            codes[i] = random.nextInt(6) == 0 ? Integer.signum(code) * range.max() : code;
        }
        float[] scales = new float[shape.size(0)];
        long[] bias = new long[scales.length];
        for (int channel = 0; channel < scales.length; channel++) {
            scales[channel] = (0.5f + random.nextFloat()) / range.max();
            bias[channel] = random.nextInt(9) == 0 ? random.nextLong() >> 16 : random.nextInt(9000);
        }
        return WeightTensor.ofCodes(shape, range, codes, scales, bias);
    }

    /* Sums spread over about the codes of the result, so that they neither vanish nor saturate. */
    private Output output(WeightTensor weights, TensorType input, boolean floats) {
        if (floats) {
            return new Output.Floats();
        }
        CodeRange inputs = input.codes().range();
        double reach =
                Math.sqrt(weights.weightsPerChannel())
                        * (inputs.max() - inputs.min())
                        * input.codes().scale()
                        / 2;
        CodeRange range = range();
        QuantParams params =
                params(range, (float) (reach * (0.5 + random.nextDouble()) / range.max()));
        return random.nextBoolean()
                ? Output.Codes.of(params)
                : new Output.Codes(
                        params, new CodeRange(range.min(), range.max() - 1 - random.nextInt(90)));
    }

    /* A bias of more than 32 bits is one of wide sums only. */
    private WeightTensor fitting(WeightTensor weights, TensorType input, Output output) {
        boolean wide = new Dense("d", "q", flat(weights), output).isWide(input.codes());
        return wide
                ? weights
                : WeightTensor.ofCodes(
                        weights.shape(),
                        weights.range(),
                        weights.allCodes(),
                        weights.scales(),
                        new long[weights.channels()]);
    }

    private static WeightTensor flat(WeightTensor weights) {
        return weights.reshaped(Shape.of(weights.channels(), weights.weightsPerChannel()));
    }

    private IntNode convolution(String name, String input, boolean floats) {
        TensorType type = builder.type(input);
        int in = type.shape().size(0);
        int groups = random.nextInt(3) == 0 ? in : 1;
        int out = groups * (1 + random.nextInt(groups == 1 ? 6 : 3));
        Extent kernel =
                new Extent(
                        1 + random.nextInt(Math.min(3, type.shape().size(1))),
                        1 + random.nextInt(Math.min(3, type.shape().size(2))));
        WeightTensor weights = weights(Shape.of(out, in / groups, kernel.height(), kernel.width()));
        Output output = output(weights, type, floats);
        Window window =
                new Window(
                        kernel,
                        new Extent(1 + random.nextInt(2), 1 + random.nextInt(2)),
                        Extent.ONE,
                        new Extent(random.nextInt(2), random.nextInt(3)),
                        new Extent(random.nextInt(3), random.nextInt(2)));
        return new Convolution(name, input, fitting(weights, type, output), window, groups, output);
    }

    private IntNode dense(String input, boolean floats) {
        TensorType type = builder.type(input);
        WeightTensor weights = weights(Shape.of(1 + random.nextInt(7), type.shape().elements()));
        Output output = output(weights, type, floats);
        return new Dense("dense", input, fitting(weights, type, output), output);
    }
}
