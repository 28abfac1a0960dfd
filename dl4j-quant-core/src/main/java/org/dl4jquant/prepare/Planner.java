// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.ActivationScheme;
import org.dl4jquant.layer.LayerQuantizers;
import org.dl4jquant.layer.PointwiseActivation;
import org.dl4jquant.scheme.LayerPosition;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;

/** Decides which tensor of a network is rounded where. */
final class Planner {

    /* One quantizer for each tensor, at the step that makes it, and only where some step behind it
     * computes with codes. A tensor that comes in float (the network's input, the result of a layer
     * left in float) is rounded by each layer that reads it instead. */

    private final FloatNetwork network;
    private final Signs signs;
    private final Map<String, LayerScheme> schemes;
    private final Map<String, Boolean> needed = new HashMap<>();
    private final Map<String, ActivationScheme> inserted = new LinkedHashMap<>();
    private final Map<String, LayerQuantizers> wrapped = new LinkedHashMap<>();

    private Planner(FloatNetwork network, Signs signs, Map<String, LayerScheme> schemes) {
        this.network = network;
        this.signs = signs;
        this.schemes = schemes;
    }

    /**
     * {@return the plan}
     *
     * @param float32 the network as it came
     * @param spec the wish
     * @param nonNegativeInput whether a network input's data are never negative
     */
    static Plan plan(FloatNetwork float32, QuantSpec spec, Predicate<String> nonNegativeInput) {
        FloatNetwork merged = Merging.merge(float32);
        Planner planner =
                new Planner(merged, new Signs(merged, nonNegativeInput), schemes(merged, spec));
        for (Step step : merged.steps()) {
            planner.decide(step);
        }
        PrepareReport report =
                Reasons.report(float32, merged, planner.wrapped, planner.inserted, planner.schemes);
        return new Plan(merged, planner.wrapped, planner.inserted, report);
    }

    private static Map<String, LayerScheme> schemes(FloatNetwork network, QuantSpec spec) {
        Map<String, LayerScheme> schemes = new HashMap<>();
        List<Step> layers = network.steps().stream().filter(Traits::isQuantizable).toList();
        for (int i = 0; i < layers.size(); i++) {
            schemes.put(layers.get(i).name(), spec.schemeFor(position(layers, i)));
        }
        for (Step step : network.steps()) {
            if (Traits.makesValues(step)) {
                // Not a layer of the search: rules by place pass it by, rules by name or type do
                // not.
                LayerPosition behind =
                        new LayerPosition(
                                step.name(), step.type(), layers.size(), layers.size() + 2);
                schemes.put(step.name(), spec.schemeFor(behind));
            }
        }
        return schemes;
    }

    private static LayerPosition position(List<Step> layers, int index) {
        Step step = layers.get(index);
        return new LayerPosition(step.name(), step.type(), index, layers.size());
    }

    private @Nullable TensorScheme activations(Step step) {
        LayerScheme scheme = schemes.get(step.name());
        return scheme == null ? null : scheme.activations();
    }

    private void decide(Step step) {
        if (Traits.makesValues(step)) {
            decideMadeValues(step);
        } else if (Traits.isQuantizable(step)) {
            decideLayer(step);
        }
    }

    private void decideMadeValues(Step step) {
        if (!makesCodes(step) || carriedByActivation(step)) {
            return;
        }
        ActivationScheme output = outputScheme(step);
        if (Traits.isPlainVertex(step)) {
            inserted.put(step.name(), output);
        } else {
            wrapped.put(step.name(), withInput(step, LayerQuantizers.of(null, output)));
        }
    }

    private void decideLayer(Step step) {
        LayerScheme scheme = Objects.requireNonNull(schemes.get(step.name()));
        if (scheme.isFloat()) {
            return;
        }
        ActivationScheme output = makesCodes(step) ? outputScheme(step) : null;
        LayerQuantizers quantizers = LayerQuantizers.of(scheme.weights(), output);
        if (scheme.activations() != null && !Traits.readsIndices(step)) {
            quantizers = withInput(step, quantizers);
        }
        if (output != null && needsTable(step)) {
            quantizers =
                    quantizers.withPreActivation(signed(Objects.requireNonNull(activations(step))));
        }
        wrapped.put(step.name(), quantizers);
    }

    private LayerQuantizers withInput(Step step, LayerQuantizers quantizers) {
        String tensor = step.inputs().get(0);
        String source = sourceOfCodes(tensor);
        if (source != null) {
            return quantizers.withInputFrom(source);
        }
        boolean roundsInput = Traits.isQuantizable(step) || needsTable(step);
        TensorScheme scheme = activations(step);
        return roundsInput && scheme != null
                ? quantizers.withInput(new ActivationScheme(scheme, !signs.nonNegative(tensor)))
                : quantizers;
    }

    private ActivationScheme outputScheme(Step step) {
        return new ActivationScheme(
                Objects.requireNonNull(activations(step)), !signs.nonNegative(step.name()));
    }

    private static ActivationScheme signed(TensorScheme scheme) {
        return new ActivationScheme(scheme, true);
    }

    /** A function that is no clamp runs as a table, and a table reads codes. */
    private static boolean needsTable(Step step) {
        Layer layer = Objects.requireNonNull(step.thawed());
        return PointwiseActivation.behind(layer, step.activation())
                .filter(function -> !function.isClamp())
                .isPresent();
    }

    /** {@return whether the step's result is rounded} */
    private boolean makesCodes(Step step) {
        boolean can = Traits.makesValues(step) || Traits.isQuantizable(step);
        return can
                && !Traits.isOutputLayer(step)
                && activations(step) != null
                && codesNeeded(step.name());
    }

    /** {@return whether a step behind a tensor computes with codes} */
    private boolean codesNeeded(String tensor) {
        Boolean known = needed.get(tensor);
        if (known == null) {
            known = network.consumers(tensor).stream().anyMatch(this::computesWithCodes);
            needed.put(tensor, known);
        }
        return known;
    }

    private boolean computesWithCodes(Step reader) {
        if (Traits.preservesCodes(reader)) {
            return codesNeeded(reader.name());
        }
        if (Traits.makesValues(reader)) {
            return makesCodes(reader);
        }
        return Traits.isQuantizable(reader)
                && !Traits.readsIndices(reader)
                && activations(reader) != null;
    }

    /* A sum with a ReLU behind it is one node of the integer graph: the ReLU is the clamp of the
     * sum's codes, so the activation layer carries the only quantizer. */
    private boolean carriedByActivation(Step step) {
        Step next = network.onlyConsumer(step.name());
        return Traits.isPlainVertex(step)
                && next != null
                && next.thawed() instanceof ActivationLayer only
                && PointwiseActivation.of(only.getActivationFn())
                        .map(PointwiseActivation::isClamp)
                        .orElse(false)
                && makesCodes(next);
    }

    /** {@return the name of the layer whose codes a tensor holds; null if it holds float values} */
    private @Nullable String sourceOfCodes(String tensor) {
        Step step = network.step(tensor);
        if (step == null) {
            return null;
        }
        if (Traits.preservesCodes(step)) {
            return sourceOfCodes(step.inputs().get(0));
        }
        if (inserted.containsKey(tensor)) {
            return tensor + Plan.QUANTIZED;
        }
        LayerQuantizers quantizers = wrapped.get(tensor);
        ActivationScheme output = quantizers == null ? null : quantizers.output();
        return output != null && output.isInteger() ? tensor : null;
    }
}
