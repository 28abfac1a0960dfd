// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.dl4jquant.engine.SmallGraphs.codes;
import static org.dl4jquant.engine.SmallGraphs.example;
import static org.dl4jquant.engine.SmallGraphs.graph;
import static org.dl4jquant.engine.SmallGraphs.int8;
import static org.dl4jquant.engine.SmallGraphs.uint8;
import static org.dl4jquant.engine.SmallGraphs.weights;
import static org.dl4jquant.engine.SmallGraphs.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Table;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.CodeTable;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;

/** Every kind of node by hand. */
class ReferenceEngineTest {

    private static final Shape THREE_BY_THREE = Shape.of(1, 3, 3);
    private static final double[] ONE_TO_NINE = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    private static final Output.Codes UNITS = Output.Codes.of(uint8(1));

    private static Batch run(IntGraph graph, double... values) {
        try (Engine engine = new ReferenceEngine(graph)) {
            return engine.run(example(graph, values)).get(graph.outputs().get(0));
        }
    }

    @Test
    void quantizesWithTiesToEvenThenClamps() {
        IntGraph graph = graph(Shape.of(6), new QuantParams(0.5f, 3, CodeRange.unsigned(8)));
        Batch codes = run(graph, 0.25, 0.75, -1.25, 200, -10, 1.3);
        assertEquals(List.of(3, 5, 1, 255, 0, 6), codes(codes));
    }

    @Test
    void convolvesEachWindowWithTheKernel() {
        IntNode conv = convolution(weights(Shape.of(1, 1, 2, 2), 1, 2, 3, 4), window(2, 1, 0));
        // 1 * 1 + 2 * 2 + 4 * 3 + 5 * 4 = 37, and so on
        assertEquals(
                List.of(37, 47, 67, 77),
                codes(run(graph(THREE_BY_THREE, uint8(1), conv), ONE_TO_NINE)));
    }

    @Test
    void convolvesPaddingAsTheValueZeroWhateverTheZeroPoint() {
        WeightTensor weights = weights(Shape.of(1, 1, 2, 2), 1, 2, 3, 4);
        IntNode conv = convolution(weights, window(2, 2, 1));
        List<Integer> expected = List.of(4, 3 * 2 + 4 * 3, 4 * 2 + 7 * 4, 77);
        assertEquals(expected, codes(run(graph(THREE_BY_THREE, uint8(1), conv), ONE_TO_NINE)));
        QuantParams shifted = new QuantParams(1f, 7, CodeRange.unsigned(8));
        assertEquals(expected, codes(run(graph(THREE_BY_THREE, shifted, conv), ONE_TO_NINE)));
    }

    @Test
    void convolvesWithDilationAndUnequalPadding() {
        Window window =
                new Window(
                        new Extent(1, 2),
                        Extent.ONE,
                        new Extent(1, 2),
                        new Extent(0, 1),
                        new Extent(0, 2));
        IntNode conv = convolution(weights(Shape.of(1, 1, 1, 2), 10, 1), window);
        IntGraph graph = graph(Shape.of(1, 1, 3), uint8(1), conv);
        // the padded row is 0 1 2 3 0 0, the kernel 10 . 1
        assertEquals(List.of(2, 13, 20, 30), codes(run(graph, 1, 2, 3)));
    }

    @Test
    void convolvesGroupsApart() {
        WeightTensor weights = weights(Shape.of(4, 1, 1, 1), 1, 2, 3, 4);
        IntNode conv = new Convolution("y", "q", weights, window(1, 1, 0), 2, UNITS);
        IntGraph graph = graph(Shape.of(2, 1, 2), uint8(1), conv);
        assertEquals(List.of(1, 2, 2, 4, 9, 12, 12, 16), codes(run(graph, 1, 2, 3, 4)));
    }

