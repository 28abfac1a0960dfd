// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.lower;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.check.Require;
import org.dl4jquant.graph.island.FloatIsland;
import org.dl4jquant.graph.island.FloatOperator.Attribute;
import org.dl4jquant.graph.island.FloatWriter;
import org.dl4jquant.graph.node.Dequantize;
import org.dl4jquant.graph.node.Input;
import org.dl4jquant.layer.LayerFunctions;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.QuantizedLayers;
import org.dl4jquant.layer.floats.FloatForm;
import org.dl4jquant.layer.floats.FloatForms;
import org.dl4jquant.layer.integer.ChannelLine;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.layer.integer.Signal;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.network.Step;
import org.dl4jquant.numeric.OutputFunction;
import org.dl4jquant.numeric.Shape;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The steps of a network that stay in float in a hybrid model: each reads float32 values of the
 * integer graph, and its result is an input of the graph.
 */
final class Islands {

    private static final long FLOAT = 1;
    private static final long FLOAT16 = 10;

    private final GraphBuilder graph;
    private final Map<String, Shape> shapes;
    private final Map<String, FloatIsland> islands = new LinkedHashMap<>();

    /**
     * A step that is to stay in float.
     *
     * @param emitter the graph, as the step may change it
     * @param configuration its configuration
     * @param layer the running layer; null for a vertex
     * @param inputs the signals that it reads
     */
    record Place(
            StepEmitter emitter,
            Object configuration,
            @Nullable Layer layer,
            List<Optional<Signal>> inputs) {
        /** Copies the list. */
        Place {
            inputs = List.copyOf(inputs);
        }
    }

    /**
     * Starts without islands.
     *
     * @param graph the graph
     * @param shapes one example of the result of each step and of each network input, by name
     */
    Islands(GraphBuilder graph, Map<String, Shape> shapes) {
        this.graph = graph;
        this.shapes = shapes;
    }

    /** {@return the islands, by the names of their results, in order} */
    Map<String, FloatIsland> all() {
        return islands;
    }

    /**
     * Makes an island of a step.
     *
     * @param place the step
     * @param reason why it is not integers
     * @return its result; empty if an input is missing
     * @throws IllegalArgumentException if it has no float operators; the message says why
     */
    Optional<Signal> make(Place place, String reason) {
        if (!place.inputs().stream().allMatch(Optional::isPresent)) {
            return Optional.empty();
        }
        Layer layer = place.layer();
        Optional<QuantizedLayer> quantized =
                layer == null ? Optional.empty() : QuantizedLayers.configuration(layer);
        LayerKind kind =
                LayerKinds.of(
                        quantized.isPresent()
                                ? quantized.get().getUnderlying()
                                : place.configuration());
        String type = Step.typeOf(kind.configuration());
        FloatForm form = kind.floats().orElse(null);
        Require.argument(form != null, "a %s has no float operators either", type);
        StepEmitter emitter = place.emitter();
        FloatWriter target = new FloatWriter(emitter.name());
        List<String> inputs = new ArrayList<>();
        List<String> read = new ArrayList<>();
        Map<String, List<OutputFunction>> before = new HashMap<>();
        for (Optional<Signal> signal : place.inputs()) {
            read.add(input(emitter, signal.orElseThrow(), inputs, target));
            if (signal.get() instanceof Signal.Values values && !values.functions().isEmpty()) {
                before.put(inputs.get(inputs.size() - 1), values.functions());
            }
        }
        Shape result = shape(emitter.step());
        FloatForm.Reading reading =
                new FloatForm.Reading(
                        read,
                        inputs.stream().map(node -> graph.type(node).shape()).toList(),
                        result,
                        parameters(layer));
        boolean half =
                new Arithmetic(target, layer, quantized)
                        .write(Objects.requireNonNull(form), reading);
        FloatIsland island =
                new FloatIsland(
                        emitter.step(),
                        type,
                        reason,
                        half,
                        inputs,
                        graph.add(new Input(emitter.name(), result)),
                        new FloatIsland.Body(target.constants(), target.operators(), before));
        islands.put(island.output(), island);
        return Optional.of(Signal.Values.fromOutside(island.output()));
    }

