// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * One convolution of groups with random codes, its result by the reference engine, and its result
 * by an emulated kernel.
 */
final class GroupedTrial {

    private static final float WEIGHT_SCALE = 0.01f;

    /** Results spread over about this many codes. */
    private static final double SPREAD = 60;

    private final Case problem;
    private final Convolution node;
    private final byte[] input;
    private final Batch expected;

    /**
     * What is tried.
     *
     * @param image where the input lies
     * @param input how its codes stand for values
     * @param window kernel, stride, dilation, padding
     * @param groups how many
     * @param filters of all groups
     * @param output codes, whose scale is replaced by one that makes results spread, or values
     * @param pitch bytes from one pixel of the output codes to the next
     * @param examples the batch
     */
    record Case(
            ImageLayout image,
            QuantParams input,
            Window window,
            int groups,
            int filters,
            Output output,
            int pitch,
            int examples) {

        /** {@return uint8 codes with ReLU, as networks mostly have it, in batches of 2} */
        static Case of(ImageLayout image, Window window, int groups, int filters) {
            return new Case(
                    image,
                    GemmCases.params(GemmCases.UINT8, 0),
                    window,
                    groups,
                    filters,
                    GemmCases.codes(GemmCases.UINT8, 0),
                    ImageLayout.padded(filters),
                    2);
        }

        static Case depthwise(ImageLayout image, Window window) {
            return of(image, window, image.channels(), image.channels());
        }

        Case withInput(QuantParams params) {
            return new Case(image, params, window, groups, filters, output, pitch, examples);
        }

        Case withOutput(Output other) {
            return new Case(image, input, window, groups, filters, other, pitch, examples);
        }

        Case withPitch(int other) {
            return new Case(image, input, window, groups, filters, output, other, examples);
        }

        Case withExamples(int other) {
            return new Case(image, input, window, groups, filters, output, pitch, other);
        }
    }

    GroupedTrial(Case problem, long seed) {
        Random random = new Random(seed);
        this.problem = problem;
        ImageLayout image = problem.image();
        Window.Extent kernel = problem.window().kernel();
        int channels = image.channels() / problem.groups();
        Shape shape = Shape.of(problem.filters(), channels, kernel.height(), kernel.width());
        WeightTensor weights = weights(shape, random);
        this.node =
                new Convolution(
                        "y", "codes", weights, problem.window(), problem.groups(), spread(weights));
        int codes = problem.examples() * image.channels() * image.height() * image.width();
        this.input = GemmCases.random(codes, problem.input().range(), random);
        this.expected = reference();
    }

    private static WeightTensor weights(Shape shape, Random random) {
        int filters = shape.size(0);
        float[] scales = new float[filters];
        int[] bias = new int[filters];
        for (int i = 0; i < filters; i++) {
            scales[i] = WEIGHT_SCALE * (0.5f + random.nextFloat());
            bias[i] = (int) (random.nextGaussian() * 1000);
        }
        byte[] codes = GemmCases.random(shape.elements(), GemmCases.NARROW, random);
        return WeightTensor.of(shape, GemmCases.NARROW, codes, scales, bias);
    }

    private Output spread(WeightTensor weights) {
        if (!(problem.output() instanceof Output.Codes codes)) {
            return problem.output();
        }
        double deviation = 73 * 73 * Math.sqrt(weights.weightsPerChannel());
        float scale = (float) (problem.input().scale() * WEIGHT_SCALE * deviation / SPREAD);
        QuantParams old = codes.params();
        return new Output.Codes(
                new QuantParams(scale, old.zeroPoint(), old.range()), codes.bounds());
    }

    private Batch reference() {
        ImageLayout image = problem.image();
        Shape shape = Shape.of(image.channels(), image.height(), image.width());
        float[] values = new float[input.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = problem.input().dequantize(problem.input().range().decode(input[i]));
        }
        IntGraph.Builder graph = IntGraph.builder();
        graph.add(new Input("x", shape));
        graph.add(new Quantize("codes", "x", problem.input()));
        graph.add(node);
        try (Engine engine = Engine.open("reference", graph.build(List.of("y")))) {
            Batch.Floats batch = Batch.Floats.of(problem.examples(), shape, values);
            return Objects.requireNonNull(engine.run(Map.of("x", batch)).get("y"));
        }
    }

    /** {@return the kernel, for batches of a size} */
    KernelSpec kernel(int examples) {
        return convolution().kernel(problem.pitch(), examples);
    }

    private GroupedConvolution convolution() {
        return GroupedConvolution.of(node, problem.image(), problem.input());
    }

    /**
     * Runs an emulated kernel and compares.
     *
     * @param kernels the sources
     * @param kernel one of {@link #kernel}
     * @param schedule the shim's seed
     * @return what is wrong; empty if all is equal
     */
    Optional<String> fault(EmulatedKernels kernels, KernelSpec kernel, long schedule) {
        GroupedConvolution convolution = convolution();
        Window.Extent image = new Window.Extent(problem.image().height(), problem.image().width());
        KernelOutput output =
                new KernelOutput(
                        problem.examples(),
                        problem.window().over(image),
                        problem.filters(),
                        problem.pitch());
        Optional<String> fault =
                kernels.of(kernel)
                        .launch(
                                problem.examples(),
                                schedule,
                                Memories.image(input, problem.image(), problem.examples()),
                                Memories.of(convolution.weights()),
                                Memories.of(convolution.bias()),
                                Memories.of(convolution.multipliers()),
                                output.memory());
        if (fault.isPresent()) {
            return fault;
        }
        return output.difference(expected);
    }

    @Override
    public String toString() {
        return problem.toString();
    }
}
