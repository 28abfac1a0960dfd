// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.fakequant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.dl4jquant.nd.Channels;
import org.dl4jquant.nd.Layouts;
import org.dl4jquant.nd.RowMajor;
import org.dl4jquant.numeric.CodeRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The pass over host memory equals the ND4J operations, for every layout and every channel axis.
 */
final class KernelsAgreeTest {

    /* More than one chunk, and no multiple of it. */
    private static final long[] SHAPE = {7, 6, 13, 11};
    private static final int LENGTH = 7 * 6 * 13 * 11;

    /* Both add the same float32 products in float64, in different orders. */
    private static final double SUM_TOLERANCE = 1e-12;

    /* What each estimator makes of gradients; 0.37 is far more than EWGS would use. */
    private static final List<GradientRule> RULES =
            List.of(GradientRule.LSQ, GradientRule.PACT, new GradientRule(.37, true));

    private static final Kernels FUSED = HostKernels.INSTANCE;
    private static final Kernels OPERATIONS = Nd4jKernels.INSTANCE;

    static List<Channels> channels() {
        return List.of(
                Channels.NONE,
                Channels.axis(0),
                Channels.axis(1),
                Channels.axis(3),
                Channels.merged(0, 1),
                Channels.merged(1, 0),
                Channels.merged(3, 1));
    }

    @ParameterizedTest
    @MethodSource("channels")
    void forward(Channels channels) {
        Grid grid = new Grid(CodeRange.unsigned(4), 5, channels);
        INDArray scale = scales(channels);
        agree((kernels, in, upstream, out) -> kernels.round(grid, in, scale, out));
        agree((kernels, in, upstream, out) -> kernels.quantize(grid, in, scale, out));
    }

