// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Concat;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.OverflowCertificate;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The verifier: what it infers, and what it refuses. */
final class IntGraphTest {

    private static final QuantParams UINT8 = new QuantParams(0.5f, 0, CodeRange.unsigned(8));
    private static final QuantParams INT8 = new QuantParams(0.25f, 3, CodeRange.signed(8));
    private static final IntNode INPUT = new Input("x", Shape.of(2, 5, 5));
    private static final IntNode CODES = new Quantize("q", "x", UINT8);

    private static String refusal(Executable executable) {
        return assertThrows(IllegalArgumentException.class, executable).getMessage();
    }

    private static IntGraph graph(IntNode last) {
        return IntGraph.of(List.of(INPUT, CODES, last), List.of(last.name()));
    }

    private static WeightTensor ones(int... shape) {
        Shape of = Shape.of(shape);
        byte[] codes = new byte[of.elements()];
        java.util.Arrays.fill(codes, (byte) 1);
        float[] scales = new float[shape[0]];
        java.util.Arrays.fill(scales, 1);
        return WeightTensor.of(of, CodeRange.narrow(8), codes, scales, new int[shape[0]]);
    }

    private static Convolution convolution(WeightTensor weights, int groups) {
        Extent kernel = new Extent(weights.shape().size(2), weights.shape().size(3));
        return new Convolution(
                "c", "q", weights, Window.of(kernel, Extent.ONE), groups, Output.Codes.of(INT8));
    }

    private static Shape shapeOf(IntNode node) {
        return graph(node).type(node.name()).shape();
    }

    @Test
    void infersTheShapeOfEveryNode() {
        assertEquals(Shape.of(3, 4, 3), shapeOf(convolution(ones(3, 2, 2, 3), 1)));
        assertEquals(Shape.of(4, 5, 5), shapeOf(convolution(ones(4, 1, 1, 1), 2)));
        Window two = Window.of(Extent.square(2), Extent.square(2));
        assertEquals(Shape.of(2, 2, 2), shapeOf(new MaxPool("p", "q", two)));
        assertEquals(Shape.of(2, 2, 2), shapeOf(new AveragePool("p", "q", two, false, UINT8)));
        assertEquals(Shape.of(2, 1, 1), shapeOf(new GlobalAveragePool("p", "q", UINT8)));
        assertEquals(Shape.of(2, 5, 5), shapeOf(new Add("a", "q", "q", Output.Codes.of(INT8))));
        assertEquals(Shape.of(6, 5, 5), shapeOf(new Concat("j", List.of("q", "q", "q"), UINT8)));
        assertEquals(Shape.of(50), shapeOf(new Reshape("r", "q", Shape.of(50))));
        assertEquals(Shape.of(2, 5, 5), shapeOf(new Dequantize("d", "q")));
    }

    @Test
    void refusesToRectifyWhatIsNoResult() {
        OutputFunction.Rectifier relu = new OutputFunction.Clamp(0, 6);
        assertEquals(
                "rectify 'r' reads codes from 'q'; it takes float32 values that the graph computes,"
                        + " codes are clamped by their bounds or by a Table",
                refusal(() -> graph(new Rectify("r", "q", relu))));
        assertEquals(
                "rectify 'r' reads an input from 'x'; it takes float32 values that the graph"
                        + " computes, codes are clamped by their bounds or by a Table",
                refusal(() -> graph(new Rectify("r", "x", relu))));
    }

    @Test
    void refusesLastFunctionsThatFitNoOutput() {
        List<IntNode> nodes = List.of(INPUT, CODES, new Dequantize("d", "q"));
        List<OutputFunction> softmax = List.of(new OutputFunction.Softmax(3));
        assertEquals(
                "the graph's output 'q' is codes and has the last function [Softmax[axis=3]];"
                        + " dequantize it first",
                refusal(() -> IntGraph.of(nodes, List.of("q"), Map.of("q", softmax))));
        assertEquals(
                "there is a last function of 'd', which is none of the graph's outputs [q]",
                refusal(() -> IntGraph.of(nodes, List.of("q"), Map.of("d", softmax))));
        assertEquals(
                "the graph's output 'd' has examples of shape [2x5x5], which Softmax[axis=3] does"
                        + " not fit",
                refusal(() -> IntGraph.of(nodes, List.of("d"), Map.of("d", softmax))));
    }

