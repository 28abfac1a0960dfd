// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Add;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Weighted;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes become one kernel.
 *
 * <p>A sum is computed with the convolution or dense node that feeds it if nothing else reads that
 * node. If both terms are such nodes, it is the one that has no sibling, since {@link Siblings} are
 * computed together; else the later one. The node's result is still rounded to codes before the
 * sum, as the contract has it.
 */
final class Fusion {

    private final IntGraph graph;
    private final Map<String, Integer> places = new HashMap<>();
    private final Map<String, Integer> readers = new HashMap<>();

    private Fusion(IntGraph graph) {
        this.graph = graph;
        for (IntNode node : graph.nodes()) {
            places.put(node.name(), places.size());
            node.inputs().forEach(input -> readers.merge(input, 1, Integer::sum));
        }
        graph.outputs().forEach(output -> readers.merge(output, 1, Integer::sum));
    }

    /** {@return one work for each node that is no input, in the graph's order} */
    static List<Work> none(IntGraph graph) {
        List<Work> all = new ArrayList<>();
        for (IntNode node : graph.nodes()) {
            if (!(node instanceof Input)) {
                all.add(new Work(node, null));
            }
        }
        return all;
    }

    /** {@return the works of a graph, sums joined where they can be, each behind what it reads} */
    static List<Work> of(IntGraph graph) {
        return new Fusion(graph).works();
    }

    private List<Work> works() {
        Map<String, Add> sums = new LinkedHashMap<>();
        Set<String> joined = new HashSet<>();
        for (IntNode node : graph.nodes()) {
            if (node instanceof Add add) {
                String with = feeder(add);
                if (with != null) {
                    sums.put(with, add);
                    joined.add(add.name());
                }
            }
        }
        // The sum's other term may be computed behind the feeder: the work then stands at the sum.
        List<Work> works = new ArrayList<>();
        for (IntNode node : graph.nodes()) {
            if (node instanceof Add add && joined.contains(add.name())) {
                works.add(new Work(nodeOf(Objects.requireNonNull(feeder(add))), add));
            } else if (!(node instanceof Input) && !sums.containsKey(node.name())) {
                works.add(new Work(node, null));
            }
        }
        return works;
    }

    private IntNode nodeOf(String name) {
        return graph.nodes().get(Objects.requireNonNull(places.get(name)));
    }

    private @Nullable String feeder(Add add) {
        if (add.left().equals(add.right())) {
            return null;
        }
        boolean left = canFeed(add.left());
        boolean right = canFeed(add.right());
        if (left && right && hasSibling(add.left()) != hasSibling(add.right())) {
            return hasSibling(add.left()) ? add.right() : add.left();
        }
        if (left && right) {
            return nodeOf(add.left()) == later(add) ? add.left() : add.right();
        }
        return left ? add.left() : right ? add.right() : null;
    }

    private IntNode later(Add add) {
        int left = Objects.requireNonNull(places.get(add.left()));
        int right = Objects.requireNonNull(places.get(add.right()));
        return graph.nodes().get(Math.max(left, right));
    }

    private boolean hasSibling(String name) {
        return graph.nodes().stream()
                .anyMatch(
                        other ->
                                !other.name().equals(name)
                                        && Siblings.areAlike(nodeOf(name), other));
    }

    private boolean canFeed(String name) {
        boolean onlyReader = Objects.requireNonNull(readers.get(name)) == 1;
        IntNode node = nodeOf(name);
        return onlyReader && node instanceof Weighted layer && layer.groups() == 1;
    }
}
