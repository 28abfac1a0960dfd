// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.dl4jquant.layer.LayerFunctions;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.network.LayerNames;
import org.dl4jquant.network.Topology;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.LayerPosition;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.NumberFormat;
import org.dl4jquant.scheme.QuantSpec;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;

/** Decides which tensor of a network is rounded where. */
final class Planner {

    /* One quantizer for each tensor, at the step that makes it, and only where some step after it
     * computes with codes. A tensor that comes in float (the network's input, the result of a layer
     * left in float) is rounded by each layer that reads it instead. A sum or a concatenation is no
     * layer and rounds nothing it reads, a max pool picks codes, and a padding moves them, so a
     * network input that goes into one gets a quantizer of its own, and whatever else computes with
     * its codes reads them from there. */

    /**
     * What the name of the quantizer after a vertex or a network input ends with, if it is free.
     */
    private static final String QUANTIZED = "/quantized";

    /** A place far from both ends, where no layer is. */
    private static final int NO_PLACE = Integer.MAX_VALUE / 2;

    private final Topology<FusedStep> network;
    private final SignAnalysis signs;
    private final Map<String, LayerScheme> schemes;
    private final CodeNeeds needs;
    private final WideCodes wide;
    private final Map<String, ActivationScheme> inserted = new LinkedHashMap<>();
    private final Map<String, LayerQuantizers> wrapped = new LinkedHashMap<>();
    private final Map<String, String> quantizers = new HashMap<>();
    private final Set<String> taken;

    private Planner(
            Topology<FusedStep> network, SignAnalysis signs, Map<String, LayerScheme> schemes) {
        this.network = network;
        this.signs = signs;
        this.schemes = schemes;
        this.needs = new CodeNeeds(network, schemes);
        this.wide = new WideCodes(network);
        this.taken = new HashSet<>(network.inputs());
        network.steps().forEach(step -> taken.addAll(step.members()));
    }

    /**
     * {@return the plan}
     *
     * @param float32 the network as it came
     * @param spec the wish
     * @param parts the names and types by which rules know the steps without a place, by name
     * @param nonNegativeInput whether a network input's data are never negative
     */
    static Plan plan(
            Topology<FusedStep> float32,
            QuantSpec spec,
            Map<String, LayerPosition> parts,
            Predicate<String> nonNegativeInput) {
        Topology<FusedStep> joined = LayerFusion.merge(float32, layer -> true);
        Map<String, LayerScheme> schemes = schemes(joined, spec, parts);
        List<String> warnings = new ArrayList<>(WideCodes.narrowInPlace(joined, schemes));
        Set<String> apart = new HashSet<>();
        Planner planner = decided(float32, joined, schemes, apart, nonNegativeInput);
        while (apart.addAll(planner.unwrappedLeaders())) {
            planner = decided(float32, joined, schemes, apart, nonNegativeInput);
        }
        warnings.addAll(IdleRules.warnings(float32, joined, spec, parts));
        return planner.plan(float32, warnings);
    }

    /* A batch normalization without quantizers cannot take the function after it along. */
    private List<String> unwrappedLeaders() {
        return network.steps().stream()
                .filter(step -> step.kept() == null && step.members().size() > 1)
                .map(FusedStep::name)
                .filter(name -> !wrapped.containsKey(name))
                .toList();
    }

    private static Planner decided(
            Topology<FusedStep> float32,
            Topology<FusedStep> joined,
            Map<String, LayerScheme> schemes,
            Set<String> apart,
            Predicate<String> nonNegativeInput) {
        Topology<FusedStep> merged =
                LayerFusion.merge(
                        float32,
                        layer -> rounds(float32, schemes, layer) && !apart.contains(layer));
        for (FusedStep step : merged.steps()) {
            // The followers of a layer in float, which its scheme holds for
            if (joined.step(step.name()) == null) {
                schemes.put(step.name(), LayerScheme.FLOAT);
            }
        }
        Planner planner = new Planner(merged, new SignAnalysis(merged, nonNegativeInput), schemes);
        merged.inputs().stream().sorted().forEach(planner::decideInput);
        for (FusedStep step : merged.steps()) {
            planner.decide(step);
        }
        return planner;
    }

    private Plan plan(Topology<FusedStep> float32, List<String> warnings) {
        inserted.keySet().forEach(this::quantized);
        Kept.requireFit(network, wrapped.keySet(), this::sourceOfCodes);
        PrepareReport report =
                SkipReasons.report(
                        float32, network, wrapped, inserted, quantizers, schemes, facts());
        return new Plan(
                network,
                wrapped,
                inserted,
                quantizers,
                new CodeJoints(network, needs, this::sourceOfCodes).all(),
                results(),
                wiring(),
                report.withWarnings(warnings));
    }

