// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions of groups under the shim, against the reference engine. */
class GroupedConvolutionTest {

    private static final int TRIES = 40;

    /** A batch so large that threads make many pixels each. */
    private static final int LARGE = 4096;

    private static void requireEqual(GroupedTrial.Case problem, long seed) {
        GroupedTrial trial = new GroupedTrial(problem, seed);
        for (int batch : new int[] {1, LARGE}) {
            for (long schedule : new long[] {0, 1, seed + 2}) {
                assertEquals(
                        Optional.empty(),
                        trial.fault(EmulatedKernels.available(), trial.kernel(batch), schedule),
                        trial + " with " + trial.kernel(batch));
            }
        }
    }

    @Property(tries = TRIES, shrinking = ShrinkingMode.OFF)
    void aRandomConvolutionIsExact(@ForAll("seeds") long seed) {
        requireEqual(problem(new Random(seed)), seed);
    }

    @Provide
    Arbitrary<Long> seeds() {
        return Arbitraries.longs().between(0, Long.MAX_VALUE / 2);
    }

    private static GroupedTrial.Case problem(Random random) {
        Window window =
                new Window(
                        new Extent(1 + random.nextInt(5), 1 + random.nextInt(9)),
                        new Extent(1 + random.nextInt(3), 1 + random.nextInt(3)),
                        new Extent(1 + random.nextInt(3), 1 + random.nextInt(4)),
                        new Extent(random.nextInt(4), random.nextInt(4)),
                        new Extent(random.nextInt(4), random.nextInt(4)));
        int each = random.nextInt(3) > 0 ? 1 : 1 + random.nextInt(9); // channels of a group
        int groups = 2 + random.nextInt(40 / each);
        int filters = groups * (1 + random.nextInt(each == 1 ? 3 : 5));
        ImageLayout natural =
                GemmCases.image(
                        each * groups,
                        size(random, window.kernel().height(), window.dilation().height()),
                        size(random, window.kernel().width(), window.dilation().width()));
        ImageLayout image = natural.withPitch(natural.pitch() + 16 * random.nextInt(2));
        boolean floats = random.nextInt(5) == 0;
        return new GroupedTrial.Case(
                image,
                params(random),
                window,
                groups,
                filters,
                floats ? new Output.Floats() : codes(random),
                ImageLayout.padded(filters) + 16 * random.nextInt(3),
                1 + random.nextInt(3));
    }

    private static int size(Random random, int kernel, int dilation) {
        return dilation * (kernel - 1) + 1 + random.nextInt(14);
    }

    private static QuantParams params(Random random) {
        CodeRange range = random.nextBoolean() ? GemmCases.UINT8 : GemmCases.INT8;
        int[] zeroPoints = {0, range.min(), range.max(), range.min() + random.nextInt(256)};
        return GemmCases.params(range, zeroPoints[random.nextInt(zeroPoints.length)]);
    }

    private static Output.Codes codes(Random random) {
        QuantParams params = params(random);
        int least = params.range().min() + (random.nextBoolean() ? 0 : 20);
        return new Output.Codes(params, new CodeRange(least, params.range().max() - 7));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13})
    void everyWidthOfAKernelIsExact(int width) {
        for (int stride = 1; stride <= 3; stride++) {
            Window window =
                    new Window(
                            new Extent(3, width),
                            new Extent(stride, stride),
                            Extent.ONE,
                            new Extent(1, width / 2),
                            new Extent(1, width / 2));
            requireEqual(
                    GroupedTrial.Case.depthwise(GemmCases.image(21, 11, 29), window)
                            .withInput(GemmCases.params(GemmCases.INT8, -128)),
                    width);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 7})
    void severalFiltersSeeOneChannel(int multiplier) {
        ImageLayout image = GemmCases.image(19, 9, 10);
        requireEqual(
                GroupedTrial.Case.of(image, GemmCases.window(3, 1, 1), 19, 19 * multiplier), 3);
    }

    @Test
    void aTallKernelIsTakenRowByRow() {
        requireEqual(
                GroupedTrial.Case.depthwise(
                        GemmCases.image(20, 30, 31), GemmCases.window(31, 1, 15)),
                4);
    }

    @Test
    void aKernelTooWideForTheRegistersIsExact() {
        Window window =
                new Window(
                        new Extent(1, 101),
                        Extent.ONE,
                        Extent.ONE,
                        new Extent(0, 100),
                        Extent.ZERO);
        GroupedTrial.Case problem = GroupedTrial.Case.depthwise(GemmCases.image(9, 1, 140), window);
        assertEquals("grouped.cu", new GroupedTrial(problem, 0).kernel(1).file());
        requireEqual(problem, 5);
    }

    @Test
    void smallPixelsAreExact() {
        requireEqual(
                GroupedTrial.Case.depthwise(
                        GemmCases.image(3, 12, 9).withPitch(4), GemmCases.window(3, 1, 1)),
                6);
    }

    /** Channels, height and width, stride. */
    private static final List<int[]> MOBILE_NET_V2 =
            List.of(
                    new int[] {32, 112, 1},
                    new int[] {96, 112, 2},
                    new int[] {144, 56, 1},
                    new int[] {144, 56, 2},
                    new int[] {192, 28, 1},
                    new int[] {192, 28, 2},
                    new int[] {384, 14, 1},
                    new int[] {576, 14, 1},
                    new int[] {576, 14, 2},
                    new int[] {960, 7, 1});

    @Test
    void allDepthwiseLayersOfMobileNetV2AreExact() {
        EmulatedKernels.available();
        List<String> faults =
                MOBILE_NET_V2.parallelStream()
                        .map(
                                layer ->
                                        GroupedTrial.Case.depthwise(
                                                GemmCases.image(layer[0], layer[1], layer[1]),
                                                GemmCases.window(3, layer[2], 1)))
                        .map(problem -> new GroupedTrial(problem.withExamples(1), 7))
                        .map(trial -> mobileNetFault(trial).map(fault -> trial + ": " + fault))
                        .flatMap(Optional::stream)
                        .toList();
        assertEquals(List.of(), faults);
    }

    private static Optional<String> mobileNetFault(GroupedTrial trial) {
        KernelSpec kernel = trial.kernel(LARGE);
        assertEquals("depthwise.cu", kernel.file());
        return trial.fault(EmulatedKernels.available(), kernel, 0);
    }

    @Test
    void refusesAnImageOfOtherChannels() {
        WeightTensor weights =
                WeightTensor.of(
                        Shape.of(6, 2, 1, 1),
                        GemmCases.NARROW,
                        new byte[12],
                        new float[] {1, 1, 1, 1, 1, 1},
                        new int[6]);
        Convolution node =
                new Convolution(
                        "c", "x", weights, GemmCases.window(1, 1, 0), 3, new Output.Floats());
        assertEquals(
                "convolution 'c' has weights [6x2x1x1] in 3 groups for an image of 5 channels",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        GroupedConvolution.of(
                                                node,
                                                GemmCases.image(5, 2, 2),
                                                GemmCases.params(GemmCases.INT8, 0)))
                        .getMessage());
    }
}
