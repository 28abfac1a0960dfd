// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.Chip;
import org.dl4jquant.cuda.kernel.GemmKernel;
import org.dl4jquant.cuda.kernel.GemmProblem;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.ImageLayout;
import org.dl4jquant.cuda.kernel.KernelCost;
import org.dl4jquant.cuda.kernel.KernelSpec;
import org.dl4jquant.cuda.kernel.StackedLayers;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.IntNode;
import org.dl4jquant.graph.Output;
import org.dl4jquant.numeric.WeightTensor;

/**
 * Which layers that read the same codes with the same window become one product.
 *
 * <p>That is so for convolutions without groups and for dense layers, if codes leave them, if no
 * sum is computed with them, if no concatenation has their result, and if the model believes that
 * one product takes no longer than many. The codes' zero points and bounds may be of two kinds.
 */
final class Siblings {

    private final IntGraph graph;
    private final Slices slices;
    private final Architecture architecture;
    private final Candidates candidates;

    private Siblings(
            IntGraph graph, Slices slices, Architecture architecture, Candidates candidates) {
        this.graph = graph;
        this.slices = slices;
        this.architecture = architecture;
        this.candidates = candidates;
    }

    /** {@return the works with siblings joined, where the first of them stood} */
    static List<Work> stacked(
            List<Work> works,
            IntGraph graph,
            Slices slices,
            Architecture architecture,
            Candidates candidates) {
        return new Siblings(graph, slices, architecture, candidates).stacked(works);
    }

    /** {@return whether two nodes are layers that read the same codes with the same window} */
    static boolean areAlike(IntNode left, IntNode right) {
        if (left instanceof IntNode.Dense one && right instanceof IntNode.Dense other) {
            return one.input().equals(other.input());
        }
        return left instanceof IntNode.Convolution one
                && right instanceof IntNode.Convolution other
                && one.groups() == 1
                && other.groups() == 1
                && one.input().equals(other.input())
                && one.window().equals(other.window());
    }

    /** {@return the weights of a convolution or dense layer} */
    static WeightTensor weights(IntNode node) {
        return node instanceof IntNode.Dense dense
                ? dense.weights()
                : ((IntNode.Convolution) node).weights();
    }

    private List<Work> stacked(List<Work> works) {
        List<Work> result = new ArrayList<>();
        Set<IntNode> done = new HashSet<>();
        for (Work work : works) {
            if (done.contains(work.node())) {
                continue;
            }
            List<IntNode> stack = stack(work, works, done);
            done.addAll(stack);
            result.add(
                    stack.size() < 2
                            ? work
                            : new Work(stack.get(0), null, stack.subList(1, stack.size())));
        }
        return result;
    }

    /* Those of the work's own kind of codes first, then those of the next kind. */
    private List<IntNode> stack(Work first, List<Work> works, Set<IntNode> done) {
        List<IntNode> own = new ArrayList<>(List.of(first.node()));
        if (!canStack(first)) {
            return own;
        }
        List<IntNode> second = new ArrayList<>();
        for (Work work : works) {
            IntNode node = work.node();
            if (node == first.node()
                    || done.contains(node)
                    || !canStack(work)
                    || !areAlike(first.node(), node)) {
                continue;
            }
            if (StackedLayers.isOfAKind(problem(first.node()), problem(node))) {
                own.add(node);
            } else if (second.isEmpty()
                    || StackedLayers.isOfAKind(problem(second.get(0)), problem(node))) {
                second.add(node);
            }
        }
        own.addAll(second);
        return own.size() > 1 && isWorthIt(own) ? own : own.subList(0, 1);
    }

    private boolean canStack(Work work) {
        return work.sum() == null
                && slices.of(work.node().name()) == null
                && output(work.node()).filter(Output.Codes.class::isInstance).isPresent();
    }

    private static Optional<Output> output(IntNode node) {
        if (node instanceof IntNode.Dense dense) {
            return Optional.of(dense.output());
        }
        return node instanceof IntNode.Convolution convolution && convolution.groups() == 1
                ? Optional.of(convolution.output())
                : Optional.empty();
    }

    private boolean isWorthIt(List<IntNode> nodes) {
        StackedLayers stack = new StackedLayers(nodes.stream().map(this::problem).toList());
        List<GemmWeights.Layer> layers =
                nodes.stream()
                        .map(
                                node ->
                                        new GemmWeights.Layer(
                                                weights(node), output(node).orElseThrow()))
                        .toList();
        double apart = 0;
        for (int i = 0; i < nodes.size(); i++) {
            apart += micros(stack.layers().get(i), layers.subList(i, i + 1));
        }
        return micros(stack.problem(), layers) <= apart;
    }

    private double micros(GemmProblem problem, List<GemmWeights.Layer> layers) {
        Candidates.Way way =
                candidates.first(problem, GemmWeights.canPack(problem, layers), architecture);
        KernelSpec kernel = GemmKernel.of(way.problem(), way.tactic(), architecture);
        return KernelCost.of(kernel)
                .believedMicros(Chip.of(architecture), kernel, candidates.batches().get(0));
    }

    /* As it will be, but for the pitches. */
    private GemmProblem problem(IntNode node) {
        String input = node.inputs().get(0);
        ImageLayout image = Tensor.natural(graph.type(input));
        return node instanceof IntNode.Dense dense
                ? GemmProblem.of(dense, image, graph.type(input).codes())
                : GemmProblem.of((IntNode.Convolution) node, image, graph.type(input).codes());
    }
}
