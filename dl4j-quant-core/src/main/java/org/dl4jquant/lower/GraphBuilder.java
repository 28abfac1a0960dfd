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
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.graph.node.TensorType;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/** Collects nodes while a network is walked, and knows what each layer hands on. */
final class GraphBuilder {

    /* A network input has no node until the first layer that reads it is met: only there, in what
     * calibration saw or a preprocessor says, is its shape known. */
    private final Set<String> inputsWithoutNode = new LinkedHashSet<>();
    private final List<String> inputs = new ArrayList<>();
    private final Map<String, Signal> signals = new HashMap<>();
    private final IntGraph.Builder graph = IntGraph.builder();
    private final Map<String, String> nodes;
    private final Set<String> taken;
    private final Set<String> made = new HashSet<>();

    /**
     * Makes an empty graph.
     *
     * @param names the names of all the network's layers, vertices and inputs
     */
    GraphBuilder(Collection<String> names) {
        this.nodes = LayerNames.ofNodes(names);
        this.taken = new HashSet<>(names);
        taken.addAll(nodes.values());
    }

    /** Returns the name of the node that holds a layer's result. */
    String node(String layer) {
        return Objects.requireNonNull(nodes.get(layer), layer);
    }

    /** Returns a name for a node that holds something else than a layer's result. */
    String inner(String wish) {
        String name = LayerNames.fresh(wish, taken);
        taken.add(name);
        return name;
    }

    void announceInput(String name) {
        inputs.add(node(name));
        inputsWithoutNode.add(node(name));
        signals.put(name, Signal.Values.fromOutside(node(name)));
    }

    void lowerLayer(
            String name, Layer layer, @Nullable InputPreProcessor preProcessor, String input) {
        Signal arriving = signal(name, input);
        if (preProcessor != null) {
            arriving =
                    new Preprocessors(this, name)
                            .lower(inner(node(name) + "/input"), preProcessor, arriving);
        }
        try {
            signals.put(name, new LayerLowering(this, node(name)).lower(layer, arriving));
        } catch (LoweringException refused) {
            throw refused;
        } catch (IllegalArgumentException unfit) {
            throw new LoweringException(
                    name,
                    String.valueOf(unfit.getMessage()),
                    "change the layer's options so that it fits its input",
                    unfit);
        }
    }

    void lowerPreprocessor(String name, InputPreProcessor preProcessor, String input) {
        Signal arriving = signal(name, input);
        signals.put(name, new Preprocessors(this, name).lower(node(name), preProcessor, arriving));
    }

    void lowerAdd(String name, List<String> inputs) {
        if (inputs.size() != 2) {
            throw new LoweringException(
                    name,
                    "it adds " + inputs.size() + " tensors",
                    "add two at a time, in vertices one after the other");
        }
        String left = codes(name, signal(name, inputs.get(0)));
        String right = codes(name, signal(name, inputs.get(1)));
        signals.put(name, new Signal.Unrounded(name, new Signal.Operation.Sum(left, right)));
    }

    void lowerMerge(String name, List<String> inputs, int axis) {
        if (inputs.size() == 1) {
            signals.put(name, signal(name, inputs.get(0)));
            return;
        }
        if (axis != 1) {
            throw new LoweringException(
                    name,
                    "it merges along axis " + axis,
                    "merge channels, which are axis 1 in format NCHW");
        }
        List<String> codes =
                inputs.stream().map(input -> codes(name, signal(name, input))).toList();
        signals.put(name, new Signal.Unrounded(name, new Signal.Operation.Joined(codes)));
    }

    /* Inputs stand first and in the network's order, whatever is read first. */
    IntGraph finish(List<String> outputs) {
        Map<String, List<OutputFunction>> functions = new LinkedHashMap<>();
        List<String> results = new ArrayList<>();
        for (String output : outputs) {
            Signal signal = signal(output, output);
            String node = nodeOf(output, signal);
            results.add(node);
            if (signal instanceof Signal.Values values && !values.functions().isEmpty()) {
                functions.put(node, values.functions());
            }
        }
        if (!inputsWithoutNode.isEmpty()) {
            throw new LoweringException(
                    inputsWithoutNode.iterator().next(),
                    "it is a network input that no quantized layer reads",
                    "remove it from the network");
        }
        IntGraph unordered = graph.build(results);
        List<IntNode> nodes = new ArrayList<>();
        for (String input : inputs) {
            unordered.inputs().stream()
                    .filter(node -> node.name().equals(input))
                    .forEach(nodes::add);
        }
        unordered.nodes().stream().filter(node -> !(node instanceof Input)).forEach(nodes::add);
        return IntGraph.of(nodes, results, functions);
    }

