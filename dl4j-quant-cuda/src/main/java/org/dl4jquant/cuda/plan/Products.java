// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.GemmKernel;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.GroupedConvolution;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.Residual;
import org.dl4jquant.cuda.kernel.StackedLayers;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.MaxPool;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.numeric.WeightTensor;
import org.jspecify.annotations.Nullable;

/**
 * Makes the launches of convolutions and dense layers: products of codes and weights, with the
 * residual sum or the max pool that is computed with them.
 */
final class Products {

    private final IntGraph graph;
    private final Tensors tensors;
    private final Launches launches;
    private final ConstantPool constants;
    private final Architecture architecture;
    private final Candidates candidates;

    /**
     * Makes none yet.
     *
     * @param graph the graph
     * @param tensors the tensors that products read and write
     * @param launches the launches to add to
     * @param constants the weights to add to
     * @param architecture the GPU that the kernels are compiled for
     * @param candidates the tactics to choose from
     */
    Products(
            IntGraph graph,
            Tensors tensors,
            Launches launches,
            ConstantPool constants,
            Architecture architecture,
            Candidates candidates) {
        this.graph = graph;
        this.tensors = tensors;
        this.launches = launches;
        this.constants = constants;
        this.architecture = architecture;
        this.candidates = candidates;
    }

    /** {@return the result of a convolution with several groups, for which the launch was added} */
    Tensor convolveGroups(Convolution node) {
        Tensor input = tensors.natural(node.input());
        GroupedConvolution convolution = GroupedConvolution.of(node, input.image(), input.codes());
        Tensor result =
                node.output() instanceof Output.Codes
                        ? tensors.result(node.name())
                        : tensors.floats(node.name());
        int pitch = result.layout() == null ? 0 : result.image().pitch();
        launches.add(
                node.name(),
                convolution.kernel(pitch, candidates.batches().get(0)),
                input,
                constants.add(convolution.weights()),
                constants.add(convolution.bias()),
                constants.add(convolution.multipliers()),
                result);
        return result;
    }

    /**
     * {@return the results by name of layers that read the same, for which one launch was added}
     *
     * @param nodes convolutions with one group, or dense layers
     */
    Map<String, Tensor> multiplyTogether(List<IntNode> nodes) {
        StackedLayers stack = new StackedLayers(nodes.stream().map(this::problem).toList());
        GemmProblem problem = stack.problem();
        ImageLayout whole = natural(problem);
        String buffer = launches.buffer(nodes.get(0).name() + "\nstacked", whole.bytes());
        Map<String, Tensor> results = new HashMap<>();
        List<GemmWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            GemmProblem alone = stack.layers().get(i);
            String name = nodes.get(i).name();
            ImageLayout layout = natural(alone).withPitch(whole.pitch());
            results.put(name, new Tensor(graph.type(name), buffer, stack.offset(i), layout));
            layers.add(Forecast.layer(nodes.get(i)));
        }
        String first = nodes.get(0).name();
        Tensor all = new Tensor(graph.type(first), buffer, 0, whole);
        launch(problem, layers, input(nodes.get(0)), new Argument.Nothing(), all, first);
        return results;
    }

    /**
     * {@return the result of a layer, for which the launch was added}
     *
     * @param node a convolution with one group, or a dense layer
     * @param weights its weights
     * @param sum the residual sum that is computed with it; null without one
     * @param pool the max pool that is computed with it; null without one
     */
    Tensor multiply(IntNode node, WeightTensor weights, @Nullable Add sum, @Nullable MaxPool pool) {
        String name = node.name();
        Tensor input = input(node);
        GemmProblem problem = problem(node);
        Object residual = new Argument.Nothing();
        String resultName = name;
        if (sum != null) {
            boolean right = sum.left().equals(name);
            Tensor other = tensors.inLayout(right ? sum.right() : sum.left(), natural(problem));
            problem =
                    problem.withResidual(
                            new Residual(
                                    other.codes(), other.image().pitch(), right, sum.output()));
            residual = other;
            resultName = sum.name();
        }
        if (pool != null) {
            problem = problem.withPool(pool.window());
            resultName = pool.name();
        }
        Tensor result;
        if (graph.type(resultName).isCodes()) {
            result = tensors.result(resultName, natural(problem));
            problem = problem.withOutputPitch(result.image().pitch());
        } else {
            result = tensors.floats(resultName);
        }
        launch(
                problem,
                List.of(new GemmWeights.Layer(weights, problem.output())),
                input,
                residual,
                result,
                resultName);
        return result;
    }

    private Tensor input(IntNode node) {
        String name = node.inputs().get(0);
        return node instanceof Dense ? tensors.get(name) : tensors.natural(name);
    }

    private GemmProblem problem(IntNode node) {
        Tensor input = input(node);
        return node instanceof Dense dense
                ? GemmProblem.of(dense, input.image(), input.codes())
                : GemmProblem.of((Convolution) node, input.image(), input.codes());
    }

    private void launch(
            GemmProblem plain,
            List<GemmWeights.Layer> layers,
            Tensor input,
            Object residual,
            Tensor result,
            String resultName) {
        GemmProblem problem =
                GemmWeights.sumsAreShort(plain, layers) ? plain.withShortSums() : plain;
        List<Launches.Way> ways = new ArrayList<>();
        Map<GemmProblem, Packed> packed = new HashMap<>();
        for (Candidates.Way way :
                candidates.of(problem, GemmWeights.canPack(problem, layers), architecture)) {
            Packed weights = packed.computeIfAbsent(way.problem(), each -> packed(each, layers));
            ways.add(
                    new Launches.Way(
                            GemmKernel.of(way.problem(), way.tactic(), architecture),
                            List.of(
                                    input,
                                    weights.codes(),
                                    weights.bias(),
                                    weights.multipliers(),
                                    residual,
                                    result,
                                    way.tactic().splits() > 1
                                            ? new Argument.Scratch()
                                            : new Argument.Nothing())));
        }
        launches.add(resultName, ways);
    }

    /** The arguments that hold a product's weights; all tactics of a product read the same. */
    private record Packed(Argument codes, Argument bias, Argument multipliers) {}

    private Packed packed(GemmProblem problem, List<GemmWeights.Layer> layers) {
        GemmWeights weights = GemmWeights.of(problem, layers);
        return new Packed(
                codes(problem, layers, weights.codes()),
                constants.add(weights.bias()),
                constants.add(weights.multipliers()));
    }

    /* Codes of 4 bits are stored packed, even if the kernel reads bytes. */
    private Argument codes(GemmProblem problem, List<GemmWeights.Layer> layers, byte[] codes) {
        if (problem.packedWeights() || !GemmWeights.canPack(problem, layers)) {
            return constants.add(codes);
        }
        byte[] packed = GemmWeights.of(problem.withPackedWeights(), layers).codes();
        return constants.add(codes, packed, ImageLayout.padded(problem.filters()));
    }

    private static ImageLayout natural(GemmProblem problem) {
        return new ImageLayout(
                problem.filters(),
                problem.stored().height(),
                problem.stored().width(),
                ImageLayout.padded(problem.filters()));
    }
}