    @ParameterizedTest
    @MethodSource("channels")
    void backward(Channels channels) {
        Grid grid = new Grid(CodeRange.signed(4), 0, channels);
        INDArray scale = scales(channels);
        for (GradientRule rule : RULES) {
            for (Pass pass :
                    List.<Pass>of(
                            (kernels, in, upstream, out) ->
                                    kernels.mask(grid, rule, in, scale, upstream, out),
                            (kernels, in, upstream, out) ->
                                    kernels.gradients(grid, rule, in, scale, upstream, out))) {
                agree(pass);
                agreeInPlaceOfUpstream(pass);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("channels")
    void scaleGradients(Channels channels) {
        RULES.forEach(rule -> scaleGradients(channels, rule));
    }

    private static void scaleGradients(Channels channels, GradientRule rule) {
        Grid grid = new Grid(CodeRange.narrow(3), 0, channels);
        INDArray scale = scales(channels);
        INDArray upstream = upstream().get("c");
        double[] expected =
                OPERATIONS.gradients(
                        grid, rule, values().get("c"), scale, upstream, upstream.ulike());
        for (Kernels kernels : List.of(OPERATIONS, FUSED)) {
            for (String layout : values().keySet()) {
                double[] sums =
                        kernels.gradients(
                                grid,
                                rule,
                                values().get(layout),
                                scale,
                                upstream,
                                zeros().get(layout));
                assertArrayEquals(expected, sums, SUM_TOLERANCE * LENGTH, layout);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("channels")
    void sumsOfClippedGradients(Channels channels) {
        Grid grid = new Grid(CodeRange.narrow(3), 0, channels);
        INDArray scale = scales(channels);
        INDArray upstream = upstream().get("c");
        double[] expected = OPERATIONS.clippedSums(grid, values().get("c"), scale, upstream);
        for (Kernels kernels : List.of(OPERATIONS, FUSED)) {
            for (String layout : values().keySet()) {
                double[] sums = kernels.clippedSums(grid, values().get(layout), scale, upstream);
                assertArrayEquals(expected, sums, SUM_TOLERANCE * LENGTH, layout);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("channels")
    void requantization(Channels channels) {
        RequantizeSteps multiplied =
                RequantizeSteps.multiplying(RowMajor.floats(scales(channels)), channels);
        RequantizeSteps.Bounds bounds = new RequantizeSteps.Bounds(-3, 4);
        float[] table = {9, 8, 7, 6, 5, 4, 3, 2};
        for (RequantizeSteps steps :
                List.of(
                        multiplied,
                        multiplied.thenScaled(bounds, .3f),
                        multiplied.thenLookedUp(bounds, table),
                        RequantizeSteps.dividing(.2f).thenLookedUp(bounds, table))) {
            agree((kernels, in, upstream, out) -> kernels.requantize(steps, in, out));
        }
    }

    @Test
    void halfPrecision() {
        agree((kernels, in, upstream, out) -> kernels.roundToHalf(in, out));
    }

    @Property(tries = 200, edgeCases = EdgeCasesMode.NONE)
    void gradientsOfValuesThatAreHardToRound(@ForAll("cases") Floats.Case given) {
        RULES.forEach(rule -> gradientsAgree(given, rule));
    }

    private static void gradientsAgree(Floats.Case given, GradientRule rule) {
        int length = given.values().size();
        INDArray values = RowMajor.array(given.array(), length);
        INDArray scale = RowMajor.array(new float[] {given.scale()}, 1);
        INDArray upstream = RowMajor.array(Floats.normal(length, 1, 3), length);
        INDArray fused = upstream.ulike();
        INDArray operations = upstream.ulike();
        double[] fusedSum = FUSED.gradients(given.grid(), rule, values, scale, upstream, fused);
        double[] sum =
                OPERATIONS.gradients(given.grid(), rule, values, scale, upstream, operations);
        assertEquals(operations, fused);
        assertArrayEquals(sum, fusedSum, SUM_TOLERANCE * length * 255);
        FUSED.mask(given.grid(), rule, values, scale, upstream, fused);
        assertEquals(operations, fused);
    }

    @Provide
    Arbitrary<Floats.Case> cases() {
        return Floats.cases();
    }

    /** One call of an implementation; only a backward pass reads the upstream gradients. */
    private interface Pass {
        void run(Kernels kernels, INDArray in, INDArray upstream, INDArray out);
    }

    /** Every layout of the values into every layout of the result, and in place. */
    private static void agree(Pass pass) {
        float[] expected = expected(pass);
        for (Map.Entry<String, INDArray> in : values().entrySet()) {
            for (Map.Entry<String, INDArray> out : zeros().entrySet()) {
                String name = in.getKey() + " to " + out.getKey();
                pass.run(FUSED, in.getValue(), upstream().get(out.getKey()), out.getValue());
                assertArrayEquals(expected, RowMajor.floats(out.getValue()), name);
                assertTrue(Layouts.gapsAreUntouched(out.getValue()), name);
            }
        }
        for (Kernels kernels : List.of(FUSED, OPERATIONS)) {
            for (Map.Entry<String, INDArray> in : values().entrySet()) {
                INDArray values = in.getValue();
                pass.run(kernels, values, upstream().get("c"), values);
                assertArrayEquals(expected, RowMajor.floats(values), in.getKey());
                assertTrue(Layouts.gapsAreUntouched(values), in.getKey());
            }
        }
    }

    private static void agreeInPlaceOfUpstream(Pass pass) {
        float[] expected = expected(pass);
        for (Kernels kernels : List.of(FUSED, OPERATIONS)) {
            for (Map.Entry<String, INDArray> layout : upstream().entrySet()) {
                INDArray upstream = layout.getValue();
                pass.run(kernels, values().get("f"), upstream, upstream);
                assertArrayEquals(expected, RowMajor.floats(upstream), layout.getKey());
                assertTrue(Layouts.gapsAreUntouched(upstream), layout.getKey());
            }
        }
    }

    private static float[] expected(Pass pass) {
        INDArray result = Nd4j.createUninitialized(SHAPE);
        pass.run(OPERATIONS, values().get("c"), upstream().get("c"), result);
        return RowMajor.floats(result);
    }

    private static Map<String, INDArray> zeros() {
        return Layouts.of(new float[LENGTH], SHAPE);
    }

    private static Map<String, INDArray> values() {
        return Layouts.of(Floats.normal(LENGTH, 1, 1), SHAPE);
    }

    private static Map<String, INDArray> upstream() {
        return Layouts.of(Floats.normal(LENGTH, 1, 2), SHAPE);
    }

    /** Different for each channel; as a view into a row, like a network's parameters. */
    private static INDArray scales(Channels channels) {
        float[] scales = new float[channels.count(SHAPE)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = .05f + i * .013f;
        }
        return Layouts.of(scales, scales.length).get("c in a row");
    }
}
