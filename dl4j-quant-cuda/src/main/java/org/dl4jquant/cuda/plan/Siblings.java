// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dl4jquant.cuda.kernel.Architecture;
import org.dl4jquant.cuda.kernel.GemmWeights;
import org.dl4jquant.cuda.kernel.StackedLayers;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Convolution;
import org.dl4jquant.graph.node.Dense;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Output;
import org.dl4jquant.graph.node.Weighted;

/**
 * Which layers that read the same codes with the same window become one product.
 *
 * <p>That is so for convolutions without groups and for dense layers, if codes leave them, if no
 * sum is computed with them, if no concatenation has their result, and if the model believes that
 * one product takes no longer than many. The codes' zero points and bounds may be of two kinds.
 */
final class Siblings {

    private final Slices slices;
    private final Forecast forecast;

    private Siblings(Slices slices, Forecast forecast) {
        this.slices = slices;
        this.forecast = forecast;
    }

    /** {@return the works with siblings joined, where the first of them stood} */
    static List<Work> stacked(
            List<Work> works,
            IntGraph graph,
            Slices slices,
            Architecture architecture,
            Candidates candidates) {
        Forecast forecast = new Forecast(graph, architecture, candidates);
        return new Siblings(slices, forecast).stacked(works);
    }

    /** {@return whether two nodes are layers that read the same codes with the same window} */
    static boolean areAlike(IntNode left, IntNode right) {
        if (left instanceof Dense one && right instanceof Dense other) {
            return one.input().equals(other.input());
        }
        return left instanceof Convolution one
                && right instanceof Convolution other
                && one.groups() == 1
                && other.groups() == 1
                && one.input().equals(other.input())
                && one.window().equals(other.window());
    }

    private List<Work> stacked(List<Work> works) {
        List<Work> result = new ArrayList<>();
        Set<String> done = new HashSet<>();
        for (Work work : works) {
            if (done.contains(work.node().name())) {
                continue;
            }
            List<IntNode> stack = stack(work, works, done);
            stack.forEach(node -> done.add(node.name()));
            result.add(
                    stack.size() < 2
                            ? work
                            : new Work(stack.get(0), null, null, stack.subList(1, stack.size())));
        }
        return result;
    }

    /* Those of the work's own kind of codes first, then those of the next kind. */
    private List<IntNode> stack(Work first, List<Work> works, Set<String> done) {
        List<IntNode> own = new ArrayList<>(List.of(first.node()));
        if (!canStack(first)) {
            return own;
        }
        List<IntNode> second = new ArrayList<>();
        for (Work work : works) {
            IntNode node = work.node();
            if (node == first.node()
                    || done.contains(node.name())
                    || !canStack(work)
                    || !areAlike(first.node(), node)) {
                continue;
            }
            if (areOfAKind(first.node(), node)) {
                own.add(node);
            } else if (second.isEmpty() || areOfAKind(second.get(0), node)) {
                second.add(node);
            }
        }
        own.addAll(second);
        return own.size() > 1 && isWorthIt(own) ? own : own.subList(0, 1);
    }

    private boolean areOfAKind(IntNode left, IntNode right) {
        return StackedLayers.isOfAKind(forecast.problem(left), forecast.problem(right));
    }

    private boolean canStack(Work work) {
        IntNode node = work.node();
        return node instanceof Weighted layer
                && layer.groups() == 1
                && work.sum() == null
                && work.pool() == null
                && slices.of(node.name()) == null
                && Forecast.output(node) instanceof Output.Codes;
    }

    private boolean isWorthIt(List<IntNode> nodes) {
        StackedLayers stack = new StackedLayers(nodes.stream().map(forecast::problem).toList());
        List<GemmWeights.Layer> layers = nodes.stream().map(Forecast::layer).toList();
        double apart = 0;
        for (int i = 0; i < nodes.size(); i++) {
            apart += forecast.micros(stack.layers().get(i), layers.subList(i, i + 1));
        }
        return forecast.micros(stack.problem(), layers) <= apart;
    }
}
