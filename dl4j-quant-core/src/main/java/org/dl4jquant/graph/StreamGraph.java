// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Move;
import org.dl4jquant.graph.node.Quantize;
import org.dl4jquant.graph.node.Recurrent;
import org.dl4jquant.graph.node.RecurrentMemory;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.numeric.AxisIndices;
import org.dl4jquant.numeric.IndexMap;
import org.dl4jquant.numeric.Shape;

/**
 * A graph that takes the states of its recurrent layers and returns them, so that a sequence can be
 * computed piece by piece: the codes are those of the whole sequence.
 *
 * <p>States are float32 inputs and outputs of the graph, {@code [units]} each: {@code
 * <layer>.hidden} before and {@code <layer>.hidden.after} after the steps, and of layers with a
 * memory {@code <layer>.memory} and {@code <layer>.memory.after}. They are the values of codes, as
 * DL4J's {@code rnnGetPreviousState} returns them.
 *
 * @param graph the graph
 * @param states its states
 */
public record StreamGraph(IntGraph graph, List<State> states) {

    /* What computes each step by itself, or after the one before. */
    private static final Set<String> STEPWISE =
            Set.of(
                    "Input",
                    "Quantize",
                    "Dequantize",
                    "Table",
                    "Rectify",
                    "Add",
                    "Elementwise",
                    "Concat",
                    "Convolution",
                    "Reshape",
                    "Move",
                    "MoveByMask",
                    "Recurrent");

    /** Copies the states. */
    public StreamGraph {
        Require.given(graph, "graph");
        states = List.copyOf(states);
    }

    /**
     * A state of a recurrent layer.
     *
     * @param before the input
     * @param after the output
     * @param units how many values it has for each example
     */
    public record State(String before, String after, int units) {}

    /**
     * Returns the graph with states.
     *
     * @param graph takes any number of steps ({@link IntGraph#hasFreeSteps})
     * @return the same with states as further inputs and outputs
     * @throws IllegalArgumentException if the number of steps is fixed, no layer is recurrent, or a
     *     node needs the whole sequence; the message names it
     */
    public static StreamGraph of(IntGraph graph) {
        Require.argument(
                Require.given(graph, "graph").hasFreeSteps(),
                "%s takes a fixed number of steps; lower the network with"
                        + " LoweringOptions.withFreeSteps(true) for a stream",
                graph);
        Builder builder = new Builder(graph);
        graph.nodes().forEach(builder::add);
        return builder.build();
    }

    /** Collects the nodes, with those of the states. */
    private static final class Builder {
        private final IntGraph source;
        private final Set<String> taken = new HashSet<>();
        private final List<IntNode> inputs = new ArrayList<>();
        private final List<IntNode> nodes = new ArrayList<>();
        private final List<String> outputs;
        private final List<State> states = new ArrayList<>();

        Builder(IntGraph source) {
            this.source = source;
            this.outputs = new ArrayList<>(source.outputs());
            source.nodes().forEach(node -> taken.add(node.name()));
        }

        void add(IntNode node) {
            boolean steps =
                    node.inputs().stream().anyMatch(input -> source.type(input).hasFreeSteps());
            Require.argument(
                    !steps || STEPWISE.contains(node.kind()),
                    "node '%s' (%s) needs the whole sequence, and a stream has it piece by piece",
                    node.name(),
                    node.kind());
            if (node instanceof Input) {
                inputs.add(node);
            } else if (node instanceof Recurrent layer) {
                add(layer);
            } else {
                nodes.add(node);
            }
        }

        private void add(Recurrent layer) {
            Require.argument(
                    !layer.reverse() && layer.reads().before().isEmpty(),
                    "recurrent '%s' %s; a stream has the first step first, and its states",
                    layer.name(),
                    layer.reverse() ? "begins with the last step" : "has a state already");
            String hidden = input(layer, ".hidden");
            String codes = free(layer.name() + "/hidden_before");
            nodes.add(new Quantize(codes, hidden, layer.params()));
            Optional<String> memory =
                    layer.cell().remembers()
                            ? Optional.of(input(layer, ".memory"))
                            : Optional.empty();
            Recurrent.Reads reads =
                    new Recurrent.Reads(
                            layer.input(),
                            layer.mask(),
                            Optional.of(new Recurrent.State(codes, memory)));
            Recurrent stateful =
                    new Recurrent(
                            layer.name(),
                            reads,
                            layer.cell(),
                            layer.inputWeights(),
                            layer.hiddenWeights(),
                            layer.params(),
                            false);
            nodes.add(stateful);
            addHidden(layer, hidden);
            memory.ifPresent(
                    before -> {
                        String after = free(before + ".after");
                        nodes.add(new RecurrentMemory(after, stateful));
                        addState(before, after, layer);
                    });
        }

        private void addHidden(Recurrent layer, String before) {
            TensorType type = source.type(layer.name());
            Shape all = type.shape();
            IndexMap last =
                    IndexMap.select(all, 1, AxisIndices.of(all.size(1) - 1))
                            .reshaped(Shape.of(all.size(0)));
            String codes = free(layer.name() + "/hidden_after");
            nodes.add(Move.of(codes, layer.name(), last));
            String after = free(before + ".after");
            nodes.add(new Dequantize(after, codes));
            addState(before, after, layer);
        }

        private String input(Recurrent layer, String what) {
            String name = free(layer.name() + what);
            inputs.add(new Input(name, Shape.of(layer.units())));
            return name;
        }

        private void addState(String before, String after, Recurrent layer) {
            outputs.add(after);
            states.add(new State(before, after, layer.units()));
        }

        private String free(String name) {
            Require.argument(
                    taken.add(name),
                    "a node is named '%s', as a state is to be; rename the layer",
                    name);
            return name;
        }

        StreamGraph build() {
            Require.argument(
                    !states.isEmpty(), "%s has no recurrent layer, and so no state", source);
            List<IntNode> all = new ArrayList<>(inputs);
            all.addAll(nodes);
            return new StreamGraph(IntGraph.of(all, outputs, source.functions()), states);
        }
    }
}