    @Test
    void knowsCodesFromValues() {
        IntGraph graph =
                IntGraph.of(List.of(INPUT, CODES, new Dequantize("d", "q")), List.of("d", "q"));
        assertFalse(graph.type("x").isCodes());
        assertEquals(UINT8, graph.type("q").codes());
        assertFalse(graph.type("d").isCodes());
        assertEquals(
                "the tensor holds float32 values, not codes",
                assertThrows(IllegalStateException.class, () -> graph.type("d").codes())
                        .getMessage());
        assertEquals(List.of(INPUT), List.copyOf(graph.inputs()));
    }

    @Test
    void graphsOfEqualNodesAreEqual() {
        IntGraph graph = graph(convolution(ones(3, 2, 2, 2), 1));
        IntGraph same = graph(convolution(ones(3, 2, 2, 2), 1));
        assertEquals(graph, same);
        assertEquals(graph.hashCode(), same.hashCode());
        assertNotEquals(graph, graph(convolution(ones(3, 2, 2, 3), 1)));
    }

    @Test
    void refusesNodesThatAreNotThere() {
        assertEquals(
                "node 'q' reads 'x', which no earlier node makes; there are []",
                refusal(() -> IntGraph.of(List.of(CODES), List.of("q"))));
        assertEquals(
                "two nodes are named 'x'; names must be unique",
                refusal(() -> IntGraph.of(List.of(INPUT, INPUT), List.of("x"))));
        assertEquals(
                "the graph's output 'y' is no node; there are [x]",
                refusal(() -> IntGraph.of(List.of(INPUT), List.of("y"))));
        assertEquals(
                "the graph has no output; name at least one node",
                refusal(() -> IntGraph.of(List.of(INPUT), List.of())));
        assertEquals(
                "an output of the graph is named twice in [q, q]",
                refusal(() -> IntGraph.of(List.of(INPUT, CODES), List.of("q", "q"))));
        assertEquals(
                "there is no node 'z'; there are [x, q]",
                refusal(() -> IntGraph.of(List.of(INPUT, CODES), List.of("q")).type("z")));
        assertEquals(
                "a node of the integer graph has a blank name",
                refusal(() -> new Input(" ", Shape.of(1))));
    }

    @Test
    void refusesTensorsOfTheWrongKindOrShape() {
        assertEquals(
                "quantize 'w' reads codes from 'q'; it takes float32 values, use a Table to change"
                        + " scales",
                refusal(() -> graph(new Quantize("w", "q", UINT8))));
        assertEquals(
                "node 'd' reads float32 values from 'x'; it takes codes, quantize them first",
                refusal(() -> graph(new Dequantize("d", "x"))));
        assertEquals(
                "convolution 'c': 'q' has 2 channels, its weights [3x4x1x1] in 1 groups are for 4",
                refusal(() -> graph(convolution(ones(3, 4, 1, 1), 1))));
        assertEquals(
                "dense 'f': 'q' has shape [2x5x5], its weights [3x50] are for [50]; reshape it first",
                refusal(() -> graph(new Dense("f", "q", ones(3, 50), new Output.Floats()))));
        assertEquals(
                "reshape 'r': 'q' of shape [2x5x5] has 50 elements, [49] has 49",
                refusal(() -> graph(new Reshape("r", "q", Shape.of(49)))));
        IntNode pooled = new MaxPool("p", "q", Window.of(Extent.square(2), Extent.square(2)));
        assertEquals(
                "add 'a': 'q' has shape [2x5x5] and 'p' has [2x2x2]; they must be equal",
                refusal(
                        () ->
                                IntGraph.of(
                                        List.of(
                                                INPUT,
                                                CODES,
                                                pooled,
                                                new Add("a", "q", "p", Output.Codes.of(INT8))),
                                        List.of("a"))));
        assertEquals(
                "concat 'j': 'p' has shape [2x2x2], which does not fit [2x5x5] after the channels",
                refusal(
                        () ->
                                IntGraph.of(
                                        List.of(
                                                INPUT,
                                                CODES,
                                                pooled,
                                                new Concat("j", List.of("q", "p"), UINT8)),
                                        List.of("j"))));
    }

    @Test
    void refusesNodesThatAreNotWellMade() {
        assertEquals(
                "convolution 'c': weights [3x2x2x2] do not fit kernel Extent[height=2, width=2] and"
                        + " 2 groups; they are [out, in / groups, kernel height, kernel width]",
                refusal(() -> convolution(ones(3, 2, 2, 2), 2)));
        assertEquals(
                "convolution 'c' has 0 groups", refusal(() -> convolution(ones(3, 2, 2, 2), 0)));
        assertEquals(
                "dense 'f': weights [3x2x2x2] must be [out, in]",
                refusal(() -> new Dense("f", "q", ones(3, 2, 2, 2), new Output.Floats())));
        assertEquals(
                "concat 'j' has 1 inputs; it needs two or more",
                refusal(() -> new Concat("j", List.of("q"), UINT8)));
        assertEquals(
                "the clamp [0, 200] is not inside the codes [-128, 127]",
                refusal(() -> new Output.Codes(INT8, new CodeRange(0, 200))));
    }

