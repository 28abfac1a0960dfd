// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;

/**
 * The engine that defines the integer contract: pure Java, one thread, nothing but loops.
 *
 * <p>It may be used by many threads at once. Its results do not depend on the machine.
 */
final class ReferenceEngine implements Engine {

    static final String NAME = "reference";

    private final IntGraph graph;
    private final StepLengths<Computation> lengths;
    private volatile boolean closed;

    ReferenceEngine(IntGraph graph) {
        this.graph = graph;
        this.lengths = new StepLengths<>(graph, Computation::of);
    }

    /**
     * The kernels of a graph of fixed sizes.
     *
     * @param graph the graph
     * @param kernels one for each node
     */
    private record Computation(IntGraph graph, List<Kernel> kernels) {
        static Computation of(IntGraph graph) {
            Kernels kinds = new Kernels(graph);
            return new Computation(
                    graph, graph.nodes().stream().map(node -> node.accept(kinds)).toList());
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public IntGraph graph() {
        return graph;
    }

    @Override
    public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
        Map<String, Batch> results = compute(inputs);
        Map<String, Batch> outputs = new LinkedHashMap<>();
        for (String output : graph.outputs()) {
            outputs.put(output, Objects.requireNonNull(results.get(output)));
        }
        return LastFunctions.apply(graph.functions(), outputs);
    }

    @Override
    public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
        Map<String, Batch> results = compute(inputs);
        graph.inputs().forEach(input -> results.remove(input.name()));
        return results;
    }

    private Map<String, Batch> compute(Map<String, Batch.Floats> inputs) {
        Require.state(!closed, "the reference engine is closed; open another one");
        Require.given(inputs, "inputs");
        Computation fixed = lengths.of(inputs);
        GraphInputs.requireValid(fixed.graph(), inputs);
        Map<String, Batch> results = new LinkedHashMap<>(inputs);
        for (int i = 0; i < fixed.kernels().size(); i++) {
            IntNode node = fixed.graph().nodes().get(i);
            if (!(node instanceof Input)) {
                results.put(node.name(), fixed.kernels().get(i).run(read(node, results)));
            }
        }
        return results;
    }

    private static List<Batch> read(IntNode node, Map<String, Batch> results) {
        List<Batch> read = new ArrayList<>();
        for (String input : node.inputs()) {
            read.add(Objects.requireNonNull(results.get(input)));
        }
        return read;
    }

    @Override
    public void close() {
        closed = true;
    }
}
