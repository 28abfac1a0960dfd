// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.graph.node.Window.Extent;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/** The reference's convolution against the sum that defines it, weight by weight. */
class ConvolutionKernelTest {

    private static final int EXAMPLES = 2;
    private static final int ZERO = 7;
    private static final QuantParams INPUT = new QuantParams(1, ZERO, CodeRange.unsigned(8));

    @Property(tries = 200)
    void aConvolutionIsTheSumOfItsDefinition(@ForAll long seed) {
        Random random = new Random(seed);
        int groups = 1 + random.nextInt(3);
        int channels = groups * (1 + random.nextInt(3));
        int filters = groups * (1 + random.nextInt(18));
        Window window = window(random);
        Shape image =
                Shape.of(
                        channels,
                        window.dilation().height() * window.kernel().height() + random.nextInt(6),
                        window.dilation().width() * window.kernel().width() + random.nextInt(6));
        Shape shape =
                Shape.of(
                        filters,
                        channels / groups,
                        window.kernel().height(),
                        window.kernel().width());
        WeightTensor weights = weights(shape, random);
        IntGraph graph =
                SmallGraphs.graph(
                        image,
                        INPUT,
                        new Convolution("y", "q", weights, window, groups, new Output.Floats()));
        float[] values = new float[EXAMPLES * image.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(256) - ZERO;
        }
        Shape result = graph.type("y").shape();
        List<Float> found = new ArrayList<>();
        try (Engine engine = Engine.open("reference", graph)) {
            Batch batch =
                    engine.run(Map.of("x", Batch.Floats.of(EXAMPLES, image, values))).get("y");
            for (float value : ((Batch.Floats) batch).values()) {
                found.add(value);
            }
        }
        assertEquals(new Sums(image, weights, window, groups).of(values, result), found);
    }

    private record Sums(Shape image, WeightTensor weights, Window window, int groups) {

        List<Float> of(float[] values, Shape result) {
            List<Float> sums = new ArrayList<>();
            for (int example = 0; example < EXAMPLES; example++) {
                for (int filter = 0; filter < result.size(0); filter++) {
                    for (int y = 0; y < result.size(1); y++) {
                        for (int x = 0; x < result.size(2); x++) {
                            sums.add((float) sum(values, example, filter, y, x));
                        }
                    }
                }
            }
            return sums;
        }

        private int sum(float[] values, int example, int filter, int outY, int outX) {
            int sum = weights.bias(filter);
            int each = weights.shape().size(1);
            int group = filter / (weights.channels() / groups);
            int weight = filter * weights.weightsPerChannel();
            for (int channel = group * each; channel < (group + 1) * each; channel++) {
                int plane = (example * image.size(0) + channel) * image.size(1);
                for (int i = 0; i < window.kernel().height(); i++) {
                    int y = at(outY, i, true);
                    for (int j = 0; j < window.kernel().width(); j++) {
                        int x = at(outX, j, false);
                        boolean inside = y >= 0 && y < image.size(1) && x >= 0 && x < image.size(2);
                        int value = inside ? (int) values[(plane + y) * image.size(2) + x] : 0;
                        sum += weights.code(weight++) * value;
                    }
                }
            }
            return sum;
        }

        private int at(int out, int tap, boolean vertical) {
            Extent stride = window.stride();
            Extent dilation = window.dilation();
            return vertical
                    ? out * stride.height() + tap * dilation.height() - window.before().height()
                    : out * stride.width() + tap * dilation.width() - window.before().width();
        }
    }

    private static Window window(Random random) {
        return new Window(
                new Extent(1 + random.nextInt(4), 1 + random.nextInt(4)),
                new Extent(1 + random.nextInt(3), 1 + random.nextInt(3)),
                new Extent(1 + random.nextInt(2), 1 + random.nextInt(2)),
                new Extent(random.nextInt(3), random.nextInt(3)),
                new Extent(random.nextInt(3), random.nextInt(3)));
    }

    private static WeightTensor weights(Shape shape, Random random) {
        byte[] codes = new byte[shape.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(255) - 127);
        }
        float[] scales = new float[shape.size(0)];
        int[] bias = new int[scales.length];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = 1;
            bias[i] = random.nextInt(2001) - 1000;
        }
        return WeightTensor.of(shape, CodeRange.narrow(8), codes, scales, bias);
    }
}
