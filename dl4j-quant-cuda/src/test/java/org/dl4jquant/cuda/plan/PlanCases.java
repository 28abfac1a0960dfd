// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.OutputFunction.Clamp;
import org.dl4jquant.numeric.OutputFunction.Slope;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** Small graphs, each of which shows what random ones show seldom. */
final class PlanCases {

    private static final Shape IMAGE = Shape.of(21, 9, 9);
    private static final int EXAMPLES = 3;

    /* With a scale of 1, means of four or six codes are often half way between two. */
    private static final QuantParams UNSIGNED = new QuantParams(1, 11, CodeRange.unsigned(8));
    private static final QuantParams SIGNED = new QuantParams(1, -5, CodeRange.signed(8));
    private static final QuantParams OTHER = new QuantParams(0.71f, 3, CodeRange.signed(8));

    private static final QuantParams WEIGHTS = new QuantParams(1f / 256, 0, CodeRange.unsigned(8));

    /**
     * A scale at which 12 quotients of {@link #inputs} are half way, as products or as quotients.
     */
    private static final float TIES = 0.6f;

    private PlanCases() {}

    /** {@return the graphs, whose one input is x} */
    static List<IntGraph> all() {
        return List.of(
                pool(SIGNED, UNSIGNED, false),
                pool(UNSIGNED, SIGNED, true),
                dequantized(SIGNED),
                dequantized(UNSIGNED),
                rectified(),
                residual(true),
                residual(false),
                parts(),
                longSums(),
                quotients(),
                reshaped(),
                sumOfPools(),
                groups(),
                threeChannels(),
                movedInChunks(),
                attention(),
                normalized(),
                movedOneByOne(),
                movedValues());
    }

    /** {@return values over the whole range of codes and a little beyond} */
    static Map<String, Batch.Floats> inputs() {
        Random random = new Random(3);
        float[] values = new float[EXAMPLES * IMAGE.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(300) - 150 + random.nextInt(2) / 2f;
        }
        return Map.of("x", Batch.Floats.of(EXAMPLES, IMAGE, values));
    }

    private static IntGraph.Builder quantized(QuantParams params) {
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", IMAGE));
        graph.add(new Quantize("q", "x", params));
        return graph;
    }

    private static IntGraph pool(QuantParams input, QuantParams result, boolean countPadding) {
        Window window =
                new Window(Extent.square(3), Extent.ONE, Extent.ONE, Extent.ONE, Extent.ONE);
        IntGraph.Builder graph = quantized(input);
        graph.add(new AveragePool("mean", "q", window, countPadding, result));
        graph.add(new MaxPool("max", "q", window));
        return graph.build(List.of("mean", "max"));
    }

    private static IntGraph dequantized(QuantParams params) {
        IntGraph.Builder graph = quantized(params);
        graph.add(new Dequantize("values", "q"));
        return graph.build(List.of("values"));
    }

    /* Each function of results, one after another, and one that nothing else reads. */
    private static IntGraph rectified() {
        IntGraph.Builder graph = quantized(SIGNED);
        graph.add(new Dequantize("values", "q"));
        graph.add(rectify("relu", "values", new Clamp(0, Float.POSITIVE_INFINITY)));
        graph.add(rectify("most", "values", new Clamp(Float.NEGATIVE_INFINITY, 17.5f)));
        graph.add(rectify("both", "values", new Clamp(-3.25f, 88)));
        graph.add(rectify("leaky", "values", new Slope(0, 0.3f)));
        graph.add(rectify("jump", "leaky", new Slope(1.7f, -0.1f)));
        graph.add(rectify("flat", "values", new Slope(1.5f, 0)));
        return graph.build(List.of("relu", "most", "both", "jump", "flat"));
    }