    private SkipReasons.Facts facts() {
        return new PlannedFacts(network, needs, wrapped, this::sourceOfCodes);
    }

    private static boolean rounds(
            Topology<FusedStep> float32, Map<String, LayerScheme> schemes, String layer) {
        LayerScheme scheme = schemes.get(layer);
        FusedStep step = float32.step(layer);
        return scheme != null && step != null && !CodeNeeds.isFloat(step, scheme);
    }

    private static Map<String, LayerScheme> schemes(
            Topology<FusedStep> network, QuantSpec spec, Map<String, LayerPosition> parts) {
        Map<String, LayerScheme> schemes = new HashMap<>();
        List<FusedStep> layers =
                network.steps().stream()
                        .filter(each -> each.flow().hasWeights())
                        .filter(each -> !parts.containsKey(each.name()))
                        .toList();
        for (int i = 0; i < layers.size(); i++) {
            schemes.put(layers.get(i).name(), spec.schemeFor(position(layers, i)));
        }
        for (FusedStep step : network.steps()) {
            if (step.flow().makesValues()) {
                schemes.put(step.name(), spec.schemeFor(withoutPlace(step)));
            }
        }
        parts.forEach((name, whole) -> schemes.put(name, spec.schemeFor(whole)));
        return schemes;
    }

    /** No layer of the search: rules by place pass it by, rules by name or type do not. */
    static LayerPosition withoutPlace(FusedStep step) {
        return withoutPlace(step.name(), step.type());
    }

    /** {@return the same by its name and the simple name of its type} */
    static LayerPosition withoutPlace(String name, String type) {
        return new LayerPosition(name, type, NO_PLACE, Integer.MAX_VALUE);
    }

    private static LayerPosition position(List<FusedStep> layers, int index) {
        FusedStep step = layers.get(index);
        return new LayerPosition(step.name(), step.type(), index, layers.size());
    }

    private void decideInput(String input) {
        List<FusedStep> readers = needs.readersOfCodes(input).toList();
        boolean vertices = readers.stream().anyMatch(each -> each.plainVertex() != null);
        if (!vertices && !needs.isMoved(input)) {
            return;
        }
        readers.stream()
                .map(needs::activations)
                .filter(scheme -> scheme != null && scheme.format() instanceof IntFormat)
                .map(Objects::requireNonNull)
                .filter(scheme -> scheme.runtimeScale() == null)
                .max(Comparator.comparing(scheme -> scheme.format().bitsPerNumber()))
                .map(widest -> wide.ofInput(input, widest))
                .map(widest -> new ActivationScheme(widest, !signs.nonNegative(input)))
                .ifPresent(scheme -> inserted.put(input, scheme));
    }

    private void decide(FusedStep step) {
        if (step.kept() != null || step.keptJoint() != null) {
            return;
        }
        if (step.flow().makesValues()) {
            decideMadeValues(step);
        } else if (step.flow().hasWeights()) {
            decideLayer(step);
        }
    }

    private void decideMadeValues(FusedStep step) {
        if (!needs.makesCodes(step) || needs.carriedByActivation(step)) {
            return;
        }
        ActivationScheme output = outputScheme(step);
        if ((step.plainVertex() != null)) {
            inserted.put(step.name(), output);
        } else {
            wrapped.put(step.name(), withInput(step, LayerQuantizers.of(null, output)));
        }
    }

    private void decideLayer(FusedStep step) {
        LayerScheme scheme = Objects.requireNonNull(schemes.get(step.name()));
        if (CodeNeeds.isFloat(step, scheme)) {
            return;
        }
        ActivationScheme output = needs.makesCodes(step) ? outputScheme(step) : null;
        LayerQuantizers quantizers = LayerQuantizers.of(scheme.weights(), output);
        if (scheme.activations() != null && !(step.flow() == CodeFlow.READS_INDICES)) {
            quantizers = withInput(step, quantizers);
        }
        if (output != null && !step.kind().tabulates() && needsTable(step)) {
            quantizers =
                    quantizers.withPreActivation(
                            signed(Objects.requireNonNull(needs.activations(step))));
        }
        wrapped.put(step.name(), withInnerTensors(step, quantizers));
    }

    private LayerQuantizers withInnerTensors(FusedStep step, LayerQuantizers quantizers) {
        TensorScheme scheme = needs.activations(step);
        return scheme == null
                ? quantizers
                : quantizers.withInner(step.kind().innerTensors(), scheme);
    }

