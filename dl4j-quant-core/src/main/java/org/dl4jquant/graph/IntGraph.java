// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.DynamicDense;
import org.dl4jquant.graph.node.FreeSteps;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Lookup;
import org.dl4jquant.graph.node.NodeChecks;
import org.dl4jquant.graph.node.NodeInputs;
import org.dl4jquant.graph.node.OverflowCertificate;
import org.dl4jquant.graph.node.Rectify;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.graph.node.Weighted;
import org.dl4jquant.numeric.OutputFunction;

/**
 * A verified integer graph: nodes in the order of computation, and the names of the results that
 * leave it. An output may have last functions, such as a softmax, which are applied to its float32
 * values.
 *
 * <p>A graph that exists is valid: names are unique, every input comes from an earlier node, types
 * and shapes fit, and no accumulator can overflow int32 (see {@link
 * org.dl4jquant.graph.node.OverflowCertificate}).
 */
public final class IntGraph {

    /**
     * The greatest number of elements that one example has in any tensor of the graph, or in a
     * convolution's image with its padding: what an engine allocates for one example.
     */
    public static final int MAX_ELEMENTS = TensorType.MAX_ELEMENTS;

    private final List<IntNode> nodes;
    private final List<String> outputs;
    private final Map<String, List<OutputFunction>> functions;
    private final Map<String, TensorType> types;

    private IntGraph(
            List<IntNode> nodes,
            List<String> outputs,
            Map<String, List<OutputFunction>> functions,
            Map<String, TensorType> types) {
        this.nodes = nodes;
        this.outputs = outputs;
        this.functions = functions;
        this.types = types;
    }

    /**
     * Returns the graph of these nodes, verified.
     *
     * @param nodes in an order in which every node comes after those it reads
     * @param outputs names of the results that leave the graph, at least one
     * @return the graph
     * @throws IllegalArgumentException if the graph is not valid; the message names the node, what
     *     was found and what is allowed
     */
    public static IntGraph of(List<? extends IntNode> nodes, List<String> outputs) {
        return of(nodes, outputs, Map.of());
    }

    /**
     * Returns the graph of these nodes, verified.
     *
     * @param nodes in an order in which every node comes after those it reads
     * @param outputs names of the results that leave the graph, at least one
     * @param functions the last functions of outputs, by the output's name, in order
     * @return the graph
     * @throws IllegalArgumentException as {@link #of(List, List)}, or if a function is of no
     *     output, or of one that is codes
     */
    public static IntGraph of(
            List<? extends IntNode> nodes,
            List<String> outputs,
            Map<String, List<OutputFunction>> functions) {
        Builder builder = builder();
        nodes.forEach(builder::add);
        return builder.build(outputs, functions);
    }

    /** {@return a builder that verifies each node when it is added} */
    public static Builder builder() {
        return new Builder();
    }

    /** Takes nodes one by one and knows the type of each at once. */
    public static final class Builder {

        private final List<IntNode> nodes = new ArrayList<>();
        private final Map<String, TensorType> types = new LinkedHashMap<>();
        private final Set<String> fromOutside = new HashSet<>();
        private final Set<String> roundable = new HashSet<>();

        private Builder() {}