    @Test
    void requantizesEachChannelWithItsScaleAndBiasAndTiesToEven() {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(2, 1),
                        CodeRange.narrow(8),
                        new byte[] {1, 1},
                        new float[] {0.5f, 0.25f},
                        new int[] {0, 5});
        Output output = Output.Codes.of(new QuantParams(1f, 10, CodeRange.unsigned(8)));
        IntGraph graph = graph(Shape.of(1), uint8(1), new Dense("y", "q", weights, output));
        assertEquals(List.of(12, 12), codes(run(graph, 5))); // 2.5 and 2.5
        assertEquals(List.of(14, 13), codes(run(graph, 7))); // 3.5 and 3.0
    }

    @Test
    void clampsToTheBoundsOfReluAndRelu6() {
        WeightTensor weights = weights(Shape.of(3, 1), 1, -1, 9);
        QuantParams params = new QuantParams(1f, 5, CodeRange.signed(8));
        Output output = new Output.Codes(params, new CodeRange(5, 11));
        IntGraph graph = graph(Shape.of(1), uint8(1), new Dense("y", "q", weights, output));
        assertEquals(List.of(8, 5, 11), codes(run(graph, 3)));
    }

    @Test
    void givesFloatsAsAccumulatorTimesTheProductOfScales() {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(2, 2),
                        CodeRange.narrow(8),
                        new byte[] {3, -1, 127, 127},
                        new float[] {0.1f, 0.3f},
                        new int[] {7, 0});
        IntGraph graph =
                graph(Shape.of(2), uint8(0.7), new Dense("y", "q", weights, new Output.Floats()));
        Batch.Floats result = (Batch.Floats) run(graph, 0.7 * 20, 0.7 * 255);
        float[] expected = {(3 * 20 - 255 + 7) * (0.7f * 0.1f), 127 * 275 * (0.7f * 0.3f)};
        assertArrayEquals(expected, result.values());
    }

    @Test
    void takesTheLargestCodeAndNeverThePadding() {
        IntNode pool = new MaxPool("y", "q", window(2, 2, 1));
        IntGraph graph = graph(THREE_BY_THREE, int8(1), pool);
        assertEquals(
                List.of(-1, -2, -4, -5), codes(run(graph, -1, -2, -3, -4, -5, -6, -7, -8, -9)));
    }

    @Test
    void averagesWindowsWithAndWithoutTheirPadding() {
        assertEquals(List.of(10, 15, 30, 35), codes(run(average(false), 10, 20, 30, 40)));
        assertEquals(List.of(2, 8, 8, 18), codes(run(average(true), 10, 20, 30, 40)));
    }

    /* Windows on [[10, 20], [30, 40]] see {10}, {10, 20}, {30}, {30, 40}, each with padding to 2 x 2. */
    private static IntGraph average(boolean countPadding) {
        Window window =
                new Window(
                        Extent.square(2),
                        new Extent(2, 1),
                        Extent.ONE,
                        new Extent(1, 1),
                        new Extent(1, 0));
        return graph(
                Shape.of(1, 2, 2),
                uint8(1),
                new AveragePool("y", "q", window, countPadding, uint8(1)));
    }

    @Test
    void averagesAWholeImageInIntegers() {
        IntNode mean = new GlobalAveragePool("y", "q", uint8(1));
        IntGraph graph = graph(Shape.of(2, 1, 2), uint8(1), mean);
        assertEquals(List.of(2, 4), codes(run(graph, 1, 4, 2, 5))); // 2.5 and 3.5
    }

    @Test
    void addsTwoTensorsOfDifferentScales() {
        CodeTable twice = CodeTable.from(value -> 2 * value, uint8(1), uint8(2));
        IntNode table = new Table("t", "q", twice, uint8(2));
        IntNode sum = new Add("y", "q", "t", Output.Codes.of(uint8(3)));
        assertEquals(
                List.of(0, 1, 100, 255),
                codes(run(graph(Shape.of(4), uint8(1), table, sum), 0, 1, 100, 255)));
    }

    @Test
    void joinsChannelsOfEachExampleAtTheResultsScale() {
        CodeTable halves = CodeTable.from(value -> value, uint8(1), uint8(0.5));
        IntNode table = new Table("t", "q", halves, uint8(0.5));
        IntNode join = new Concat("y", List.of("t", "q"), uint8(2));
        IntGraph graph = graph(Shape.of(2), uint8(1), table, join);
        Batch.Floats examples = Batch.Floats.of(2, Shape.of(2), new float[] {2, 3, 5, 200});
        try (Engine engine = new ReferenceEngine(graph)) {
            Batch result = engine.run(Map.of("x", examples)).get("y");
            // the table's codes end at 255, which is 127.5
            assertEquals(List.of(1, 2, 1, 2, 2, 64, 2, 100), codes(result));
        }
    }

    @Test
    void looksUpSignedCodesInATable() {
        CodeTable absolute = CodeTable.from(Math::abs, int8(1), uint8(0.5));
        IntNode table = new Table("y", "q", absolute, uint8(0.5));
        assertEquals(
                List.of(255, 10, 0, 6),
                codes(run(graph(Shape.of(4), int8(1), table), -128, -5, 0, 3)));
    }

    @Test
    void reshapesInRowMajorOrder() {
        IntNode reshape = new Reshape("y", "q", Shape.of(3, 2));
        Batch result = run(graph(Shape.of(2, 3), uint8(1), reshape), 1, 2, 3, 4, 5, 6);
        assertEquals(Shape.of(3, 2), result.shape());
        assertEquals(List.of(1, 2, 3, 4, 5, 6), codes(result));
    }

    @Test
    void dequantizesCodesToTheirValues() {
        QuantParams params = new QuantParams(0.1f, 3, CodeRange.unsigned(8));
        IntGraph graph = graph(Shape.of(2), params, new Dequantize("y", "q"));
        Batch.Floats result = (Batch.Floats) run(graph, 0.52, -9);
        assertArrayEquals(new float[] {5 * 0.1f, -3 * 0.1f}, result.values());
    }

    private static IntNode convolution(WeightTensor weights, Window window) {
        return new Convolution("y", "q", weights, window, 1, UNITS);
    }
}