    @Test
    void refusesAWindowThatDoesNotFit() {
        String message = refusal(() -> graph(convolution(ones(1, 2, 6, 1), 1)));
        assertTrue(message.startsWith("node 'c'"), message);
        assertTrue(
                message.contains(
                        "a kernel that reaches over 6 does not fit an image of 5 with its padding"),
                message);
        assertEquals(
                "kernel Extent[height=0, width=1] must be at least 1 x 1",
                refusal(() -> Window.of(new Extent(0, 1), Extent.ONE)));
        assertEquals(
                "stride Extent[height=0, width=0] must be at least 1 x 1",
                refusal(() -> Window.of(Extent.ONE, Extent.ZERO)));
    }

    @Property
    void theNumberOfPositionsIsThatOfSlidingStepByStep(
            @ForAll @IntRange(min = 1, max = 12) int size,
            @ForAll @IntRange(min = 1, max = 4) int kernel,
            @ForAll @IntRange(min = 1, max = 3) int stride,
            @ForAll @IntRange(min = 1, max = 3) int dilation,
            @ForAll @IntRange(min = 0, max = 3) int before,
            @ForAll @IntRange(min = 0, max = 3) int after) {
        int positions = 0;
        for (int at = -before; at + dilation * (kernel - 1) < size + after; at += stride) {
            positions++;
        }
        Window window =
                new Window(
                        Extent.square(kernel),
                        Extent.square(stride),
                        Extent.square(dilation),
                        Extent.square(before),
                        Extent.square(after));
        if (positions > 0) {
            assertEquals(Extent.square(positions), window.over(Extent.square(size)));
        } else {
            assertThrows(IllegalArgumentException.class, () -> window.over(Extent.square(size)));
        }
    }

    /* All inputs at either end of their range, all prefixes of the additions, by brute force. */
    @Property(tries = 200)
    void theCertificateIsReachedAndNeverExceeded(
            @ForAll @IntRange(min = -127, max = 127) int first,
            @ForAll @IntRange(min = -127, max = 127) int second,
            @ForAll @IntRange(min = -127, max = 127) int third,
            @ForAll @IntRange(min = -1000, max = 1000) int bias,
            @ForAll @IntRange(min = 0, max = 255) int zeroPoint) {
        int[] codes = {first, second, third};
        long lowest = Math.min(0, bias);
        long highest = Math.max(0, bias);
        for (int ends = 0; ends < 8; ends++) {
            long negative = Math.min(0, bias);
            long positive = Math.max(0, bias);
            for (int i = 0; i < codes.length; i++) {
                int input = (ends >> i & 1) == 0 ? -zeroPoint : 255 - zeroPoint;
                long product = (long) codes[i] * input;
                negative += Math.min(0, product);
                positive += Math.max(0, product);
            }
            lowest = Math.min(lowest, negative);
            highest = Math.max(highest, positive);
        }
        OverflowCertificate certificate =
                OverflowCertificate.of(
                        WeightTensor.of(
                                Shape.of(1, 3),
                                CodeRange.narrow(8),
                                new byte[] {(byte) first, (byte) second, (byte) third},
                                new float[] {1},
                                new int[] {bias}),
                        new QuantParams(1, zeroPoint, CodeRange.unsigned(8)));
        assertEquals(new OverflowCertificate(lowest, highest, 0), certificate);
        assertTrue(certificate.fitsInt32());
    }

    @Test
    void refusesAnAccumulatorThatCanOverflow() {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(2, 50),
                        CodeRange.narrow(8),
                        new byte[100],
                        new float[] {1, 1},
                        new int[] {0, Integer.MAX_VALUE});
        byte[] codes = weights.codes();
        codes[99] = 1;
        WeightTensor over =
                WeightTensor.of(
                        Shape.of(2, 50),
                        CodeRange.narrow(8),
                        codes,
                        weights.scales(),
                        weights.bias());
        IntNode flat = new Reshape("r", "q", Shape.of(50));
        String message =
                refusal(
                        () ->
                                IntGraph.of(
                                        List.of(
                                                INPUT,
                                                CODES,
                                                flat,
                                                new Dense("f", "r", over, new Output.Floats())),
                                        List.of("f")));
        assertEquals(
                "node 'f': the accumulator of channel 1 can reach [0, 2147483902], which int32 cannot"
                        + " hold; use fewer bits, or a smaller bias",
                message);
    }
}
