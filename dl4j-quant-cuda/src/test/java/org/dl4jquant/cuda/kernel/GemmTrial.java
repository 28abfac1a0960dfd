// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.kernel;

import com.sun.jna.Memory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.Window;
import org.dl4jquant.numeric.CodeRange;
import org.dl4jquant.numeric.QuantParams;
import org.dl4jquant.numeric.Shape;
import org.dl4jquant.numeric.WeightTensor;

/**
 * One product of matrices with random codes, its result by the reference engine, and its result by
 * an emulated kernel.
 */
final class GemmTrial {

    private static final float WEIGHT_SCALE = 0.01f;

    /** Results spread over about this many codes. */
    private static final double SPREAD = 40;

    private final GemmProblem problem;
    private final WeightTensor weights;
    private final boolean dense;
    private final int examples;
    private final byte[] input;
    private final byte[] residual;
    private final Batch expected;

    private GemmTrial(
            GemmProblem problem, WeightTensor weights, boolean dense, int examples, Random random) {
        this.problem =
                GemmWeights.sumsAreShort(problem, weights) ? problem.withShortSums() : problem;
        this.weights = weights;
        this.dense = dense;
        this.examples = examples;
        ImageLayout image = problem.image();
        Shape shape = Shape.of(image.channels(), image.height(), image.width());
        this.input = GemmCases.random(examples * shape.elements(), problem.input().range(), random);
        Residual added = problem.residual();
        this.residual =
                added == null
                        ? new byte[0]
                        : GemmCases.random(
                                examples * problem.resultShape().elements(),
                                added.params().range(),
                                random);
        this.expected = reference(shape);
    }

    /**
     * {@return a trial of a convolution}
     *
     * @param problem the convolution; its output's scale is replaced by one that makes results
     *     spread over the codes
     * @param weightRange the weights' codes
     * @param examples the batch
     * @param seed of all random numbers
     */
    static GemmTrial convolution(
            GemmProblem problem, CodeRange weightRange, int examples, long seed) {
        Random random = new Random(seed);
        Window.Extent kernel = problem.window().kernel();
        Shape shape =
                Shape.of(
                        problem.filters(),
                        problem.image().channels(),
                        kernel.height(),
                        kernel.width());
        WeightTensor weights = weights(shape, weightRange, random);
        return new GemmTrial(spread(problem, weights), weights, false, examples, random);
    }

    /**
     * {@return a trial of a dense layer, on an image that is flattened first}
     *
     * @param problem the layer as a convolution
     * @param weightRange the weights' codes
     * @param examples the batch
     * @param seed of all random numbers
     */
    static GemmTrial dense(GemmProblem problem, CodeRange weightRange, int examples, long seed) {
        Random random = new Random(seed);
        ImageLayout image = problem.image();
        Shape shape =
                Shape.of(problem.filters(), image.channels() * image.height() * image.width());
        WeightTensor weights = weights(shape, weightRange, random);
        return new GemmTrial(spread(problem, weights), weights, true, examples, random);
    }

    private static WeightTensor weights(Shape shape, CodeRange range, Random random) {
        int filters = shape.size(0);
        float[] scales = new float[filters];
        int[] bias = new int[filters];
        int size = shape.elements() / filters;
        for (int i = 0; i < filters; i++) {
            scales[i] = WEIGHT_SCALE * (0.5f + random.nextFloat());
            bias[i] = (int) (random.nextGaussian() * 1000 * Math.sqrt(size));
        }
        return WeightTensor.of(
                shape, range, GemmCases.random(shape.elements(), range, random), scales, bias);
    }

    private static GemmProblem spread(GemmProblem problem, WeightTensor weights) {
        Window pool = problem.pool();
        GemmProblem spread = spreadCodes(problem, weights);
        return pool == null ? spread : spread.withPool(pool);
    }

    private static GemmProblem spreadCodes(GemmProblem problem, WeightTensor weights) {
        if (!(problem.output() instanceof Output.Codes codes)) {
            return problem;
        }
        double width = (problem.input().range().max() - problem.input().range().min()) / 3.5;
        double weightWidth = (weights.range().max() - weights.range().min()) / 3.5;
        double deviation = width * weightWidth * Math.sqrt(weights.weightsPerChannel());
        float scale = (float) (problem.input().scale() * WEIGHT_SCALE * deviation / SPREAD);
        QuantParams old = codes.params();
        Output.Codes output =
                new Output.Codes(
                        new QuantParams(scale, old.zeroPoint(), old.range()), codes.bounds());
        Residual added = problem.residual();
        if (added != null) {
            added =
                    new Residual(
                            rescaled(added.params(), scale * 0.7f),
                            added.pitch(),
                            added.right(),
                            new Output.Codes(
                                    rescaled(added.sum().params(), scale * 1.3f),
                                    added.sum().bounds()));
        }
        return GemmCases.with(problem, problem.input(), output, added);
    }

