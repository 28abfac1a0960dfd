// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.EqualityCheck;
import org.dl4jquant.engine.EqualityReport;
import org.dl4jquant.engine.RandomGraph;
import org.dl4jquant.engine.RandomSequences;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The integer contract: ONNX Runtime and the reference give the same codes at every node. */
class OnnxRuntimeEqualityTest {

    private static final int GRAPHS = 500;
    private static final int SUMS = 120;
    private static final int CONCATS = 100;
    private static final int CODES = 256;

    private static EqualityReport check(IntGraph graph, Map<String, Batch.Floats> inputs) {
        try (Engine reference = Engine.open("reference", graph);
                Engine runtime = Engine.open("onnxruntime", graph)) {
            return EqualityCheck.between(reference, runtime).over(inputs);
        }
    }

    @Test
    void everyCodeOfEveryNodeOfRandomGraphsIsTheReferences() {
        long codes = 0;
        for (long seed = 0; seed < GRAPHS; seed++) {
            RandomGraph random = RandomGraph.of(seed);
            EqualityReport report = check(random.graph(), random.inputs(seed % 2 == 0 ? 1 : 3));
            long failing = seed;
            assertTrue(report.equal(), () -> "graph of seed " + failing + ": " + report);
            codes += report.codesCompared();
        }
        assertTrue(codes > 1_000_000, codes + " codes compared");
    }

    static Stream<Class<?>> kindsOfNodes() {
        return Stream.of(IntNode.class.getPermittedSubclasses())
                .flatMap(
                        kind ->
                                kind.isSealed()
                                        ? Stream.of(kind.getPermittedSubclasses())
                                        : Stream.of(kind));
    }

