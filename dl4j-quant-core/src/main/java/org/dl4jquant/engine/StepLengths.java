// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;

/**
 * The part that an engine makes of a graph, for each of the numbers of steps that were used last;
 * of a graph of fixed sizes once. Many threads may use it at once.
 *
 * @param <T> the type of the parts
 */
public final class StepLengths<T> {

    /* Not tuned: a stream alternates between few lengths. */
    private static final int MOST = 16;

    private final IntGraph graph;
    private final Function<IntGraph, T> maker;
    private final T own;
    private final Map<Integer, T> made =
            new LinkedHashMap<>(MOST, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Integer, T> eldest) {
                    return size() > MOST;
                }
            };

    /**
     * Makes it of the graph itself.
     *
     * @param graph the graph to run
     * @param maker makes it of a graph
     */
    public StepLengths(IntGraph graph, Function<IntGraph, T> maker) {
        this.graph = Require.given(graph, "graph");
        this.maker = Require.given(maker, "maker");
        this.own = maker.apply(graph);
    }

    /**
     * {@return the part that was made of the graph for as many steps as the inputs have}
     *
     * @param inputs one batch for each input node, by name
     */
    public T of(Map<String, Batch.Floats> inputs) {
        OptionalInt steps = GraphInputs.steps(graph, Require.given(inputs, "inputs"));
        if (steps.isEmpty()) {
            return own;
        }
        synchronized (made) {
            return made.computeIfAbsent(
                    steps.getAsInt(), count -> maker.apply(graph.withSteps(count)));
        }
    }
}