    /* What leaves bears the output's name, even if its layer only passed it on. */
    private String nodeOf(String output, Signal signal) {
        if (signal instanceof Signal.Unrounded) {
            throw new LoweringException(
                    output,
                    "this vertex is an output of the network, and its result is not rounded",
                    "let an ActivationLayer with the identity read it and be the output, and"
                            + " prepare the network again");
        }
        if (!(signal instanceof Signal.Values values)) {
            String codes = codes(output, signal);
            return add(new Dequantize(freeName(node(output)), codes));
        }
        if (values.unprepared() != null) {
            throw new LoweringException(
                    values.unprepared(),
                    "its activation function came after prepare, and the network computes it as"
                            + " DL4J does, not in every bit as engines do",
                    "prepare the network again; what is quantized in it stays as it is");
        }
        boolean computed = values.layer() != null && !values.node().equals(node(output));
        return computed && !made.contains(node(output))
                ? add(new Reshape(node(output), values.node(), shape(values.node())))
                : values.node();
    }

    private Shape shape(String node) {
        return type(node).shape();
    }

    private String freeName(String name) {
        return made.contains(name) ? inner(name + "/values") : name;
    }

    /** Adds a node and returns its name. */
    String add(IntNode node) {
        graph.add(node);
        made.add(node.name());
        return node.name();
    }

    /**
     * Returns the float32 values that a layer rounds: only what comes from outside can be rounded.
     *
     * @param reader the layer that rounds them
     * @param values the values
     * @param shape one example's dimensions
     */
    String valuesToRound(String reader, Signal.Values values, Shape shape) {
        String layer = values.layer();
        if (layer != null) {
            throw computedInFloat(layer, reader);
        }
        return values(values, shape);
    }

    private static LoweringException computedInFloat(String layer, String reader) {
        return new LoweringException(
                layer,
                "its result is float32, and '" + reader + "' computes with it",
                "the prepare report says why; quantize what reads and what makes it, or end the"
                        + " deployed network there");
    }

    /** Returns the node of float32 values; a network input gets its node, of this shape, now. */
    String values(Signal.Values values, Shape shape) {
        if (inputsWithoutNode.remove(values.node())) {
            return add(new Input(values.node(), shape));
        }
        return values.node();
    }

    /** Returns the type of what a signal's node holds. */
    TensorType type(String node) {
        return graph.type(node);
    }

    /** Returns the node that holds codes, or refuses what holds something else. */
    String codes(String reader, Signal signal) {
        if (signal instanceof Signal.Codes codes) {
            return codes.node();
        }
        if (signal instanceof Signal.Unrounded unrounded) {
            throw new LoweringException(
                    unrounded.layer(),
                    "'" + reader + "' reads its result, which no quantizer rounds",
                    "let it read the layer that rounds it, such as '"
                            + unrounded.layer()
                            + "/quantized', or prepare the float network with a spec that"
                            + " quantizes its activations");
        }
        if (signal instanceof Signal.Values values && values.layer() != null) {
            throw computedInFloat(values.layer(), reader);
        }
        if (signal instanceof Signal.Values values && inputs.contains(values.node())) {
            throw new LoweringException(
                    reader,
                    "it reads the network's input '" + values.node() + "', which nothing rounds",
                    "prepare the network again, with integers for its activations; what takes codes"
                            + " at the input are dense and convolution layers, pools, sums and"
                            + " concatenations");
        }
        throw new LoweringException(
                reader,
                "its input is float32, not codes",
                "the prepare report says which layer before it was left in float, and why");
    }

    private Signal signal(String reader, String name) {
        Signal signal = signals.get(name);
        if (signal == null) {
            throw new IllegalStateException(
                    "layer '" + reader + "' reads '" + name + "', which does not come before it");
        }
        return signal;
    }
}