        /**
         * Adds a node.
         *
         * @param node a node that reads earlier ones only
         * @return the type of its result
         * @throws IllegalArgumentException if the node does not fit the graph so far
         */
        @CanIgnoreReturnValue
        public TensorType add(IntNode node) {
            Require.argument(
                    !types.containsKey(node.name()),
                    "two nodes are named '%s'; names must be unique",
                    node.name());
            for (String input : node.inputs()) {
                Require.argument(
                        types.containsKey(input),
                        "node '%s' reads '%s', which no earlier node makes; there are %s",
                        node.name(),
                        input,
                        types.keySet());
            }
            Require.argument(
                    !(node instanceof RecurrentMemory memory) || nodes.contains(memory.of()),
                    "node '%s' is the memory of a recurrent layer that is no node of the graph",
                    node.name());
            List<TensorType> read =
                    node.inputs().stream().map(input -> typeIn(types, input)).toList();
            TensorType type =
                    FreeSteps.typed(
                            node, read, node.type(new NodeInputs(types, fromOutside, roundable)));
            NodeChecks.requireElements(node, "result", type.shape().elements());
            Require.argument(
                    node.takesWideCodes() || !type.isCodes() || !type.codes().range().isWide(),
                    "node '%s' (%s) makes codes of 16 bits; only a Quantize, convolutions, dense"
                            + " nodes, max pools and moves do, so give it at most 8 bits",
                    node.name(),
                    node.kind());
            types.put(node.name(), type);
            boolean reshapes = node instanceof Reshape;
            if (node instanceof Input || (reshapes && fromOutside.containsAll(node.inputs()))) {
                fromOutside.add(node.name());
            }
            boolean passes = reshapes || node instanceof Rectify;
            if (node instanceof Input
                    || node instanceof DynamicDense
                    || (passes && roundable.containsAll(node.inputs()))) {
                roundable.add(node.name());
            }
            nodes.add(node);
            return type;
        }

        /**
         * {@return the type of an added node's result}
         *
         * @param name the node's name
         * @throws IllegalArgumentException if there is no such node
         */
        public TensorType type(String name) {
            return typeIn(types, name);
        }

        /**
         * {@return whether an added node's result is float32 values that may be rounded to codes:
         * they come from outside, or are computed with scales that are found at run time}
         *
         * @param name the node's name
         */
        public boolean isRoundable(String name) {
            return roundable.contains(name);
        }

        /**
         * {@return the graph of all nodes added}
         *
         * @param outputs names of the results that leave the graph, at least one
         * @throws IllegalArgumentException if there is no output, or one is no node
         */
        public IntGraph build(List<String> outputs) {
            return build(outputs, Map.of());
        }

        /**
         * {@return the graph of all nodes added}
         *
         * @param outputs names of the results that leave the graph, at least one
         * @param functions the last functions of outputs, by the output's name, in order
         * @throws IllegalArgumentException if there is no output, or one is no node; if a function
         *     is of no output, or of one that is codes
         */
        public IntGraph build(List<String> outputs, Map<String, List<OutputFunction>> functions) {
            GraphOutputs.require(outputs, types, nodes);
            return new IntGraph(
                    List.copyOf(nodes),
                    List.copyOf(outputs),
                    GraphOutputs.ordered(outputs, functions, types),
                    Collections.unmodifiableMap(new LinkedHashMap<>(types)));
        }
    }

    private static TensorType typeIn(Map<String, TensorType> types, String name) {
        TensorType type = types.get(name);
        Require.argument(type != null, "there is no node '%s'; there are %s", name, types.keySet());
        return Objects.requireNonNull(type);
    }

    /** {@return the nodes, each after those that it reads} */
    public List<IntNode> nodes() {
        return nodes;
    }

    /** {@return the input nodes, in order} */
    public List<Input> inputs() {
        return nodes.stream().filter(Input.class::isInstance).map(Input.class::cast).toList();
    }

    /** {@return the names of the results that leave the graph} */
    public List<String> outputs() {
        return outputs;
    }

    /**
     * {@return the last functions of outputs, by the output's name, in the order in which they are
     * applied; an output without one is not in the map}
     *
     * <p>They are no nodes: an engine computes the node that the output names, the scores, in
     * integers, and its {@code run} applies the functions to them, in Java.
     */
    public Map<String, List<OutputFunction>> functions() {
        return functions;
    }

    /** {@return the same graph without last functions: what leaves it are the scores} */
    public IntGraph scores() {
        return new IntGraph(nodes, outputs, Map.of(), types);
    }

    /**
     * {@return the type of a node's result}
     *
     * @param name the node's name
     * @throws IllegalArgumentException if there is no such node
     */
    public TensorType type(String name) {
        return typeIn(types, name);
    }

