// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.StreamGraph;
import org.dl4jquant.numeric.Shape;

/**
 * Sequences that come piece by piece, a step or more at a time: the states of recurrent layers go
 * from one call to the next, as in DL4J's {@code rnnTimeStep}. The codes are those of the whole
 * sequence. Not for several threads at once.
 *
 * <pre>{@code
 * StreamGraph states = StreamGraph.of(graph);
 * try (Engine engine = Engine.open("onnxruntime", states.graph())) {
 *     RecurrentStream stream = new RecurrentStream(states, engine);
 *     Map<String, Batch> first = stream.run(Map.of("input", someSteps));
 *     Map<String, Batch> second = stream.run(Map.of("input", moreSteps));
 * }
 * }</pre>
 */
public final class RecurrentStream {

    private final StreamGraph graph;
    private final Engine engine;
    private final Map<String, Batch.Floats> states = new LinkedHashMap<>();

    /**
     * Starts with the state 0.
     *
     * @param graph the graph with states
     * @param engine runs it; whoever opened it closes it
     */
    public RecurrentStream(StreamGraph graph, Engine engine) {
        this.graph = Require.given(graph, "graph");
        this.engine = Require.given(engine, "engine");
        Require.argument(
                engine.graph().equals(graph.graph()),
                "the engine runs %s, not the graph with states, %s; open it with graph.graph()",
                engine.graph(),
                graph.graph());
    }

    /**
     * Runs the next steps.
     *
     * @param inputs one batch for each input but the states, by name; as many examples each time
     * @return the graph's outputs but the states, by name
     * @throws IllegalArgumentException as {@link Engine#run}, and if the number of examples has
     *     changed
     */
    public Map<String, Batch> run(Map<String, Batch.Floats> inputs) {
        Require.given(inputs, "inputs");
        Map<String, Batch.Floats> all = new LinkedHashMap<>(inputs);
        int examples = inputs.values().stream().mapToInt(Batch::size).findFirst().orElse(1);
        for (StreamGraph.State state : graph.states()) {
            Batch.Floats before = states.get(state.before());
            if (before == null) {
                Shape shape = Shape.of(state.units());
                before = Batch.Floats.of(examples, shape, new float[examples * state.units()]);
            }
            Require.argument(
                    before.size() == examples,
                    "the stream has the states of %d examples, and the inputs have %d; call"
                            + " reset() between streams",
                    before.size(),
                    examples);
            all.put(state.before(), before);
        }
        Map<String, Batch> results = new LinkedHashMap<>(engine.run(all));
        for (StreamGraph.State state : graph.states()) {
            Batch after = Objects.requireNonNull(results.remove(state.after()), state.after());
            states.put(state.before(), (Batch.Floats) after);
        }
        return results;
    }

    /** {@return the states, by the names of the graph's inputs; none before the first call} */
    public Map<String, Batch.Floats> states() {
        return Map.copyOf(states);
    }

    /**
     * Goes on from other states.
     *
     * @param others the {@link #states} of a stream of the same graph
     */
    public void setStates(Map<String, Batch.Floats> others) {
        Require.given(others, "others");
        for (String name : others.keySet()) {
            Require.argument(
                    graph.states().stream().anyMatch(state -> state.before().equals(name)),
                    "the graph has no state '%s'; it has %s",
                    name,
                    graph.states());
        }
        states.clear();
        states.putAll(others);
    }

    /** Goes back to the state 0, for other sequences. */
    public void reset() {
        states.clear();
    }
}
