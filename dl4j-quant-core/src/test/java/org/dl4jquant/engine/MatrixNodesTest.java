// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.AttentionWeights;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MatMul;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.junit.jupiter.api.Test;

/** Products of two tensors of codes, of all shapes, in Java and in ONNX Runtime. */
class MatrixNodesTest {

    private static final int GRAPHS = 60;
    private static final int EXAMPLES = 2;

    private static IntGraph graph(
            Shape left, QuantParams first, Shape right, QuantParams second, IntNode node) {
        return IntGraph.of(
                List.of(
                        new Input("a", left),
                        new Quantize("left", "a", first),
                        new Input("b", right),
                        new Quantize("right", "b", second),
                        node),
                List.of(node.name()));
    }

    private static Batch.Floats values(Random random, Shape shape, QuantParams params) {
        float[] values = new float[EXAMPLES * shape.elements()];
        for (int i = 0; i < values.length; i++) {
            int codes = params.range().max() - params.range().min() + 1;
            values[i] = params.dequantize(params.range().min() + random.nextInt(codes));
        }
        return Batch.Floats.of(EXAMPLES, shape, values);
    }

    private static Shape shape(int[] leading, int rows, int columns) {
        return switch (leading.length) {
            case 0 -> Shape.of(rows, columns);
            case 1 -> Shape.of(leading[0], rows, columns);
            default -> Shape.of(leading[0], leading[1], rows, columns);
        };
    }

    @Test
    void everyShapeGivesTheCodesOfTheReferenceInTheRuntime() {
        long codes = 0;
        for (int seed = 0; seed < GRAPHS; seed++) {
            Random random = new Random(seed);
            RandomNodes nodes = new RandomNodes(random);
            int[] leading = random.ints(random.nextInt(3), 1, 5).toArray();
            int rows = 1 + random.nextInt(20);
            int inner = 1 + random.nextInt(40);
            int columns = 1 + random.nextInt(seed % 5 == 0 ? 400 : 30);
            Shape left = shape(leading, rows, inner);
            Shape right = shape(leading, inner, columns);
            QuantParams first = nodes.params(nodes.scale());
            QuantParams second = nodes.params(nodes.scale());
            double spread = 60 * Math.sqrt(inner) * first.scale() * second.scale();
            Output.Codes product = nodes.bounded(nodes.params(nodes.near((float) spread)));
            IntNode node =
                    seed % 2 == 0
                            ? new MatMul("y", "left", "right", product)
                            : new AttentionWeights(
                                    "y", "left", "right", nodes.params(nodes.near(1f / 256)));
            IntGraph graph = graph(left, first, right, second, node);
            Map<String, Batch.Floats> inputs =
                    Map.of("a", values(random, left, first), "b", values(random, right, second));
            assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "graph"));
            try (Engine reference = Engine.open("reference", graph);
                    Engine runtime = Engine.open("onnxruntime", graph)) {
                EqualityReport report = EqualityCheck.between(reference, runtime).over(inputs);
                int failing = seed;
                assertTrue(report.equal(), () -> "seed " + failing + ": " + report);
                codes += report.codesCompared();
            }
        }
        assertTrue(codes > 50_000, codes + " codes compared");
    }

    /* 2 * 3 + 1 * 5 = 11, times 0.5 * 0.25 / 0.25 = 5.5, and ties go to the even code. */
    @Test
    void aProductIsRoundedOnce() {
        IntGraph graph =
                graph(
                        Shape.of(1, 2),
                        SmallGraphs.uint8(0.5),
                        Shape.of(2, 1),
                        SmallGraphs.uint8(0.25),
                        new MatMul("y", "left", "right", Output.Codes.of(SmallGraphs.uint8(0.25))));
        assertEquals(List.of(6), run(graph, new float[] {1, 0.5f}, new float[] {0.75f, 1.25f}));
    }

    /* The exponents are 0 and ln 3 as near as steps of 1/256 are: 281 / 256. */
    @Test
    void weightsAreTheSoftmaxOfScaledProducts() {
        IntGraph graph =
                graph(
                        Shape.of(1, 1),
                        SmallGraphs.uint8(1),
                        Shape.of(1, 2),
                        SmallGraphs.uint8(281.0 / 256),
                        new AttentionWeights("y", "left", "right", SmallGraphs.uint8(1.0 / 256)));
        float[] keys = {0, 281f / 256};
        assertEquals(List.of(64, 192), run(graph, new float[] {1}, keys));
    }

    private static List<Integer> run(IntGraph graph, float[] left, float[] right) {
        Map<String, Batch.Floats> inputs =
                Map.of(
                        "a", Batch.Floats.of(1, graph.type("left").shape(), left),
                        "b", Batch.Floats.of(1, graph.type("right").shape(), right));
        try (Engine reference = Engine.open("reference", graph)) {
            return SmallGraphs.codes(reference.run(inputs).get("y"));
        }
    }

    @Test
    void refusesFactorsThatDoNotFit() {
        QuantParams codes = SmallGraphs.uint8(1);
        Output.Codes output = Output.Codes.of(codes);
        MatMul product = new MatMul("y", "left", "right", output);
        assertEquals(
                "node 'y' multiplies 'left' of shape [2x3] by 'right' of shape [2x3]; they must be"
                        + " [..., rows, inner] and [..., inner, columns]",
                refusal(Shape.of(2, 3), Shape.of(2, 3), product));
        refusal(Shape.of(3), Shape.of(3), product);
        refusal(Shape.of(2, 2, 3), Shape.of(3, 3, 2), product);
        refusal(Shape.of(2, 2, 3), Shape.of(3, 2), product);
        int longest = Integer.MAX_VALUE / 255 / 255;
        assertEquals(
                "node 'y': its sums of 33026 products can reach 2147515650, which is more than"
                        + " 2147483647; use fewer bits or shorter vectors",
                refusal(Shape.of(1, longest + 1), Shape.of(longest + 1, 1), product));
        refusal(
                Shape.of(1, longest / 2 + 1),
                Shape.of(longest / 2 + 1, 1),
                new AttentionWeights("y", "left", "right", codes));
        assertEquals(
                "node 'y' weighs 32768 keys; at most 32767 are allowed",
                refusal(
                        Shape.of(1, 1),
                        Shape.of(1, 1 << 15),
                        new AttentionWeights("y", "left", "right", codes)));
    }

    private static String refusal(Shape left, Shape right, IntNode node) {
        QuantParams codes = new QuantParams(1, 0, CodeRange.unsigned(8));
        return String.valueOf(
                assertThrows(
                                IllegalArgumentException.class,
                                () -> graph(left, codes, right, codes, node))
                        .getMessage());
    }
}
