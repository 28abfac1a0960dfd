// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;

/** Collects the nodes of a network's graph, and gives them names. */
final class GraphBuilder {

    private static final int SEQUENCE_RANK = 2;
    private static final int LEAST_STEPS = 2;
    private static final String MASK = ".mask";

    /* A network input has no node until the first layer that reads it is met: only there, in what
     * calibration saw or a preprocessor says, is its shape known. */
    private final Set<String> inputsWithoutNode = new LinkedHashSet<>();
    private final List<String> inputs = new ArrayList<>();
    private final IntGraph.Builder graph = IntGraph.builder();
    private final Map<String, String> nodes;
    private final Set<String> taken;
    private final Set<String> made = new HashSet<>();
    private final boolean freeSteps;
    private final Set<String> fromOutside = new HashSet<>();
    private final Map<String, String> masks = new LinkedHashMap<>();
    private final Map<String, String> transposed = new HashMap<>();

    /**
     * Makes an empty graph.
     *
     * @param names the names of all the network's layers, vertices and inputs
     * @param freeSteps whether inputs of sequences have a free number of steps
     */
    GraphBuilder(Collection<String> names, boolean freeSteps) {
        this.freeSteps = freeSteps;
        this.nodes = LayerNames.ofNodes(names);
        this.taken = new HashSet<>(names);
        taken.addAll(nodes.values());
    }

    /** {@return the name of the node that holds a layer's result} */
    String node(String layer) {
        return Objects.requireNonNull(nodes.get(layer), layer);
    }

    /** {@return a name for a node that holds something else than a layer's result} */
    String inner(String wish) {
        String name = LayerNames.fresh(wish, taken);
        taken.add(name);
        return name;
    }

    /** Announces a network input; inputs stand in the order in which they are announced. */
    Signal announceInput(String name) {
        inputs.add(node(name));
        inputsWithoutNode.add(node(name));
        return Signal.Values.fromOutside(node(name));
    }

    /** {@return one example of a network input; empty if no step has read it} */
    Optional<TensorType> networkInput(String name) {
        String node = nodes.get(name);
        return node != null && isInput(node) && has(node)
                ? Optional.of(type(node))
                : Optional.empty();
    }

    /** {@return whether a node holds float32 values that a step may round to codes} */
    boolean isRoundable(String node) {
        return graph.isRoundable(node);
    }

    boolean isInput(String node) {
        return inputs.contains(node);
    }

    /**
     * {@return a network input that no step has read, by its node's name; empty if there is none}
     */
    Optional<String> unreadInput() {
        return inputsWithoutNode.stream().findFirst();
    }

    /** Adds a node and returns its name. */
    String add(IntNode node) {
        graph.add(node);
        made.add(node.name());
        if (node instanceof Input) {
            fromOutside.add(node.name());
        }
        return node.name();
    }

    /** {@return whether a node is an input of the graph, of the network or of an island} */
    boolean comesFromOutside(String node) {
        return fromOutside.contains(node);
    }

    /** {@return whether a node of this name has been added} */
    boolean has(String node) {
        return made.contains(node);
    }

    /**
     * {@return the node of float32 values; a network input gets its node, of this shape, now}
     *
     * @param values the values
     * @param shape one example's dimensions
     * @param channelsLast whether the features of a sequence come after its steps
     */
    String values(Signal.Values values, Shape shape, boolean channelsLast) {
        if (!inputsWithoutNode.remove(values.node())) {
            return values.node();
        }
        if (!freeSteps || shape.rank() != SEQUENCE_RANK) {
            return add(new Input(values.node(), shape));
        }
        int axis = channelsLast ? 0 : 1;
        List<Integer> sizes = new ArrayList<>(shape.dimensions());
        sizes.set(axis, Math.max(sizes.get(axis), LEAST_STEPS));
        return add(new Input(values.node(), new Shape(sizes), OptionalInt.of(axis)));
    }

    /** {@return whether an input has a free number of steps} */
    boolean hasFreeSteps() {
        return inputs.stream().filter(this::has).anyMatch(input -> type(input).hasFreeSteps());
    }

    /** {@return the node of the same codes with their first axis, the channels, as the last} */
    String channelsLast(String node) {
        return transposed(node, "channels-last", 1);
    }

    /** {@return the node of the same codes with their last axis, the channels, as the first} */
    String channelsFirst(String node) {
        return transposed(node, "channels-first", type(node).shape().rank() - 1);
    }

    private String transposed(String node, String what, int first) {
        Shape shape = type(node).shape();
        if (shape.rank() == 1) {
            return node;
        }
        return transposed.computeIfAbsent(
                node + '/' + what,
                wish -> {
                    List<Integer> order = new ArrayList<>();
                    for (int axis = 0; axis < shape.rank(); axis++) {
                        order.add((first + axis) % shape.rank());
                    }
                    return add(Move.of(inner(wish), node, IndexMap.permute(shape, order)));
                });
    }

    /**
     * {@return the node of a network input's mask, which is made when it is first read}
     *
     * @param input the network input
     * @param steps how many steps its sequences have
     */
    String mask(String input, int steps) {
        return masks.computeIfAbsent(
                input,
                name ->
                        add(
                                new Input(
                                        inner(node(name) + MASK),
                                        Shape.of(steps),
                                        type(node(name)).hasFreeSteps()
                                                ? OptionalInt.of(0)
                                                : OptionalInt.empty())));
    }

    /** {@return whether a step has read the mask of a network input} */
    boolean hasMask(String input) {
        return masks.containsKey(input);
    }

    /** {@return the name that the network has for a node} */
    String networkName(String node) {
        return nodes.entrySet().stream()
                .filter(entry -> entry.getValue().equals(node))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(node);
    }

    /** {@return the type of a node's result} */
    TensorType type(String node) {
        return graph.type(node);
    }

    /**
     * {@return the graph; its inputs stand first and in the network's order, whatever is read
     * first, and after them their masks}
     *
     * @param results the nodes that leave the graph
     * @param functions their last functions
     */
    IntGraph build(List<String> results, Map<String, List<OutputFunction>> functions) {
        IntGraph unordered = graph.build(results);
        List<IntNode> ordered = new ArrayList<>();
        List<String> all = new ArrayList<>(inputs);
        all.addAll(masks.values());
        for (String input : all) {
            unordered.inputs().stream()
                    .filter(node -> node.name().equals(input))
                    .forEach(ordered::add);
        }
        unordered.nodes().stream().filter(node -> !all.contains(node.name())).forEach(ordered::add);
        return IntGraph.of(ordered, results, functions);
    }
}
