// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class StackedLayersTest {

    private static final Window POINT = GemmCases.window(1, 1, 0);

    private static GemmProblem layer(int filters, Output output) {
        return GemmCases.withOutput(
                GemmCases.convolution(GemmCases.image(3, 5, 4), POINT, filters), output);
    }

    private static GemmProblem layer(int filters) {
        return layer(filters, GemmCases.codes(GemmCases.UINT8, 0));
    }

    private static String refusal(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    @Test
    void layersBeginAtMultiplesOfSixteen() {
        StackedLayers stack = new StackedLayers(List.of(layer(17), layer(16), layer(5)));
        assertEquals(
                List.of(0, 32, 48), List.of(stack.offset(0), stack.offset(1), stack.offset(2)));
        GemmProblem problem = stack.problem();
        assertEquals(53, problem.filters());
        assertEquals(15, problem.gaps());
        assertEquals(64, problem.outputPitch());
        assertNull(problem.second());
    }

    @Test
    void codesOfAnotherKindBeginWithTheirFirstLayer() {
        Output.Codes other = GemmCases.codes(GemmCases.INT8, 4);
        GemmProblem problem =
                new StackedLayers(List.of(layer(17), layer(16), layer(5, other), layer(6, other)))
                        .problem();
        assertEquals(new GemmProblem.Second(48, other), problem.second());
    }

    @Test
    void refusesLayersThatAreNoProduct() {
        GemmProblem plain = layer(8);
        assertEquals("a stack of 1 layers", refusal(() -> new StackedLayers(List.of(plain))));
        GemmProblem wide = GemmCases.convolution(GemmCases.image(3, 5, 9), POINT, 8);
        assertTrue(
                refusal(() -> new StackedLayers(List.of(plain, wide)))
                        .startsWith("a stack of layers with different inputs or windows: "));
        GemmProblem floats = layer(8, new Output.Floats());
        assertTrue(
                refusal(() -> new StackedLayers(List.of(plain, floats)))
                        .startsWith("a stack with a layer that has a residual, a pool, or"));
        GemmProblem other = layer(8, GemmCases.codes(GemmCases.INT8, 4));
        assertEquals(
                "a stack of layers with codes of 3 kinds",
                refusal(() -> new StackedLayers(List.of(plain, other, plain))));
    }

    @Test
    void refusesGapsAndKindsThatAreNowhere() {
        assertEquals("8 gaps in 8 filters", refusal(() -> product(8, null, 8)));
        assertEquals(
                "codes of another kind from filter 16 of 16 on; a multiple of 16 below is allowed",
                refusal(() -> product(16, second(16), 0)));
        assertEquals("another kind of codes from filter 0 on", refusal(() -> second(0)));
        assertEquals(
                "layers with codes of two kinds have codes as outputs, and no residual",
                refusal(() -> product(32, second(16), 0).withResidual(GemmCases.residual(32))));
    }

    private static GemmProblem.Second second(int column) {
        return new GemmProblem.Second(column, GemmCases.codes(GemmCases.INT8, 4));
    }

    private static GemmProblem product(int filters, GemmProblem.Second second, int gaps) {
        GemmProblem plain = layer(filters);
        return new GemmProblem(
                plain.image(),
                plain.input(),
                plain.window(),
                filters,
                plain.output(),
                plain.outputPitch(),
                null,
                false,
                false,
                gaps,
                second,
                null);
    }

    @Test
    void weightsOfTheLayersLieBehindOneAnother() {
        GemmProblem problem = new StackedLayers(List.of(layer(2), layer(1))).problem();
        Output codes = problem.output();
        GemmWeights weights =
                GemmWeights.of(
                        problem,
                        List.of(
                                new GemmWeights.Layer(weights(2, 1), codes),
                                new GemmWeights.Layer(weights(1, 40), codes)));
        assertEquals(32 * 16, weights.codes().length);
        assertArrayEquals(new byte[] {1, 2, 3, 0}, Arrays.copyOf(weights.codes(), 4));
        assertArrayEquals(
                new byte[] {40, 41, 42, 0}, Arrays.copyOfRange(weights.codes(), 256, 260));
        assertEquals(7, weights.bias()[0]);
        assertEquals(0, weights.bias()[2]);
        assertEquals(46, weights.bias()[16]);
        assertEquals(
                "weights of 2 filters for a product of 3",
                refusal(() -> GemmWeights.of(problem, weights(2, 1))));
    }

    /* Codes from `first` on; the bias of a filter is that and 6. */
    private static WeightTensor weights(int filters, int first) {
        byte[] codes = new byte[filters * 3];
        float[] scales = new float[filters];
        int[] bias = new int[filters];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (first + i);
        }
        Arrays.fill(scales, 0.5f);
        Arrays.setAll(bias, i -> first + 6 + i);
        return WeightTensor.of(
                Shape.of(filters, 3, 1, 1), CodeRange.narrow(8), codes, scales, bias);
    }

    @Test
    void theCostIsThatOfTheLayersButForWhatIsReadOnce() {
        GemmProblem small = layer(32);
        GemmProblem large = layer(64);
        KernelCost apart = cost(small);
        KernelCost other = cost(large);
        KernelCost both = cost(new StackedLayers(List.of(small, large)).problem());
        assertEquals(apart.operations() + other.operations(), both.operations());
        assertEquals(apart.constantBytes() + other.constantBytes(), both.constantBytes());
        assertEquals(apart.bytes() + other.bytes() - 5 * 4 * 16, both.bytes());
        KernelCost gaps = cost(new StackedLayers(List.of(layer(3), layer(2))).problem());
        assertEquals(cost(layer(5)).operations(), gaps.operations());
    }

    private static KernelCost cost(GemmProblem problem) {
        return KernelCost.of(GemmKernel.of(problem, Tile.M64_N64_K64, Architecture.SM_80));
    }
}
