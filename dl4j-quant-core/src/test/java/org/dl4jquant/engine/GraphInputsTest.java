// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.numeric.Shape;
import org.junit.jupiter.api.Test;

class GraphInputsTest {

    private static final Shape SHAPE = Shape.of(2, 3);
    private static final IntGraph GRAPH =
            IntGraph.of(
                    List.of(
                            new Input("a", SHAPE),
                            new Quantize("qa", "a", SmallGraphs.uint8(1)),
                            new Input("b", SHAPE),
                            new Quantize("qb", "b", SmallGraphs.uint8(1))),
                    List.of("qa", "qb"));

    private static Batch.Floats zeros(int size) {
        return Batch.Floats.of(size, SHAPE, new float[size * SHAPE.elements()]);
    }

    private static String refusal(Map<String, Batch.Floats> inputs) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () -> GraphInputs.requireValid(GRAPH, inputs))
                .getMessage();
    }

    @Test
    void refusesMoreExamplesThanAnArrayHasElements() {
        IntGraph graph =
                SmallGraphs.graph(
                        Shape.of(1, 1, 1),
                        SmallGraphs.uint8(1),
                        new Convolution(
                                "c",
                                "q",
                                SmallGraphs.weights(Shape.of(1, 1, 1, 1), 1),
                                SmallGraphs.window(1, 1, 8000),
                                1,
                                Output.Codes.of(SmallGraphs.uint8(1))));
        Batch.Floats nine = Batch.Floats.of(9, Shape.of(1, 1, 1), new float[9]);
        assertEquals(
                "node 'c' has 256032001 elements for each of 9 examples, together more than"
                        + " 2147483639; run fewer examples at once, at most 8",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> GraphInputs.requireValid(graph, Map.of("x", nine)))
                        .getMessage());
    }

    @Test
    void countsTheExamples() {
        assertEquals(4, GraphInputs.requireValid(GRAPH, Map.of("a", zeros(4), "b", zeros(4))));
    }

    @Test
    void refusesAMissingInput() {
        assertEquals(
                "input 'b' is missing; the graph has [a, b] and [a] are given",
                refusal(Map.of("a", zeros(1))));
    }

    @Test
    void refusesAnUnknownInput() {
        assertEquals(
                "the inputs given are [c]; the graph has [a, b]", refusal(Map.of("c", zeros(1))));
    }

    @Test
    void refusesAnotherShape() {
        Batch.Floats wrong = Batch.Floats.of(1, Shape.of(6), new float[6]);
        assertEquals(
                "input 'a' has examples of shape [6]; the graph takes [2x3]",
                refusal(Map.of("a", wrong, "b", zeros(1))));
    }

    @Test
    void refusesBatchesOfDifferentSizes() {
        assertEquals(
                "input 'b' has 2 examples, 'a' has 1; all inputs must have as many",
                refusal(Map.of("a", zeros(1), "b", zeros(2))));
    }

    @Test
    void refusesNanAndSaysWhere() {
        float[] values = new float[12];
        values[3] = Float.NEGATIVE_INFINITY;
        values[10] = Float.NaN;
        assertEquals(
                "input 'b' is NaN in example 1 at index 4 of [2x3], and no code stands for NaN;"
                        + " leave the example out, or replace what is missing in it",
                refusal(Map.of("a", zeros(2), "b", Batch.Floats.of(2, SHAPE, values))));
    }

    @Test
    void refusesABatchWhoseArrayHasAnotherLength() {
        assertEquals(
                "5 values are no batch of 1 examples of shape [2x3], which has 6",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Batch.Floats.of(1, SHAPE, new float[5]))
                        .getMessage());
    }
}