    private static QuantParams rescaled(QuantParams params, float scale) {
        return new QuantParams(scale, params.zeroPoint(), params.range());
    }

    private Batch reference(Shape shape) {
        IntGraph.Builder graph = IntGraph.builder();
        Map<String, Batch.Floats> inputs = new LinkedHashMap<>();
        feed(graph, inputs, "x", shape, problem.input(), input);
        String result = "gemm";
        if (dense) {
            graph.add(new Reshape("flat", "x codes", Shape.of(shape.elements())));
            graph.add(new Dense("gemm", "flat", weights, problem.output()));
        } else {
            graph.add(
                    new Convolution(
                            "gemm", "x codes", weights, problem.window(), 1, problem.output()));
        }
        Window pool = problem.pool();
        if (pool != null) {
            graph.add(new MaxPool("pool", result, pool));
            result = "pool";
        }
        Residual added = problem.residual();
        if (added != null) {
            feed(graph, inputs, "r", problem.resultShape(), added.params(), residual);
            String left = added.right() ? "gemm" : "r codes";
            String right = added.right() ? "r codes" : "gemm";
            graph.add(new Add("sum", left, right, added.sum()));
            result = "sum";
        }
        try (Engine engine = Engine.open("reference", graph.build(List.of(result)))) {
            return Objects.requireNonNull(engine.run(inputs).get(result));
        }
    }

    private void feed(
            IntGraph.Builder graph,
            Map<String, Batch.Floats> inputs,
            String name,
            Shape shape,
            QuantParams params,
            byte[] codes) {
        float[] values = new float[codes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = params.dequantize(params.range().decode(codes[i]));
        }
        graph.add(new Input(name, shape));
        graph.add(new Quantize(name + " codes", name, params));
        inputs.put(name, Batch.Floats.of(examples, shape, values));
    }

    /** {@return the product, with the output's scale that was chosen} */
    GemmProblem problem() {
        return problem;
    }

    /**
     * Runs the emulated kernel and compares.
     *
     * @param kernels the sources
     * @param tile how the product is cut
     * @param architecture what it is compiled for
     * @param schedule the shim's seed
     * @return what is wrong; empty if all is equal
     */
    Optional<String> fault(
            EmulatedKernels kernels, Tile tile, Architecture architecture, long schedule) {
        return fault(kernels, new GemmTactic(tile, 1), architecture, schedule);
    }

    /**
     * Runs the emulated kernel and compares; twice if blocks share scratch memory, which must be
     * left as it was found.
     *
     * @param kernels the sources
     * @param tactic how the product is cut
     * @param architecture what it is compiled for
     * @param schedule the shim's seed
     * @return what is wrong; empty if all is equal
     */
    Optional<String> fault(
            EmulatedKernels kernels, GemmTactic tactic, Architecture architecture, long schedule) {
        KernelSpec spec = GemmKernel.of(problem, tactic, architecture);
        Memory scratch = new Memory(Math.max(16, spec.launch().scratchBytes()));
        scratch.clear();
        Optional<String> fault = Optional.empty();
        for (int launch = 0; launch < (tactic.splits() > 1 ? 2 : 1); launch++) {
            if (fault.isEmpty()) {
                fault = fault(kernels.of(spec), scratch, schedule + launch);
            }
        }
        if (fault.isEmpty()) {
            byte[] left = scratch.getByteArray(0, (int) scratch.size());
            int at = Arrays.mismatch(left, new byte[left.length]);
            return at < 0 ? fault : Optional.of("byte " + at + " of the scratch memory is not 0");
        }
        return fault;
    }

    private Optional<String> fault(EmulatedKernel kernel, Memory scratch, long schedule) {
        GemmWeights packed = GemmWeights.of(problem, weights);
        Window.Extent result = problem.result();
        Window.Extent stored = problem.stored();
        KernelOutput output =
                new KernelOutput(examples, stored, problem.filters(), problem.outputPitch());
        Residual added = problem.residual();
        Memory other =
                added == null
                        ? new Memory(16)
                        : Memories.image(
                                residual,
                                new ImageLayout(
                                        problem.filters(),
                                        result.height(),
                                        result.width(),
                                        added.pitch()),
                                examples);
        Optional<String> fault =
                kernel.launch(
                        examples,
                        schedule,
                        Memories.image(input, problem.image(), examples),
                        Memories.of(packed.codes()),
                        Memories.of(packed.bias()),
                        Memories.of(packed.multipliers()),
                        other,
                        output.memory(),
                        scratch);
        if (fault.isPresent()) {
            return fault;
        }
        return output.difference(expected);
    }

    /** {@return phases that the kernel's last launch lost to bank conflicts} */
    long extraPhases(Tile tile, Architecture architecture) {
        return EmulatedKernels.available()
                .of(GemmKernel.of(problem, tile, architecture))
                .extraPhases();
    }
}