    private LayerQuantizers withInput(FusedStep step, LayerQuantizers quantizers) {
        String tensor = step.inputs().get(0);
        TensorScheme own = needs.activations(step);
        if (own != null && own.runtimeScale() != null) {
            return quantizers.withInput(new ActivationScheme(own, true));
        }
        boolean changed = step.changesInput();
        String source = changed ? null : sourceOfCodes(tensor);
        if (source != null) {
            return quantizers.withInputFrom(source);
        }
        CodeFlow flow = step.flow();
        boolean tabulates = step.kind().tabulates();
        boolean roundsInput =
                flow.hasWeights() || flow.sumsCodes() || tabulates || needsTable(step);
        boolean looksUp = tabulates && !flow.hasWeights();
        TensorScheme scheme = own != null && looksUp ? LayerFunctions.wide(own) : own;
        return roundsInput && scheme != null
                ? quantizers.withInput(
                        new ActivationScheme(scheme, changed || !signs.nonNegative(tensor)))
                : quantizers;
    }

    /* The width is that of the layers with weights that read the tensor, as their weights' width is:
     * they multiply the two. What only sums, means and tables read has 8 bits: narrower codes would
     * make no multiplication cheaper, and lose what the paper of LSQ keeps in float. */
    private ActivationScheme outputScheme(FusedStep step) {
        TensorScheme own = Objects.requireNonNull(needs.activations(step));
        NumberFormat widest = needs.widestOfReaders(step.name());
        TensorScheme scheme = widest == null ? LayerFunctions.wide(own) : own.withFormat(widest);
        boolean integer = own.format() instanceof IntFormat;
        return new ActivationScheme(
                integer ? wide.ofResult(step, scheme) : own, !signs.nonNegative(step.name()));
    }

    private static ActivationScheme signed(TensorScheme scheme) {
        return new ActivationScheme(LayerFunctions.wide(scheme), true);
    }

    /** A function that is no clamp runs as a table, and a table reads codes. */
    private static boolean needsTable(FusedStep step) {
        return LayerFunctions.needsTable(Objects.requireNonNull(step.thawed()), step.activation());
    }

    /** {@return the tensors that each step reads in the prepared network} */
    private Map<String, List<String>> wiring() {
        Map<String, List<String>> wiring = new HashMap<>();
        for (FusedStep step : network.steps()) {
            wiring.put(
                    step.name(),
                    step.inputs().stream()
                            .map(
                                    tensor ->
                                            readsQuantizer(step, tensor)
                                                    ? quantized(tensor)
                                                    : tensor)
                            .toList());
        }
        return wiring;
    }

    /* A step that computes in float reads a network's input unchanged. */
    private boolean readsQuantizer(FusedStep step, String tensor) {
        return inserted.containsKey(tensor)
                && (network.step(tensor) != null || needs.computesWithCodes(step));
    }

    private String quantized(String tensor) {
        return quantizers.computeIfAbsent(tensor, this::freshQuantizer);
    }

    private String freshQuantizer(String tensor) {
        String name = LayerNames.fresh(tensor + QUANTIZED, taken);
        taken.add(name);
        return name;
    }

    /**
     * {@return the steps that only apply functions between quantized layers and the outputs, or
     * those that round what they read}
     */
    private Set<String> results() {
        Set<String> results = new HashSet<>();
        network.outputs().forEach(output -> addResults(output, new ArrayList<>(), results));
        for (FusedStep step : network.steps()) {
            LayerQuantizers quantizers = wrapped.get(step.name());
            if (quantizers != null && quantizers.input() != null) {
                addResults(step.inputs().get(0), new ArrayList<>(), results);
            }
        }
        return results;
    }

    private void addResults(String tensor, List<String> after, Set<String> results) {
        FusedStep step = network.step(tensor);
        boolean kept = step != null && (step.kept() != null || step.keptJoint() != null);
        if (kept || wrapped.containsKey(tensor) || inserted.containsKey(tensor)) {
            results.addAll(after);
        } else if (step != null
                && (step.kind().onlyAppliesFunction() || step.flow().keepsCodes())) {
            List<String> path = new ArrayList<>(after);
            if (step.kind().onlyAppliesFunction()) {
                path.add(tensor);
            }
            step.inputs().forEach(input -> addResults(input, path, results));
        }
    }

    /** {@return the name of the layer whose codes a tensor holds; null if it holds float values} */
    private @Nullable String sourceOfCodes(String tensor) {
        FusedStep step = network.step(tensor);
        if (step != null && step.kept() != null) {
            return Kept.codes(step);
        }
        if (step != null && step.flow().keepsCodes()) {
            return sourceOfCodes(step.inputs().get(0));
        }
        ActivationScheme quantizer = inserted.get(tensor);
        if (quantizer != null) {
            return quantizer.isInteger() ? quantized(tensor) : null;
        }
        LayerQuantizers quantizers = wrapped.get(tensor);
        ActivationScheme result = quantizers == null ? null : quantizers.result();
        return result != null && result.isInteger() ? tensor : null;
    }
}
