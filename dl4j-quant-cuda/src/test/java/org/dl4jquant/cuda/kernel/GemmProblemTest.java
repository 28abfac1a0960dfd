// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a product may be, and how its weights lie. */
class GemmProblemTest {

    private static final Output CODES = GemmCases.codes(GemmCases.UINT8, 0);
    private static final Window POINT = GemmCases.window(1, 1, 0);

    private static WeightTensor weights(Shape shape, CodeRange range, int... codes) {
        byte[] bytes = new byte[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            bytes[i] = (byte) codes[i];
        }
        float[] scales = new float[shape.size(0)];
        Arrays.fill(scales, 0.5f);
        return WeightTensor.of(shape, range, bytes, scales, new int[shape.size(0)]);
    }

    private static String refusal(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    @Test
    void aConvolutionIsItsOwnWindow() {
        WeightTensor weights = weights(Shape.of(5, 2, 3, 3), CodeRange.narrow(8));
        Convolution node = new Convolution("c", "x", weights, GemmCases.window(3, 2, 1), 1, CODES);
        GemmProblem problem =
                GemmProblem.of(
                        node, GemmCases.image(2, 8, 6), GemmCases.params(GemmCases.UINT8, 0));
        assertEquals(Shape.of(5, 4, 3), problem.resultShape());
        assertEquals(16, problem.outputPitch());
        assertEquals(
                "convolution 'c' has weights [5x2x3x3] for an image of 3 channels",
                refusal(() -> GemmProblem.of(node, GemmCases.image(3, 8, 6), problem.input())));
        Convolution grouped =
                new Convolution(
                        "g",
                        "x",
                        weights(Shape.of(4, 1, 3, 3), CodeRange.narrow(8)),
                        GemmCases.window(3, 2, 1),
                        2,
                        CODES);
        assertEquals(
                "convolution 'g' has 2 groups; a product of matrices has one",
                refusal(() -> GemmProblem.of(grouped, GemmCases.image(2, 8, 6), problem.input())));
    }

    @Test
    void aDenseLayersWindowIsTheWholeImage() {
        Dense node =
                new Dense(
                        "d",
                        "x",
                        weights(Shape.of(5, 24), CodeRange.narrow(8)),
                        new Output.Floats());
        QuantParams input = GemmCases.params(GemmCases.UINT8, 0);
        GemmProblem problem = GemmProblem.of(node, GemmCases.image(2, 3, 4), input);
        assertEquals(new Window.Extent(3, 4), problem.window().kernel());
        assertEquals(Shape.of(5, 1, 1), problem.resultShape());
        assertEquals(
                "dense 'd' has weights [5x24] for an image of 2 x 3 x 5",
                refusal(() -> GemmProblem.of(node, GemmCases.image(2, 3, 5), input)));
    }

    @Test
    void layoutsComeFromShapes() {
        assertEquals(new ImageLayout(3, 5, 7, 16), ImageLayout.of(Shape.of(3, 5, 7)));
        assertEquals(new ImageLayout(40, 1, 1, 48), ImageLayout.of(Shape.of(40)));
        assertEquals(5 * 7 * 16, ImageLayout.of(Shape.of(3, 5, 7)).bytes());
        assertEquals(
                "shape [3x5] is neither [channels, height, width] nor [n]",
                refusal(() -> ImageLayout.of(Shape.of(3, 5))));
    }

    @Test
    void refusesLayoutsThatNoKernelReads() {
        assertEquals(
                "a pitch of 20 bytes for 3 channels; a multiple of 16, or 4, is allowed",
                refusal(() -> new ImageLayout(3, 2, 2, 20)));
        assertEquals(
                "a pitch of 4 bytes for 5 channels; a multiple of 16, or 4, is allowed",
                refusal(() -> new ImageLayout(5, 2, 2, 4)));
        assertEquals(
                "an image of 0 channels, 2 rows and 2 columns",
                refusal(() -> new ImageLayout(0, 2, 2, 16)));
    }

    @Test
    void refusesProductsThatDoNotFit() {
        GemmProblem problem = GemmCases.convolution(GemmCases.image(16, 4, 4), POINT, 20);
        assertEquals(
                "a product of 0 filters",
                refusal(() -> GemmCases.convolution(GemmCases.image(16, 4, 4), POINT, 0)));
        assertEquals(
                "an output pitch of 16 bytes for 20 filters; a multiple of 16 from 32 on is allowed",
                refusal(() -> problem.withOutputPitch(16)));
        assertEquals(
                "a residual pitch of 40 bytes for 20 filters; a multiple of 16 from 32 on is"
                        + " allowed",
                refusal(
                        () ->
                                problem.withResidual(
                                        new Residual(
                                                problem.input(),
                                                40,
                                                true,
                                                GemmCases.codes(GemmCases.UINT8, 0)))));
        assertEquals(
                "a residual is added to codes, not to float32 values",
                refusal(
                        () ->
                                GemmCases.withOutput(problem, new Output.Floats())
                                        .withResidual(GemmCases.residual(20))));
        GemmProblem deep = GemmCases.convolution(GemmCases.image(70_000, 1, 1), POINT, 20);
        assertEquals(
                "sums of 70000 products are too long for packed weights; at most 65793 are"
                        + " allowed, use weights of one byte",
                refusal(deep::withPackedWeights));
    }

    @Test
    void weightsLieChannelsLast() {
        GemmProblem problem =
                GemmCases.convolution(
                        GemmCases.image(2, 4, 4),
                        Window.of(new Window.Extent(1, 2), Window.Extent.ONE),
                        1);
        byte[] codes =
                GemmWeights.of(
                                problem,
                                weights(Shape.of(1, 2, 1, 2), CodeRange.narrow(8), 1, 2, 3, 4))
                        .codes();
        assertEquals(16 * 2 * 16, codes.length);
        assertArrayEquals(new byte[] {1, 3, 0}, Arrays.copyOf(codes, 3));
        assertArrayEquals(new byte[] {2, 4, 0}, Arrays.copyOfRange(codes, 16, 19));
        byte[] small =
                GemmWeights.of(
                                GemmProblem.plain(
                                        problem.image().withPitch(4),
                                        problem.input(),
                                        problem.window(),
                                        1,
                                        CODES),
                                weights(Shape.of(1, 2, 1, 2), CodeRange.narrow(8), 1, 2, 3, 4))
                        .codes();
        assertEquals(16 * 16, small.length);
        assertArrayEquals(new byte[] {1, 3, 0, 0, 2, 4, 0, 0, 0}, Arrays.copyOf(small, 9));
    }

    @Test
    void packedWeightsLieSixteenApart() {
        GemmProblem problem =
                GemmCases.convolution(GemmCases.image(32, 1, 1), POINT, 1).withPackedWeights();
        int[] codes = new int[32];
        codes[1] = 5;
        codes[17] = -7;
        byte[] packed =
                GemmWeights.of(problem, weights(Shape.of(1, 32, 1, 1), CodeRange.narrow(4), codes))
                        .codes();
        assertEquals(16 * 16, packed.length);
        assertEquals((byte) 0x95, packed[1]);
        assertEquals(
                "weight codes [-127, 127] do not fit 4 bits; leave them unpacked",
                refusal(
                        () ->
                                GemmWeights.of(
                                        problem,
                                        weights(
                                                Shape.of(1, 32, 1, 1),
                                                CodeRange.narrow(8),
                                                codes))));
    }

    @Test
    void theZeroPointEntersTheBias() {
        GemmProblem problem =
                GemmCases.withInput(
                        GemmCases.convolution(GemmCases.image(3, 1, 1), POINT, 1),
                        GemmCases.params(GemmCases.UINT8, 10));
        GemmWeights packed =
                GemmWeights.of(
                        problem, weights(Shape.of(1, 3, 1, 1), CodeRange.narrow(8), 1, 2, -7));
        assertEquals(40, packed.bias()[0]);
        assertEquals(0, packed.bias()[1]);
        assertEquals(0.05f * 0.5f / 0.05f, packed.multipliers()[0]);
        assertEquals(0, packed.multipliers()[15]);
    }

    @Test
    void refusesWeightsOfAnotherProduct() {
        GemmProblem problem = GemmCases.convolution(GemmCases.image(3, 1, 1), POINT, 1);
        assertEquals(
                "weights [1x4x1x1] for 1 filters of 3 channels, Extent[height=1, width=1]",
                refusal(
                        () ->
                                GemmWeights.of(
                                        problem,
                                        weights(Shape.of(1, 4, 1, 1), CodeRange.narrow(8)))));
        GemmProblem tiny =
                GemmCases.withOutput(
                        GemmCases.withInput(problem, new QuantParams(1e30f, 0, GemmCases.UINT8)),
                        Output.Codes.of(new QuantParams(1e-30f, 0, GemmCases.UINT8)));
        assertEquals(
                "the multiplier of channel 0 is Infinity: input scale 1.0E30, weight scale 0.5; use"
                        + " a larger output scale",
                refusal(
                        () ->
                                GemmWeights.of(
                                        tiny, weights(Shape.of(1, 3, 1, 1), CodeRange.narrow(8)))));
    }
}