    /* A wrapped layer holds its rounded weights after a pass of inference. */
    private static Map<String, INDArray> parameters(@Nullable Layer layer) {
        if (layer == null) {
            return Map.of();
        }
        Layer inner = layer instanceof BaseWrapperLayer wrapper ? wrapper.getUnderlying() : layer;
        Map<String, INDArray> table = inner.paramTable();
        return table == null ? Map.of() : table;
    }

    private Shape shape(String step) {
        Shape shape = shapes.get(step);
        Require.argument(shape != null, "the shape of its result is not known");
        return Objects.requireNonNull(shape);
    }

    /* The values of a signal, after functions that are pending. */
    private String input(
            StepEmitter emitter, Signal signal, List<String> nodes, FloatWriter target) {
        if (!(signal instanceof Signal.Values values)) {
            String codes = emitter.codes(signal);
            String node = graph.add(new Dequantize(emitter.inner("values"), codes));
            nodes.add(node);
            return node;
        }
        String node =
                graph.has(values.node())
                        ? values.node()
                        : graph.values(values, shape(graph.networkName(values.node())), false);
        nodes.add(node);
        return target.functions(values.functions(), node);
    }

    /**
     * The arithmetic of one layer or vertex.
     *
     * @param target takes the operators
     * @param layer the running layer; null for a vertex
     * @param quantized its configuration, if it has quantizers
     */
    private record Arithmetic(
            FloatWriter target, @Nullable Layer layer, Optional<QuantizedLayer> quantized) {

        /** {@return whether it rounds to half precision} */
        boolean write(FloatForm form, FloatForm.Reading reading) {
            requireNoCodes();
            Shape result = reading.result();
            List<String> inputs =
                    reading.inputs().stream()
                            .map(values -> rounded(TensorRole.INPUT, values))
                            .toList();
            String values = form.write(target, reading.of(inputs));
            values = normalized(values, result);
            values = rounded(TensorRole.PRE_ACTIVATION, values);
            IActivation function = function(form);
            if (function != null) {
                values = target.functions(functions(function, result), values);
            }
            values = rounded(TensorRole.OUTPUT, values);
            target.operator("Identity", List.of(values));
            return isHalf();
        }

        /* Of a quantized layer it is its own or that of a layer joined with it. */
        private @Nullable IActivation function(FloatForm form) {
            return quantized.isPresent() && form.function() != null && !isOutput()
                    ? LayerFunctions.after(quantized.get())
                    : form.function();
        }

        private boolean isOutput() {
            return quantized.isPresent()
                    && LayerKinds.of(quantized.get().getUnderlying()).isOutput();
        }

        private static List<OutputFunction> functions(IActivation function, Shape result) {
            Optional<List<OutputFunction>> found = OutputFunctions.of(function, result.rank() - 1);
            Require.argument(
                    found.isPresent(),
                    "its activation function %s has no float operators",
                    function.getClass().getName());
            return found.orElseThrow();
        }

        private String normalized(String values, Shape result) {
            Optional<ChannelLine> line =
                    layer == null ? Optional.empty() : QuantizedLayers.normalization(layer);
            if (line.isEmpty()) {
                return values;
            }
            float[] factors = new float[result.size(0)];
            float[] shifts = new float[factors.length];
            for (int channel = 0; channel < factors.length; channel++) {
                factors[channel] = (float) line.get().factor(channel);
                shifts[channel] = (float) line.get().shift(channel);
            }
            return FloatForms.line(target, values, factors, shifts, result.rank());
        }

        private @Nullable ActivationScheme scheme(TensorRole role) {
            return quantized.map(conf -> conf.quantizers().scheme(role)).orElse(null);
        }

        private void requireNoCodes() {
            for (TensorRole role : TensorRole.values()) {
                ActivationScheme scheme = scheme(role);
                Require.argument(
                        scheme == null || !scheme.isInteger(),
                        "its %s is rounded to integers, which an island in float is not; prepare"
                                + " the network with LayerScheme.FLOAT or FP16 for it",
                        role.name().toLowerCase(Locale.ROOT));
            }
        }

        private boolean isHalf() {
            return Arrays.stream(TensorRole.values()).anyMatch(role -> scheme(role) != null);
        }

        private String rounded(TensorRole role, String values) {
            if (scheme(role) == null) {
                return values;
            }
            String half = target.operator("Cast", List.of(values), Attribute.of("to", FLOAT16));
            return target.operator("Cast", List.of(half), Attribute.of("to", FLOAT));
        }
    }
}
