// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Reshape;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.layer.integer.StackForm;
import org.dl4jquant.numeric.OutputFunction;

/** The results that leave a graph: each has the output's name, even if its layer passed it on. */
final class GraphOutputs {

    private final GraphBuilder graph;
    private final List<String> nodes = new ArrayList<>();
    private final Map<String, List<OutputFunction>> functions = new LinkedHashMap<>();

    GraphOutputs(GraphBuilder graph) {
        this.graph = graph;
    }

    /**
     * Adds an output.
     *
     * @param output the name of the step
     * @param signal its result
     * @throws IntegerRefusal if the result cannot leave
     */
    void add(String output, Signal signal) {
        addNode(output, signal);
    }

    /** Adds an output, as {@link #add}, and returns its node. */
    String addNode(String output, Signal signal) {
        String node = node(output, signal);
        nodes.add(node);
        if (signal instanceof Signal.Values values && !values.functions().isEmpty()) {
            functions.put(node, values.functions());
        }
        return node;
    }

    private String node(String output, Signal signal) {
        if (signal instanceof Signal.Unrounded) {
            throw new IntegerRefusal(
                    "this vertex is an output of the network, and its result is not rounded",
                    "let an ActivationLayer with the identity read it and be the output, and"
                            + " prepare the network again");
        }
        if (signal instanceof Signal.Stacked) {
            throw StackForm.asOneBatch().exception();
        }
        String name = graph.node(output);
        StepEmitter emitter = new StepEmitter(graph, output, name, Optional.empty());
        if (!(signal instanceof Signal.Values values)) {
            String codes = emitter.codes(signal);
            String free = graph.has(name) ? emitter.inner("values") : name;
            return graph.add(new Dequantize(free, codes));
        }
        String unprepared = values.unprepared();
        if (unprepared != null) {
            throw IntegerRefusal.of(
                    unprepared,
                    "its activation function came after prepare, and the network computes it as"
                            + " DL4J does, not in every bit as engines do",
                    "prepare the network again; what is quantized in it stays as it is");
        }
        boolean computed = values.layer() != null && !values.node().equals(name);
        return computed && !graph.has(name)
                ? graph.add(new Reshape(name, values.node(), graph.type(values.node()).shape()))
                : values.node();
    }

    /** {@return the nodes, in the order of the outputs} */
    List<String> nodes() {
        return nodes;
    }

    /** {@return the last functions of nodes} */
    Map<String, List<OutputFunction>> functions() {
        return functions;
    }
}