    /* Results whose channels become the last axis, and a part of them with all axes reversed. */
    private static IntGraph movedValues() {
        IntGraph.Builder graph = quantized(SIGNED);
        graph.add(new Dequantize("values", "q"));
        Shape shape = graph.type("values").shape();
        graph.add(Move.of("last", "values", IndexMap.channelsLast(shape)));
        IndexMap reversed = IndexMap.permute(shape, List.of(2, 1, 0));
        IndexMap cut =
                IndexMap.select(reversed.shape(), 1, AxisIndices.range(1, shape.size(1)))
                        .reshaped(Shape.of(shape.elements() - shape.size(0) * shape.size(2)));
        graph.add(Move.of("reversed", "values", reversed.then(cut).orElseThrow()));
        return graph.build(List.of("last", "reversed"));
    }

    private static IntNode rectify(String name, String input, OutputFunction.Rectifier function) {
        return new Rectify(name, input, function);
    }

    /* A sum that is computed with the convolution that feeds it, as its left or right term. */
    private static IntGraph residual(boolean left) {
        IntGraph.Builder graph = quantized(UNSIGNED);
        graph.add(convolution("conv", 21, SIGNED));
        graph.add(
                new Add(
                        "sum",
                        left ? "conv" : "q",
                        left ? "q" : "conv",
                        new Output.Codes(OTHER, new CodeRange(-100, 90))));
        return graph.build(List.of("sum"));
    }

    /* Slices in place, copied whole, and copied code by code. */
    private static IntGraph parts() {
        IntGraph.Builder graph = quantized(UNSIGNED);
        graph.add(convolution("a", 32, OTHER));
        graph.add(convolution("b", 16, SIGNED));
        graph.add(convolution("c", 7, OTHER));
        graph.add(convolution("d", 5, OTHER));
        graph.add(new Concat("all", List.of("a", "b", "c", "d", "a"), OTHER));
        return graph.build(List.of("all", "a", "c"));
    }

    /* Few results of many products each. */
    private static IntGraph longSums() {
        IntGraph.Builder graph = quantized(UNSIGNED);
        int inputs = IMAGE.elements();
        graph.add(new Reshape("flat", "q", Shape.of(inputs)));
        graph.add(
                new Dense(
                        "long",
                        "flat",
                        weights(Shape.of(40, inputs)),
                        Output.Codes.of(new QuantParams(9, 3, CodeRange.signed(8)))));
        return graph.build(List.of("long"));
    }

    /* Quotients half way between two codes, where a product with the reciprocal is not. */
    private static IntGraph quotients() {
        return quantized(new QuantParams(TIES, -5, CodeRange.signed(8))).build(List.of("q"));
    }

    /* The same codes as an image of other channels. */
    private static IntGraph reshaped() {
        IntGraph.Builder graph = quantized(SIGNED);
        graph.add(new Reshape("other", "q", Shape.of(IMAGE.size(1), IMAGE.size(0), IMAGE.size(2))));
        graph.add(new MaxPool("max", "other", Window.of(new Extent(2, 1), Extent.ONE)));
        return graph.build(List.of("max"));
    }

    /* A sum of no convolution, whose terms have other parameters. */
    private static IntGraph sumOfPools() {
        IntGraph.Builder graph = quantized(UNSIGNED);
        Window window = Window.of(Extent.square(2), Extent.ONE);
        graph.add(new AveragePool("mean", "q", window, false, OTHER));
        graph.add(new MaxPool("max", "q", window));
        graph.add(new Add("sum", "mean", "max", Output.Codes.of(OTHER)));
        graph.add(new GlobalAveragePool("whole", "sum", SIGNED));
        return graph.build(List.of("sum", "whole"));
    }