    /** {@return the inputs in whose values scales are found at run time, by name} */
    public Set<String> scaledInputs() {
        Map<String, String> sources = new HashMap<>();
        Set<String> scaled = new HashSet<>();
        for (IntNode node : nodes) {
            if (node instanceof Input) {
                sources.put(node.name(), node.name());
            } else if (node instanceof Reshape reshape && sources.containsKey(reshape.input())) {
                sources.put(node.name(), sources.get(reshape.input()));
            } else if (node instanceof DynamicDense dense && sources.containsKey(dense.input())) {
                scaled.add(Objects.requireNonNull(sources.get(dense.input())));
            }
        }
        return scaled;
    }

    /**
     * {@return the inputs that are indices of rows, by name, each with the number of rows: the
     * least of all lookups that read it}
     */
    public Map<String, Integer> indexLimits() {
        Map<String, String> sources = new HashMap<>();
        Map<String, Integer> limits = new LinkedHashMap<>();
        for (IntNode node : nodes) {
            if (node instanceof Input) {
                sources.put(node.name(), node.name());
            } else if (node instanceof Reshape reshape && sources.containsKey(reshape.input())) {
                sources.put(node.name(), sources.get(reshape.input()));
            } else if (node instanceof Lookup lookup) {
                limits.merge(
                        Objects.requireNonNull(sources.get(lookup.input())),
                        lookup.rows().count(),
                        Math::min);
            }
        }
        return limits;
    }

    /**
     * {@return the inputs that are masks of sequences, by name: zeros and ones, one for each step}
     */
    public Set<String> masks() {
        Set<String> masks = new LinkedHashSet<>();
        nodes.forEach(node -> node.mask().ifPresent(masks::add));
        return masks;
    }

    /** {@return whether its sequences may have any number of steps, all inputs as many} */
    public boolean hasFreeSteps() {
        return inputs().stream().anyMatch(input -> input.timeAxis().isPresent());
    }

    /**
     * {@return the same graph for sequences of one length; this one, if its sizes are fixed}
     *
     * @param steps how many steps each sequence has, 1 or more
     * @throws IllegalArgumentException if there is no step
     */
    public IntGraph withSteps(int steps) {
        Require.argument(steps >= 1, "sequences of %d steps; 1 or more are allowed", steps);
        return hasFreeSteps() ? SteppedGraphs.of(this, steps) : this;
    }

    /**
     * {@return the proof that they cannot overflow, for the sums of every convolution and dense
     * node; of a recurrent node, for those of its input by its name, and for those of its hidden
     * state by its name and {@code /step}}
     */
    public Map<String, OverflowCertificate> overflowCertificates() {
        Map<String, OverflowCertificate> certificates = new LinkedHashMap<>();
        for (IntNode node : nodes) {
            if (node instanceof Weighted layer) {
                certificates.put(
                        layer.name(),
                        OverflowCertificate.of(layer.weights(), type(layer.input()).codes()));
            } else if (node instanceof DynamicDense layer) {
                certificates.put(layer.name(), layer.certificate());
            } else if (node instanceof Recurrent layer) {
                certificates.put(
                        layer.name(),
                        OverflowCertificate.of(layer.inputWeights(), type(layer.input()).codes()));
                certificates.put(
                        layer.name() + "/step",
                        OverflowCertificate.of(layer.hiddenWeights(), layer.params()));
            }
        }
        return certificates;
    }

    /**
     * {@return the SHA-256 of everything in this graph, 64 digits}
     *
     * <p>Equal graphs have the same, in every process; what was made from a graph can say by it of
     * which one.
     */
    public String sha256() {
        return GraphDigest.of(this);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IntGraph that
                && nodes.equals(that.nodes)
                && outputs.equals(that.outputs)
                && functions.equals(that.functions);
    }

    @Override
    public int hashCode() {
        return Objects.hash(nodes, outputs, functions);
    }

    @Override
    public String toString() {
        return "IntGraph of " + nodes.size() + " nodes, outputs " + outputs;
    }
}
