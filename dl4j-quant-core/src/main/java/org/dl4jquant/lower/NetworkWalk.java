// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.dl4jquant.graph.IntGraph;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.integer.IntegerForm;
import org.dl4jquant.layer.integer.IntegerRefusal;
import org.dl4jquant.layer.integer.IntegerSupport;
import org.dl4jquant.layer.integer.IntegerSupport.Refusal;
import org.dl4jquant.layer.integer.LayerTensors;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.layer.integer.Stacks;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The walk over a network's steps that asks each one's form for its nodes. It goes on after a step
 * that cannot become integers, so that the user learns of all obstacles at once.
 */
final class NetworkWalk {

    private final GraphBuilder graph;
    private final Obstacles obstacles = new Obstacles();

    /** The results of steps; an empty one is that of a step which cannot become integers. */
    private final Map<String, Optional<Signal>> signals = new HashMap<>();

    private final MaskFlow masks;
    private final boolean freeSteps;
    private @Nullable Islands islands;

    /**
     * Starts a walk.
     *
     * @param names the names of all the network's layers, vertices and inputs
     * @param options the inputs that the graph takes besides the network's inputs
     */
    NetworkWalk(Collection<String> names, LoweringOptions options) {
        this.graph = new GraphBuilder(names, options.freeSteps());
        this.freeSteps = options.freeSteps();
        this.masks = new MaskFlow(options.masks());
    }

    /**
     * Lets steps that cannot become integers stay in float.
     *
     * @param shapes one example of the result of each step and of each network input, by name
     */
    void allowFloat(Map<String, Shape> shapes) {
        islands = new Islands(graph, shapes);
    }

    void input(String name) {
        signals.put(name, Optional.of(graph.announceInput(name)));
        masks.input(name);
    }

    /**
     * Passes a layer.
     *
     * @param name its name
     * @param layer the running layer
     * @param preprocessor the preprocessor of its input; null without one
     * @param input the step that it reads
     */
    void layer(String name, Layer layer, @Nullable InputPreProcessor preprocessor, String input) {
        Optional<Signal> arriving = signal(name, input);
        if (preprocessor != null) {
            String node = graph.inner(graph.node(name) + "/input");
            arriving =
                    plain(
                            new Islands.Place(
                                    new StepEmitter(graph, name, node, masks.arriving(name, input)),
                                    preprocessor,
                                    null,
                                    List.of(arriving)));
        } else {
            masks.arriving(name, input);
        }
        StepEmitter emitter = new StepEmitter(graph, name, graph.node(name), masks.of(name));
        Optional<QuantizedLayer> quantized = QuantizedLayers.configuration(layer);
        Islands.Place place =
                new Islands.Place(
                        emitter, Frozen.inside(layer.conf().getLayer()), layer, List.of(arriving));
        signals.put(
                name,
                quantized.isPresent() ? quantized(place, layer, quantized.get()) : plain(place));
    }

    /**
     * Passes a vertex that is no layer, or a preprocessor.
     *
     * @param name its name
     * @param configuration its configuration
     * @param inputs the steps that it reads
     */
    void vertex(String name, Object configuration, List<String> inputs) {
        signals.put(
                name,
                plain(
                        new Islands.Place(
                                new StepEmitter(
                                        graph,
                                        name,
                                        graph.node(name),
                                        masks.arriving(name, inputs)),
                                configuration,
                                null,
                                inputs.stream().map(input -> signal(name, input)).toList())));
    }

    private Optional<Signal> plain(Islands.Place place) {
        IntegerSupport support = LayerKinds.of(place.configuration()).integers();
        return support.refusal().isPresent()
                ? refused(place, support.refusal().get())
                : emitted(
                        place,
                        support.form(LayerTensors.unquantized(place.emitter().step()))
                                .orElseThrow());
    }

    private Optional<Signal> quantized(Islands.Place place, Layer layer, QuantizedLayer conf) {
        Optional<Refusal> obstacle =
                QuantizerChecks.obstacle(place.emitter().step(), layer, conf)
                        .or(() -> LayerKinds.of(conf.getUnderlying()).integers().refusal());
        return obstacle.isPresent()
                ? refused(place, obstacle.get())
                : emitted(place, QuantizedLayers.integerForm(layer).orElseThrow());
    }

    private Optional<Signal> refused(Islands.Place place, Refusal refusal) {
        return inFloat(
                place, refusal.reason(), () -> obstacles.add(place.emitter().step(), refusal));
    }

    /* Without islands, or where one cannot be made, the step is an obstacle. */
    private Optional<Signal> inFloat(Islands.Place place, String reason, Runnable obstacle) {
        Islands allowed = islands;
        if (allowed == null) {
            obstacle.run();
            return Optional.empty();
        }
        try {
            return allowed.make(place, reason);
        } catch (IntegerRefusal met) {
            obstacles.add(place.emitter().step(), met);
        } catch (IllegalArgumentException unfit) {
            obstacles.add(
                    place.emitter().step(),
                    reason + "; and it cannot stay in float: " + unfit.getMessage(),
                    "leave it out of the deployed network");
        }
        return Optional.empty();
    }