    /* Products of two tensors of codes in images and in matrices, with more columns than lanes. */
    private static IntGraph attention() {
        IntGraph.Builder graph = quantized(SIGNED);
        graph.add(new Reshape("heads", "q", Shape.of(3, 9, 63)));
        graph.add(
                new Move(
                        "turned", "heads", IndexMap.permute(Shape.of(3, 9, 63), List.of(0, 2, 1))));
        graph.add(new AttentionWeights("weights", "turned", "heads", WEIGHTS));
        graph.add(new MatMul("weighed", "heads", "weights", Output.Codes.of(UNSIGNED)));
        graph.add(new Reshape("matrix", "q", Shape.of(81, 21)));
        graph.add(new Move("other", "matrix", IndexMap.permute(Shape.of(81, 21), List.of(1, 0))));
        graph.add(
                new MatMul(
                        "products",
                        "other",
                        "matrix",
                        new Output.Codes(
                                new QuantParams(500, 3, CodeRange.signed(8)),
                                new CodeRange(-90, 100))));
        return graph.build(List.of("weights", "weighed", "products"));
    }

    /* Each formula along each dimension, of images and of matrices, with more codes than lanes. */
    private static IntGraph normalized() {
        IntGraph.Builder graph = quantized(SIGNED);
        float scale = SIGNED.scale();
        graph.add(
                normalize(
                        "channels",
                        "q",
                        Normalize.Span.whole(0, 1),
                        Normalization.ofLayer(0, 21, scale, places(21), places(21))));
        graph.add(
                normalize(
                        "all",
                        "q",
                        Normalize.Span.whole(0, 3),
                        Normalization.ofLayer(0.1, 1701, scale, List.of(), List.of(0.5f))));
        graph.add(
                normalize(
                        "local",
                        "q",
                        new Normalize.Span(0, 1, 2),
                        Normalization.local(2, 1e-4, 0.75, scale)));
        graph.add(new Reshape("matrix", "q", Shape.of(27, 63)));
        graph.add(
                normalize(
                        "rows",
                        "matrix",
                        Normalize.Span.whole(1, 1),
                        Normalization.ofLayer(1e-3, 63, scale, places(63), List.of())));
        graph.add(
                normalize(
                        "columns",
                        "matrix",
                        Normalize.Span.whole(0, 1),
                        Normalization.byLength(1e-8, scale)));
        graph.add(
                normalize(
                        "power",
                        "matrix",
                        new Normalize.Span(1, 1, 70),
                        Normalization.local(1, 1e-5, 1.3, scale)));
        return graph.build(List.of("channels", "all", "local", "rows", "columns", "power"));
    }

    private static Normalize normalize(
            String name, String input, Normalize.Span span, Normalization formula) {
        boolean unit = formula.gains().isEmpty() || formula.centered();
        float scale = unit ? 1f / 40 : 0.5f;
        QuantParams codes = new QuantParams(scale, 7, CodeRange.signed(8));
        return new Normalize(
                name, input, span, formula, new Output.Codes(codes, new CodeRange(-100, 120)));
    }

    private static List<Float> places(int count) {
        Random random = new Random(count);
        return Stream.generate(() -> (float) random.nextGaussian()).limit(count).toList();
    }

    /* Seven channels and five filters in each of three groups. */
    private static IntGraph groups() {
        IntGraph.Builder graph = quantized(UNSIGNED);
        graph.add(
                new Convolution(
                        "groups",
                        "q",
                        weights(Shape.of(15, IMAGE.size(0) / 3, 2, 2)),
                        Window.of(Extent.square(2), Extent.ONE),
                        3,
                        Output.Codes.of(OTHER)));
        return graph.build(List.of("groups"));
    }

    /* Codes that only a convolution reads, four bytes a pixel. */
    private static IntGraph threeChannels() {
        Shape image = Shape.of(3, 3 * IMAGE.size(1), IMAGE.elements() / IMAGE.size(1) / 9);
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", IMAGE));
        graph.add(new Reshape("image", "x", image));
        graph.add(new Quantize("q", "image", UNSIGNED));
        graph.add(
                new Convolution(
                        "conv",
                        "q",
                        weights(Shape.of(16, 3, 3, 3)),
                        Window.of(Extent.square(3), Extent.square(2)),
                        1,
                        Output.Codes.of(OTHER)));
        return graph.build(List.of("conv"));
    }

