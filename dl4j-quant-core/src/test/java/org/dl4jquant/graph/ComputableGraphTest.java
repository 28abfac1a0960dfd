// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.AveragePool;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.GlobalAveragePool;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
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

/** A graph that no engine could compute as the contract says is refused when it is made. */
class ComputableGraphTest {

    private static final QuantParams ONE = uint8(1f);

    private static QuantParams uint8(float scale) {
        return new QuantParams(scale, 0, CodeRange.unsigned(8));
    }

    private static String refusal(Shape input, IntNode... nodes) {
        List<IntNode> all = new ArrayList<>();
        all.add(new Input("x", input));
        all.add(new Quantize("q", "x", ONE));
        all.addAll(Arrays.asList(nodes));
        List<String> outputs = List.of(all.get(all.size() - 1).name());
        return assertThrows(IllegalArgumentException.class, () -> IntGraph.of(all, outputs))
                .getMessage();
    }

    private static IntNode dense(float weightScale, Output output) {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(1, 1),
                        CodeRange.narrow(8),
                        new byte[1],
                        new float[] {weightScale},
                        new int[1]);
        return new Dense("d", "q", weights, output);
    }

    @Test
    void refusesScalesWhoseMultiplierIsNotFinite() {
        assertEquals(
                "node 'd': the scales of channel 0 (input 1.0, weights 1.0E30) give the multiplier"
                        + " Infinity, which is not finite; choose scales nearer to each other",
                refusal(Shape.of(1), dense(1e30f, Output.Codes.of(uint8(1e-20f)))));
    }

    @Test
    void refusesASumThatCouldWrapAround() {
        assertEquals(
                "node 's': a scale of 1.0 is 1.0E7 times the result's 1.0E-7; at most 1048576.0"
                        + " times can be added, give the result a larger scale",
                refusal(Shape.of(1), new Add("s", "q", "q", Output.Codes.of(uint8(1e-7f)))));
    }

    @Test
    void refusesAMeanThatCouldWrapAround() {
        assertEquals(
                "node 'm': a scale of 1.0 is 1.0E7 times the result's 1.0E-7; at most 1048576.0"
                        + " times can be averaged, give the result a larger scale",
                refusal(
                        Shape.of(1, 2, 2),
                        new AveragePool(
                                "m",
                                "q",
                                Window.of(new Extent(1, 2), Extent.ONE),
                                false,
                                uint8(1e-7f))));
    }

    @Test
    void refusesAMeanOfAnImageThatOnnxRuntimeRefuses() {
        String message =
                "node 'm': a mean over 4 elements of scale 1.0 with result scale 1.0E-4 has the"
                        + " multiplier 2500.0, outside [2^-32, 256); choose a result scale nearer"
                        + " to the input's";
        Shape image = Shape.of(1, 2, 2);
        assertEquals(message, refusal(image, new GlobalAveragePool("m", "q", uint8(1e-4f))));
        Window whole = Window.of(Extent.square(2), Extent.ONE);
        assertEquals(message, refusal(image, new AveragePool("m", "q", whole, true, uint8(1e-4f))));
    }

    @Test
    void refusesAMaxPoolWithAWindowInThePaddingOnly() {
        Window window =
                new Window(
                        Extent.square(2),
                        Extent.ONE,
                        Extent.square(3),
                        Extent.ONE,
                        Extent.square(1));
        assertEquals(
                "pool 'm': the window at 0 of axis 1 sees padding only in an image [1x2x2]; use"
                        + " less dilation or padding",
                refusal(Shape.of(1, 2, 2), new MaxPool("m", "q", window)));
    }

    @Test
    void refusesPaddingAsLargeAsThePoolsKernel() {
        Window window =
                new Window(Extent.square(2), Extent.ONE, Extent.ONE, Extent.ZERO, new Extent(0, 2));
        String message =
                assertThrows(IllegalArgumentException.class, () -> new MaxPool("m", "q", window))
                        .getMessage();
        assertEquals(
                "pool 'm': padding Extent[height=0, width=0] and Extent[height=0, width=2] must be"
                        + " smaller than the kernel Extent[height=2, width=2], or a window would"
                        + " see padding only",
                message);
    }

    @Test
    void refusesToQuantizeWhatTheGraphComputed() {
        assertEquals(
                "quantize 'again' reads 'd', which the graph computes from codes; let the node"
                        + " before it make codes, or use a Table to change scales",
                refusal(
                        Shape.of(1),
                        dense(1f, new Output.Floats()),
                        new Quantize("again", "d", ONE)));
        assertEquals(
                "quantize 'again' reads 'r', which the graph computes from codes; let the node"
                        + " before it make codes, or use a Table to change scales",
                refusal(
                        Shape.of(1),
                        new Dequantize("f", "q"),
                        new Reshape("r", "f", Shape.of(1, 1)),
                        new Quantize("again", "r", ONE)));
    }

    @Test
    void refusesAnInputAsOutput() {
        List<IntNode> input = List.of(new Input("x", Shape.of(1)));
        assertEquals(
                "the graph's output 'x' is an input; name what is computed from it",
                assertThrows(IllegalArgumentException.class, () -> IntGraph.of(input, List.of("x")))
                        .getMessage());
    }

    @Test
    void refusesATableWithEntriesOutsideTheCodes() {
        byte[] entries = new byte[CodeTable.SIZE];
        entries[17] = 16;
        CodeTable table = CodeTable.of(entries);
        QuantParams nibble = new QuantParams(1f, 0, CodeRange.unsigned(4));
        assertEquals(
                "table 't' has the entry 16, which is outside the codes [0, 15]",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new Table("t", "q", table, nibble))
                        .getMessage());
    }
}