    private Optional<Signal> emitted(Islands.Place place, IntegerForm form) {
        StepEmitter emitter = place.emitter();
        List<Optional<Signal>> inputs = place.inputs();
        if (!inputs.stream().allMatch(Optional::isPresent)) {
            // Whatever is wrong here may follow from a step before.
            return Optional.empty();
        }
        Refusal refusal = form.obstacle();
        if (refusal != null) {
            return refused(place, refusal);
        }
        try {
            masks.pass(emitter.step(), form.maskUse());
            form.countsStepsOf().ifPresent(input -> masks.begin(emitter.step(), input));
            List<Signal> known = inputs.stream().map(Optional::orElseThrow).toList();
            return Optional.of(Stacks.emit(form, emitter, known));
        } catch (IntegerRefusal met) {
            return inFloat(
                    place, String.valueOf(met.reason()), () -> obstacles.add(emitter.step(), met));
        } catch (IllegalArgumentException unfit) {
            obstacles.add(emitter.step(), unfit);
        }
        return Optional.empty();
    }

    /**
     * {@return the graph and its islands}
     *
     * @param outputs the steps whose results leave the network
     * @throws LoweringException if there are obstacles
     */
    HybridGraph finishHybrid(List<String> outputs) {
        Map<String, FloatIsland> all = Objects.requireNonNull(islands).all();
        GraphOutputs results = new GraphOutputs(graph);
        List<String> leaving = new ArrayList<>();
        for (String output : outputs) {
            Optional<Signal> signal = signal(output, output);
            try {
                if (signal.isPresent()) {
                    boolean island =
                            signal.get() instanceof Signal.Values values
                                    && all.containsKey(values.node());
                    leaving.add(
                            island
                                    ? ((Signal.Values) signal.get()).node()
                                    : results.addNode(output, signal.get()));
                }
            } catch (IntegerRefusal met) {
                obstacles.add(output, met);
            }
        }
        obstacles.requireNone();
        List<String> nodes = new ArrayList<>(results.nodes());
        for (FloatIsland island : all.values()) {
            for (String input : island.inputs()) {
                if (!nodes.contains(input) && !graph.comesFromOutside(input)) {
                    nodes.add(input);
                }
            }
        }
        if (nodes.isEmpty()) {
            obstacles.add(
                    outputs.get(0),
                    "no step before it computes integers",
                    "prepare the network with integers for some layers, or run the float network");
            obstacles.requireNone();
        }
        return new HybridGraph(
                graph.build(nodes, results.functions()), List.copyOf(all.values()), leaving);
    }

    /**
     * {@return the graph}
     *
     * @param outputs the steps whose results leave the network
     * @throws LoweringException if there are obstacles
     */
    IntGraph finish(List<String> outputs) {
        GraphOutputs results = new GraphOutputs(graph);
        for (String output : outputs) {
            Optional<Signal> signal = signal(output, output);
            try {
                signal.ifPresent(known -> results.add(output, known));
            } catch (IntegerRefusal met) {
                obstacles.add(output, met);
            }
        }
        if (obstacles.isEmpty()) {
            graph.unreadInput()
                    .ifPresent(
                            input ->
                                    obstacles.add(
                                            input,
                                            "it is a network input that no quantized layer reads",
                                            "remove it from the network"));
        }
        if (obstacles.isEmpty()) {
            masks.addObstacles(graph, obstacles);
            if (freeSteps && !graph.hasFreeSteps()) {
                obstacles.add(
                        outputs.get(0),
                        "the number of steps is to be free, and no input of the network is a"
                                + " sequence of features",
                        "lower the network without free steps");
            }
        }
        obstacles.requireNone();
        return graph.build(results.nodes(), results.functions());
    }

    /** {@return where each node of codes is in the result of the step that made it} */
    Map<String, StepResult> results() {
        Map<String, StepResult> results = new HashMap<>();
        signals.forEach(
                (step, signal) -> signal.ifPresent(known -> addResults(step, known, results)));
        return results;
    }

    private static void addResults(String step, Signal signal, Map<String, StepResult> results) {
        List<Signal> parts = Signal.Stacked.partsOf(signal);
        for (int batch = 0; batch < parts.size(); batch++) {
            if (parts.get(batch) instanceof Signal.Codes codes) {
                StepResult result = new StepResult(step, codes.channelsLast(), batch, parts.size());
                // A step that passes codes on has the same; of any two, the choice is arbitrary.
                results.merge(
                        codes.node(),
                        result,
                        (one, other) -> one.step().compareTo(other.step()) <= 0 ? one : other);
            }
        }
    }

    private Optional<Signal> signal(String reader, String name) {
        Optional<Signal> signal = signals.get(name);
        if (signal == null) {
            throw new IllegalStateException(
                    "layer '" + reader + "' reads '" + name + "', which does not come before it");
        }
        return signal;
    }
}