    /* Sixteen channels at once: padded, cropped, repeated, turned and as blocks; in a slice, too. */
    private static IntGraph movedInChunks() {
        IntGraph.Builder graph = quantized(SIGNED);
        IndexMap wide = IndexMap.pad(IMAGE, 1, 2, 1);
        graph.add(new Move("rows", "q", wide));
        graph.add(new Move("columns", "rows", IndexMap.crop(wide.shape(), 2, 1, 2)));
        graph.add(new Move("twice", "columns", IndexMap.repeat(Shape.of(21, 12, 6), 2, 2)));
        graph.add(
                new Move(
                        "turned",
                        "twice",
                        IndexMap.permute(Shape.of(21, 12, 12), List.of(0, 2, 1))));
        graph.add(convolution("conv", 32, OTHER));
        graph.add(new Move("even", "conv", IndexMap.crop(Shape.of(32, 9, 9), 1, 0, 1)));
        graph.add(new Move("square", "even", IndexMap.crop(Shape.of(32, 8, 9), 2, 1, 0)));
        graph.add(new Move("depth", "square", IndexMap.spaceToDepth(Shape.of(32, 8, 8), 2)));
        graph.add(new Move("space", "depth", IndexMap.depthToSpace(Shape.of(128, 4, 4), 2)));
        graph.add(new Concat("both", List.of("space", "square"), OTHER));
        return graph.build(List.of("turned", "both", "depth"));
    }

    /* Channels that do not move in chunks, and axes that neither channels nor pixels are. */
    private static IntGraph movedOneByOne() {
        IntGraph.Builder graph = quantized(UNSIGNED);
        graph.add(new Move("channels", "q", IndexMap.pad(IMAGE, 0, 3, 2)));
        graph.add(new Move("last", "q", IndexMap.permute(IMAGE, List.of(1, 2, 0))));
        graph.add(
                new Move(
                        "drawn",
                        "last",
                        IndexMap.select(Shape.of(9, 9, 21), 2, AxisIndices.of(-1, 20, 3, 3, -1))));
        graph.add(new Reshape("flat", "q", Shape.of(IMAGE.elements())));
        graph.add(new Move("cut", "flat", IndexMap.crop(Shape.of(IMAGE.elements()), 0, 5, 30)));
        graph.add(
                new Move(
                        "split",
                        "flat",
                        IndexMap.permute(Shape.of(27, 7, 3, 3), List.of(2, 1, 0, 3))));
        graph.add(
                new Move(
                        "twoTables",
                        "q",
                        new IndexMap(
                                IMAGE,
                                List.of(2, 0, 1),
                                List.of(
                                        AxisIndices.padded(9, 1, 0),
                                        AxisIndices.reversed(21),
                                        AxisIndices.padded(9, 0, 2)),
                                Shape.of(10, 21, 11))));
        return graph.build(List.of("channels", "drawn", "cut", "split", "twoTables"));
    }

    private static IntNode convolution(String name, int filters, QuantParams result) {
        return new Convolution(
                name,
                "q",
                weights(Shape.of(filters, IMAGE.size(0), 1, 1)),
                Window.of(Extent.ONE, Extent.ONE),
                1,
                Output.Codes.of(result));
    }

    private static WeightTensor weights(Shape shape) {
        int filters = shape.size(0);
        Random random = new Random(filters);
        byte[] codes = new byte[shape.elements()];
        random.nextBytes(codes);
        float[] scales = new float[filters];
        int[] bias = new int[filters];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) Math.max(codes[i], -127);
        }
        for (int i = 0; i < filters; i++) {
            scales[i] = 0.002f + random.nextFloat() / 1000;
            bias[i] = random.nextInt(2000) - 1000;
        }
        return WeightTensor.of(shape, CodeRange.narrow(8), codes, scales, bias);
    }
}
