// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.weights.IWeightInit;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.kind.Resized;
import org.dl4jquant.layer.quantizers.TensorRole;
import org.dl4jquant.network.NetworkEdit;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.NewLayer;
import org.dl4jquant.network.ParameterSource;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;

/**
 * Carries changed numbers of outputs through a network: to the layers that read them, through all
 * steps that pass their inputs' number on.
 *
 * @param <N> the kind of network
 */
final class SizePropagation<N extends Model> {

    /* Every step's result has a number of channels that is linear in those of its inputs, so
     * differences are enough: nobody needs to know what else is in a concatenation, or the size of
     * an image that no preprocessor flattens. */

    /** The change of a tensor, and the initialization for the layers that read it. */
    private record Tensor(int axis, long difference, @Nullable IWeightInit next) {

        static final Tensor SAME = new Tensor(LayerKind.CHANNELS_FIRST, 0, null);

        Tensor after(Resized step) {
            return new Tensor(step.axis(), step.difference(), next);
        }
    }

    private final NetworkView<N> network;
    private final Topology<FusedStep> steps;
    private final Map<String, LayerSizes.Change> changes;
    private final NetworkEdit<N> edit;
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Set<String> drawn = new TreeSet<>();

    SizePropagation(NetworkView<N> network, Map<String, LayerSizes.Change> changes) {
        this.network = network;
        this.steps = network.topology().map(FusedStep::of);
        this.changes = Map.copyOf(changes);
        this.edit = NetworkEdit.of(network);
    }

    /** Checks that a layer is there and has a number of outputs of its own, and another one. */
    static void requireChangeable(NetworkView<?> network, String name, LayerSizes.Change change) {
        Topology<FusedStep> steps = network.topology().map(FusedStep::of);
        FusedStep step = steps.step(name);
        Require.argument(
                step != null && step.thawed() != null,
                "the network has no layer '%s'; it has %s",
                name,
                network.names());
        long before = Objects.requireNonNull(step).kind().outputs().orElse(0);
        Require.argument(
                before > 0,
                "layer '%s' (%s) has no number of outputs that could be changed; change the layer"
                        + " before it",
                name,
                step.type());
        Require.argument(
                change.outputs() > 0 && change.outputs() != before,
                "layer '%s' has %d outputs and would have %d; give another number above 0",
                name,
                before,
                change.outputs());
    }

    N build() {
        for (FusedStep step : steps.steps()) {
            try {
                tensors.put(step.name(), follow(step));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(refusal(step, e.getMessage()), e);
            }
        }
        N made = edit.build();
        NetworkView<?> view = NetworkView.ofModel(made);
        new ScaleFitting(view.names().stream().filter(drawn::contains).map(view::layer).toList())
                .fitWeights();
        return made;
    }

    private String refusal(FusedStep step, @Nullable String reason) {
        List<String> others =
                step.inputs().size() == 1
                        ? List.of()
                        : steps.producers(step.name(), this::passes).stream()
                                .filter(name -> !changes.containsKey(name))
                                .toList();
        return "the size of '"
                + step.name()
                + "' ("
                + step.type()
                + ") cannot follow: "
                + reason
                + (others.isEmpty()
                        ? ""
                        : "; it reads "
                                + others
                                + ", too: change those layers alike (the size of an input of the"
                                + " network is fixed)");
    }

    private boolean passes(FusedStep step) {
        return step.kind().outputs().isEmpty();
    }

    private Tensor follow(FusedStep step) {
        List<Tensor> inputs = new ArrayList<>();
        step.inputs().forEach(name -> inputs.add(tensors.getOrDefault(name, Tensor.SAME)));
        @Nullable InputPreProcessor before = step.preprocessor();
        if (before != null && inputs.get(0).difference() != 0) {
            Tensor input = inputs.get(0);
            Resized changed = LayerKinds.of(before).reading(input.axis(), input.difference());
            edit.preprocess(step.name(), (InputPreProcessor) changed.configuration());
            inputs.set(0, input.after(changed));
        }
        Tensor input =
                inputs.stream()
                        .filter(tensor -> tensor.difference() != 0)
                        .findFirst()
                        .orElse(Tensor.SAME);
        LayerSizes.Change change = changes.get(step.name());
        if (input.difference() == 0 && change == null) {
            return Tensor.SAME;
        }
        Object configuration = step.kind().configuration();
        Resized resized = new Resized(configuration, input.axis(), 0);
        if (input.difference() != 0) {
            long[] differences = inputs.stream().mapToLong(Tensor::difference).toArray();
            resized = step.kind().reading(input.axis(), differences);
        }
        @Nullable IWeightInit drawing = input.next();
        if (change != null) {
            resized = LayerKinds.of(resized.configuration()).withOutputs(change.outputs());
            drawing = change.own() == null ? drawing : change.own();
        }
        boolean changed = resized.configuration() != configuration;
        if (step.thawed() != null && (changed || step.kept() != null)) {
            Resized initialized =
                    changed && drawing != null ? resized.withWeightInit(drawing) : resized;
            replace(step, initialized, changed, input.difference() == 0);
        } else if (changed) {
            edit.replace(step.name(), (GraphVertex) resized.configuration(), step.inputs());
        }
        return new Tensor(
                resized.axis(),
                resized.difference(),
                change == null ? input.next() : change.next());
    }

    private void replace(FusedStep step, Resized resized, boolean changed, boolean sameInput) {
        Require.argument(
                !step.frozen() || !changed,
                "the layer is frozen, so its new weights would never learn; unfreeze it");
        Layer inner = (Layer) resized.configuration();
        QuantizedLayer kept = step.kept();
        Layer layer = kept == null ? inner : kept.resized(inner, resized.difference());
        Trainable before = Objects.requireNonNull(network.trainable(step.name()), step.name());
        Map<String, ParameterSource> sources = new HashMap<>();
        for (String key : before.paramTable(false).keySet()) {
            boolean ofInput =
                    key.equals(TensorRole.INPUT.scaleKey())
                            || key.equals(TensorRole.INPUT.zeroKey());
            sources.put(
                    key,
                    ofInput && sameInput
                            ? ParameterSource.kept(step.name(), key)
                            : ParameterSource.fresh());
        }
        edit.replace(step.name(), new NewLayer(step.name(), layer, sources));
        drawn.add(step.name());
    }
}
