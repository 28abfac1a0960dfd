// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Normalize;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Normalization;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.onnx.OnnxReader;
import org.dl4jquant.onnx.OnnxWriter;
import org.junit.jupiter.api.Test;

/** Normalizations of all kinds, in Java, in ONNX Runtime and by their definitions in float64. */
class NormalizeTest {

    private static final int GRAPHS = 30;
    private static final int EXAMPLES = 2;

    /** Half a code, and what float32 adds to it. */
    private static final double HALF_A_CODE = 0.501;

    private static Shape shape(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> Shape.of(1 + random.nextInt(300));
            case 1 -> Shape.of(1 + random.nextInt(20), 1 + random.nextInt(20));
            case 2 ->
                    Shape.of(1 + random.nextInt(12), 1 + random.nextInt(6), 1 + random.nextInt(6));
            default -> Shape.of(3, 1 + random.nextInt(5), 2, 1 + random.nextInt(5));
        };
    }

    private static Batch.Floats values(Random random, Shape shape, QuantParams params) {
        float[] values = new float[EXAMPLES * shape.elements()];
        int codes = params.range().max() - params.range().min() + 1;
        int most = random.nextInt(5) == 0 ? 1 : codes; // equal codes have no variance
        for (int i = 0; i < values.length; i++) {
            values[i] = params.dequantize(params.range().min() + random.nextInt(most));
        }
        return Batch.Floats.of(EXAMPLES, shape, values);
    }

    @Test
    void everyShapeGivesTheCodesOfTheReferenceInTheRuntimeAndOfTheDefinition() {
        long codes = 0;
        for (int seed = 0; seed < GRAPHS; seed++) {
            Random random = new Random(seed);
            RandomNodes nodes = new RandomNodes(random);
            Shape shape = shape(random);
            QuantParams params = nodes.params(nodes.scale());
            LaterNodes.Place place =
                    new LaterNodes.Place(
                            "y", "q", new TensorType(shape, params), List.of(), name -> null);
            Normalize node = (Normalize) NormalizeNodes.draw(nodes, place);
            IntGraph graph = SmallGraphs.graph(shape, params, node);
            assertEquals(graph, OnnxReader.fromBytes(OnnxWriter.toBytes(graph), "graph"));
            Batch.Floats input = values(random, shape, params);
            try (Engine reference = Engine.open("reference", graph);
                    Engine runtime = Engine.open("onnxruntime", graph)) {
                EqualityReport report =
                        EqualityCheck.between(reference, runtime).over(Map.of("x", input));
                int failing = seed;
                assertTrue(report.equal(), () -> "seed " + failing + ": " + node + report);
                codes += report.codesCompared();
                requireNear(node, params, input, reference.run(Map.of("x", input)).get("y"));
            }
        }
        assertTrue(codes > 3_000, codes + " codes compared");
    }

    /* By the formulas of values, which know no codes. */
    private static void requireNear(
            Normalize node, QuantParams from, Batch.Floats input, Batch result) {
        Shape shape = input.shape();
        int length = node.span().length(shape);
        int inner = node.span().inner(shape);
        Batch.Codes codes = (Batch.Codes) result;
        for (int i = 0; i < codes.containers().length; i++) {
            int index = i / inner % length;
            int first = i - index * inner;
            double value = expected(node, from, input, first, index, inner, length);
            QuantParams params = node.output().params();
            double exact = value / params.scale() + params.zeroPoint();
            double clamped =
                    Math.min(
                            Math.max(exact, node.output().bounds().min()),
                            node.output().bounds().max());
            assertEquals(clamped, codes.code(i), HALF_A_CODE, node.toString());
        }
    }

    private static double expected(
            Normalize node,
            QuantParams from,
            Batch.Floats input,
            int first,
            int index,
            int inner,
            int length) {
        Normalization formula = node.formula();
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < length; i++) {
            if (Math.abs((long) i - index) <= node.span().reach()) {
                double x = input.values()[first + i * inner];
                sum += x;
                squares += x * x;
            }
        }
        double own = input.values()[first + index * inner];
        double s = from.scale();
        double value;
        if (formula.centered()) {
            double variance = Math.max(0, squares / length - sum / length * sum / length);
            double epsilon = formula.offset() * s * s / length / length;
            double divisor = Math.sqrt(variance + epsilon);
            value = divisor < 1e-7 * s ? 0 : (own - sum / length) / divisor;
        } else if (formula.offset() == 0) {
            value = squares == 0 ? 0 : own / Math.sqrt(squares);
        } else {
            double alpha = formula.factor() / s / s;
            value = own / Math.pow(formula.offset() + alpha * squares, formula.power()) / s;
        }
        return value * place(formula.gains(), index, 1) + place(formula.shifts(), index, 0);
    }

    private static double place(List<Float> values, int index, double otherwise) {
        return values.isEmpty() ? otherwise : values.get(values.size() == 1 ? 0 : index);
    }

    /* Mean 4, variance 14 / 4: (7 - 4) / sqrt(3.5) = 1.6036, and 16.036 codes of 0.1. */
    @Test
    void aRowHasTheMeanZeroAndTheVarianceOne() {
        Normalization formula = Normalization.ofLayer(0, 4, 0.5f, List.of(), List.of());
        assertEquals(
                List.of(-11, -5, 0, 16),
                run(formula, new float[] {2, 3, 4, 7}, Normalize.Span.whole(0, 1)));
    }

    /* 3 and 4 of 5: 6 and 8 tenths. */
    @Test
    void aVectorIsDividedByItsLength() {
        Normalization formula = Normalization.byLength(1e-8, 0.5f);
        assertEquals(
                List.of(6, 8, 0, 0),
                run(formula, new float[] {3, 4, 0, 0}, Normalize.Span.whole(0, 1)));
    }

    /* With one neighbour: 4 / (1 + 16 + 64)^0.75 = 4 / 27 and 8 / 81^0.75 = 8 / 27, 0 after it. */
    @Test
    void aChannelIsDividedByAPowerOfItsNeighbours() {
        Normalization formula = Normalization.local(1, 1, 0.75, 0.5f);
        assertEquals(
                List.of(1, 3, 0, 0),
                run(formula, new float[] {4, 8, 0, 0}, new Normalize.Span(0, 1, 1)));
    }

    private static List<Integer> run(Normalization formula, float[] values, Normalize.Span span) {
        Shape shape = Shape.of(values.length);
        Normalize node =
                new Normalize("y", "q", span, formula, Output.Codes.of(SmallGraphs.int8(0.1)));
        IntGraph graph = SmallGraphs.graph(shape, SmallGraphs.uint8(0.5), node);
        try (Engine reference = Engine.open("reference", graph)) {
            return SmallGraphs.codes(
                    reference.run(Map.of("x", Batch.Floats.of(1, shape, values))).get("y"));
        }
    }

    @Test
    void refusesWhatNoEngineComputes() {
        Normalization whole = Normalization.ofLayer(0, 3, 1, List.of(), List.of());
        assertEquals(
                "node 'y' normalizes along the dimensions 1 to 1 of 'q', which has the shape [3]",
                refusal(3, Normalize.Span.whole(1, 1), whole));
        assertEquals(
                "node 'y' normalizes rows of 32769 codes; at most 32768 are allowed",
                refusal(32769, Normalize.Span.whole(0, 1), whole));
        assertEquals(
                "node 'y' has 2 gains for rows of 3 codes; it must have none, one, or as many",
                refusal(
                        3,
                        Normalize.Span.whole(0, 1),
                        Normalization.ofLayer(0, 3, 1, List.of(1f, 2f), List.of())));
        assertEquals(
                "node 'y' centers the codes of a window; only those of whole dimensions can be",
                refusal(3, new Normalize.Span(0, 1, 1), whole));
        assertEquals(
                "node 'y': its divisor can reach Infinity; choose a smaller factor",
                refusal(
                        3,
                        Normalize.Span.whole(0, 1),
                        new Normalization(false, 1e38f, 1, 1, 0, List.of(), List.of())));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Normalization(false, 1, 0, 0.5, 0, List.of(), List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Normalization(false, 1, 1, 1 / 3.0, 0, List.of(), List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Normalization(false, 1, 1, 1, 0, List.of(Float.NaN), List.of()));
    }

    private static String refusal(int length, Normalize.Span span, Normalization formula) {
        QuantParams codes = new QuantParams(1, 0, CodeRange.unsigned(8));
        return String.valueOf(
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        SmallGraphs.graph(
                                                Shape.of(length),
                                                codes,
                                                new Normalize(
                                                        "y",
                                                        "q",
                                                        span,
                                                        formula,
                                                        Output.Codes.of(codes))))
                        .getMessage());
    }
}
