// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;

/**
 * Something that runs an integer graph.
 *
 * <p>Engines are found by name through {@link java.util.ServiceLoader}; see {@link EngineProvider}.
 */
public interface Engine extends AutoCloseable {

    /**
     * Opens an engine for a graph.
     *
     * @param name the engine's name: {@code reference}, {@code onnxruntime} or what else is on the
     *     class path
     * @param graph the graph to run
     * @return the engine; close it after use
     * @throws IllegalArgumentException if there is no engine of this name; the message lists those
     *     that there are, and why any of them cannot be used here
     */
    static Engine open(String name, IntGraph graph) {
        Require.given(name, "name");
        Require.given(graph, "graph");
        return EngineRegistry.open(name, graph);
    }

    /** {@return the engine's name} */
    String name();

    /** {@return the graph that it runs} */
    IntGraph graph();

    /**
     * Runs the graph. Infinite inputs saturate: they become the smallest and the largest code.
     *
     * @param inputs one batch for each input node, by name; all of one size
     * @return one batch for each of the graph's outputs, by name, with the output's last functions
     *     applied ({@link IntGraph#functions}): what {@code output()} of the quantized network
     *     returns, in every bit. The scores before them are in the {@link #trace}; an engine of
     *     {@link IntGraph#scores} returns nothing but scores
     * @throws IllegalArgumentException if an input is missing, unknown, of another shape or size,
     *     or holds NaN
     */
    Map<String, Batch> run(Map<String, Batch.Floats> inputs);

    /**
     * Runs the graph and keeps the result of every node.
     *
     * @param inputs as for {@link #run}
     * @return one batch for each node but the inputs, by name, in the graph's order; last functions
     *     are no nodes, so that an output that has one is found as its scores
     * @throws IllegalArgumentException as {@link #run}
     * @throws IllegalStateException if the engine is closed
     */
    Map<String, Batch> trace(Map<String, Batch.Floats> inputs);

    /** Frees what the engine holds; a second call does nothing. */
    @Override
    void close();
}
