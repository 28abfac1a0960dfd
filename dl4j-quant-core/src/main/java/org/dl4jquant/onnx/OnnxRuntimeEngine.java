// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.onnx;

import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.dl4jquant.check.Require;
import org.dl4jquant.engine.Batch;
import org.dl4jquant.engine.Engine;
import org.dl4jquant.engine.GraphInputs;
import org.dl4jquant.engine.LastFunctions;
import org.dl4jquant.engine.StepLengths;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.graph.node.IntNode;
import org.jspecify.annotations.Nullable;

/*
 * Two sessions: one for run, with the graph's own outputs, and one for trace, opened when it is first
 * asked for, in which every node's result is an output. Closing waits for the runs under way: ONNX
 * Runtime does not, and would crash the virtual machine.
 */
/** Runs a graph with the integer kernels of ONNX Runtime; many threads may use it at once. */
final class OnnxRuntimeEngine implements Engine {

    private final IntGraph graph;
    private final OnnxRuntimeOptions options;
    private final StepLengths<IntGraph> lengths;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final OnnxRuntimeSession session;
    private @Nullable OnnxRuntimeSession traceSession;
    private boolean closed;

    OnnxRuntimeEngine(IntGraph graph, OnnxRuntimeOptions options) {
        this.graph = graph;
        this.options = options;
        this.lengths = new StepLengths<>(graph, fixed -> fixed);
        this.session = new OnnxRuntimeSession(graph, options);
    }

    @Override
    public String name() {
        return OnnxRuntimeProvider.NAME;
    }

    @Override
    public IntGraph graph() {
        return graph;
    }

    @Override
    public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
        return LastFunctions.apply(graph.functions(), run(session, inputs));
    }

    @Override
    public Map<String, Batch> trace(Map<String, Batch.Floats> inputs) {
        return run(traceSession(), inputs);
    }

    private Map<String, Batch> run(OnnxRuntimeSession chosen, Map<String, Batch.Floats> inputs) {
        lock.readLock().lock();
        try {
            requireOpen();
            IntGraph fixed = lengths.of(Require.given(inputs, "inputs"));
            return chosen.run(inputs, GraphInputs.requireValid(fixed, inputs), fixed);
        } finally {
            lock.readLock().unlock();
        }
    }

    private OnnxRuntimeSession traceSession() {
        lock.writeLock().lock();
        try {
            requireOpen();
            if (traceSession == null) {
                List<String> results =
                        graph.nodes().stream()
                                .filter(node -> !(node instanceof Input))
                                .map(IntNode::name)
                                .toList();
                traceSession = new OnnxRuntimeSession(IntGraph.of(graph.nodes(), results), options);
            }
            return traceSession;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void requireOpen() {
        Require.state(!closed, "the engine 'onnxruntime' is closed; open another one");
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                session.close();
                if (traceSession != null) {
                    traceSession.close();
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
