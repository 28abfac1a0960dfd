// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.HashMap;
import java.util.Map;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.node.Input;

/** The time of one inference: the median of {@value #RUNS} runs of one example of zeros. */
public final class Latency {

    /** How many runs only warm up. */
    public static final int WARM_UP = 5;

    /** How many runs are timed. */
    public static final int RUNS = 21;

    private Latency() {}

    /**
     * Measures an engine.
     *
     * @param engine the engine's name, such as {@code onnxruntime}
     * @param graph the graph that it runs
     * @return the median in milliseconds
     */
    public static double millis(String engine, IntGraph graph) {
        Require.given(engine, "engine");
        Map<String, Batch.Floats> one = new HashMap<>();
        for (Input input : Require.given(graph, "graph").inputs()) {
            one.put(
                    input.name(),
                    Batch.Floats.of(1, input.shape(), new float[input.shape().elements()]));
        }
        try (Engine running = Engine.open(engine, graph)) {
            return new InterleavedTimer()
                    .with(engine, () -> running.run(one))
                    .run(WARM_UP, RUNS)
                    .millis(engine);
        }
    }
}