    /** A new kind of node stays red until the generator draws it; the rest follows from that. */
    @ParameterizedTest
    @MethodSource("kindsOfNodes")
    void everyKindOfNodeIsDrawnComputedAndWritten(Class<?> kind) {
        Drawn drawn =
                LongStream.range(0, GRAPHS)
                        .boxed()
                        .flatMap(seed -> Stream.of(Drawn.graph(seed), Drawn.sequences(seed)))
                        .filter(other -> other.graph.nodes().stream().anyMatch(kind::isInstance))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new AssertionError(
                                                kind.getSimpleName()
                                                        + " is in none of the random graphs;"
                                                        + " teach RandomGraph to draw it"));
        check(drawn.graph, drawn.inputs).requireEqual();
        byte[] model = OnnxWriter.toBytes(drawn.graph);
        assertEquals(drawn.graph, OnnxReader.fromBytes(model, kind.getSimpleName()));
    }

    /* A random graph with inputs of two examples. */
    private record Drawn(IntGraph graph, Map<String, Batch.Floats> inputs) {

        static Drawn graph(long seed) {
            RandomGraph random = RandomGraph.of(seed);
            return new Drawn(random.graph(), random.inputs(2));
        }

        static Drawn sequences(long seed) {
            RandomSequences random = RandomSequences.of(seed);
            return new Drawn(random.graph(), random.inputs(2));
        }
    }

    /** All 65,536 pairs of codes, for many ratios of scales and all kinds of zero points. */
    @Test
    void addsEveryPairOfCodesAsTheReferenceDoes() {
        Random random = new Random(20260101);
        for (int i = 0; i < SUMS; i++) {
            boolean powers = i % 3 == 0;
            QuantParams left = params(random, powers);
            QuantParams right = params(random, powers);
            QuantParams result = params(random, powers);
            IntGraph graph =
                    IntGraph.of(
                            List.of(
                                    new Input("a", Shape.of(CODES)),
                                    new Quantize("left", "a", left),
                                    new Input("b", Shape.of(CODES)),
                                    new Quantize("right", "b", right),
                                    new Add("sum", "left", "right", Output.Codes.of(result))),
                            List.of("sum"));
            EqualityReport report =
                    check(graph, Map.of("a", allCodes(left, true), "b", allCodes(right, false)));
            assertTrue(report.equal(), () -> left + " + " + right + " = " + result + ": " + report);
        }
    }

    @Test
    void bringsEveryCodeToTheScaleOfAConcatAsTheReferenceDoes() {
        Random random = new Random(20260102);
        for (int i = 0; i < CONCATS; i++) {
            QuantParams input = params(random, i % 3 == 0);
            QuantParams result = params(random, i % 3 == 0);
            IntGraph graph =
                    IntGraph.of(
                            List.of(
                                    new Input("x", Shape.of(CODES)),
                                    new Quantize("q", "x", input),
                                    new Concat("y", List.of("q", "q"), result)),
                            List.of("y"));
            check(graph, Map.of("x", allCodes(input, false))).requireEqual();
        }
    }

    /** Windows of two codes, all 65,536 of them. */
    @Test
    void averagesEveryPairOfCodesAsTheReferenceDoes() {
        Random random = new Random(20260103);
        for (int i = 0; i < SUMS / 2; i++) {
            QuantParams input = params(random, i % 2 == 0);
            QuantParams result = params(random, i % 2 == 0);
            Window pairs = Window.of(new Extent(1, 2), new Extent(1, 2));
            IntGraph graph =
                    IntGraph.of(
                            List.of(
                                    new Input("x", Shape.of(1, 2, 2 * CODES)),
                                    new Quantize("q", "x", input),
                                    new AveragePool("y", "q", pairs, false, result)),
                            List.of("y"));
            float[] first = allCodes(input, true).values();
            float[] second = allCodes(input, false).values();
            float[] values = new float[first.length * 2];
            for (int pair = 0; pair < first.length; pair++) {
                values[2 * pair] = first[pair];
                values[2 * pair + 1] = second[pair];
            }
            Batch.Floats batch = Batch.Floats.of(CODES / 2, Shape.of(1, 2, 2 * CODES), values);
            check(graph, Map.of("x", batch)).requireEqual();
        }
    }

    /**
     * The largest products there are, next to each other: where the processor has no VNNI, the
     * runtime's usual kernels would add two of them in int16 and saturate.
     */
    @Test
    void doesNotSaturateSumsOfTheLargestProducts() {
        QuantParams input = new QuantParams(1f, 0, CodeRange.unsigned(8));
        int in = 64;
        byte[] largest = new byte[in * 8];
        Arrays.fill(largest, (byte) 127);
        float[] scales = new float[8];
        Arrays.fill(scales, 1f);
        CodeRange range = CodeRange.narrow(8);
        int[] bias = new int[8];
        QuantParams result = new QuantParams(255f * 127 * in / 200, 0, CodeRange.unsigned(8));
        IntGraph graph =
                IntGraph.of(
                        List.of(
                                new Input("x", Shape.of(in, 1, 1)),
                                new Quantize("q", "x", input),
                                new Convolution(
                                        "conv",
                                        "q",
                                        WeightTensor.of(
                                                Shape.of(8, in, 1, 1),
                                                range,
                                                largest,
                                                scales,
                                                bias),
                                        Window.of(Extent.ONE, Extent.ONE),
                                        1,
                                        Output.Codes.of(result)),
                                new Reshape("flat", "q", Shape.of(in)),
                                new Dense(
                                        "dense",
                                        "flat",
                                        WeightTensor.of(
                                                Shape.of(8, in), range, largest, scales, bias),
                                        new Output.Floats())),
                        List.of("conv", "dense"));
        float[] values = new float[in];
        Arrays.fill(values, 255f);
        Map<String, Batch.Floats> inputs =
                Map.of("x", Batch.Floats.of(1, Shape.of(in, 1, 1), values));
        check(graph, inputs).requireEqual();
        try (Engine runtime = Engine.open("onnxruntime", graph)) {
            Batch.Floats sums = (Batch.Floats) runtime.run(inputs).get("dense");
            assertEquals(255f * 127 * in, sums.values()[0]);
            assertEquals(200, ((Batch.Codes) runtime.run(inputs).get("conv")).code(0));
        }
    }

    private static QuantParams params(Random random, boolean powers) {
        float scale =
                powers
                        ? Math.scalb(1f, random.nextInt(5) - 2)
                        : (float) Math.exp(random.nextGaussian());
        CodeRange range = random.nextBoolean() ? CodeRange.unsigned(8) : CodeRange.signed(8);
        int zero = random.nextBoolean() ? 0 : range.min() + random.nextInt(CODES);
        return new QuantParams(scale, zero, range);
    }

    /** Every code 256 times: each in a row for itself, or all of them in each row. */
    private static Batch.Floats allCodes(QuantParams params, boolean rows) {
        float[] values = new float[CODES * CODES];
        for (int i = 0; i < values.length; i++) {
            int code = params.range().min() + (rows ? i / CODES : i % CODES);
            values[i] = params.dequantize(code);
        }
        return Batch.Floats.of(CODES, Shape.of(CODES), values);
    }
}
