// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;

/**
 * Edits of a network of either kind. The network itself is not changed; {@link #build} makes a new
 * one. Steps that no edit names keep their parameters, what the updater remembers of them, and the
 * wrappers that freeze them; the numbers of trained iterations and epochs stay. Listeners do not
 * come along.
 *
 * <pre>{@code
 * // Keeps channels 0 and 2 of layer "conv1", which "conv2" reads.
 * ComputationGraph smaller = NetworkEdit.of(NetworkView.of(graph))
 *         .replace("conv1", new NewLayer("conv1", conv1Of2Channels, Map.of(
 *                 "W", ParameterSource.kept("conv1", "W").keep(0, 0, 2),
 *                 "b", ParameterSource.kept("conv1", "b").keep(0, 0, 2))))
 *         .replace("conv2", new NewLayer("conv2", conv2Reading2Channels, Map.of(
 *                 "W", ParameterSource.kept("conv2", "W").keep(1, 0, 2),
 *                 "b", ParameterSource.kept("conv2", "b"))))
 *         .build();
 * }</pre>
 *
 * <p>The caller knows which axis of which parameter is which; nothing here depends on a kind of
 * layer.
 *
 * @param <N> the kind of network
 */
public final class NetworkEdit<N extends Model> {

    private final NetworkView<N> original;
    private final Map<String, Part> parts = new LinkedHashMap<>();
    private final Map<String, Map<String, ParameterSource>> sources = new HashMap<>();
    private List<String> outputs;

    private NetworkEdit(NetworkView<N> original) {
        this.original = original;
        this.outputs = original.topology().outputs();
        original.parts().forEach(part -> parts.put(part.name(), part));
        for (String name : parts.keySet()) {
            sources.put(name, EditedParameters.all(original, name));
        }
    }

    /**
     * Begins edits of a network.
     *
     * @param <N> the kind of network
     * @param network an initialized network; not changed
     * @return no edits yet
     */
    public static <N extends Model> NetworkEdit<N> of(NetworkView<N> network) {
        Require.argument(
                Require.given(network, "network").initialized(),
                "the network has no parameters yet; call init() first");
        return new NetworkEdit<>(network);
    }

    /**
     * Inserts a layer after a tensor: whatever read the tensor reads the layer then, after the
     * preprocessors that it has, and an output of the network moves to the layer.
     *
     * @param tensor the name of a step or network input
     * @param layer the new layer
     * @return these edits
     * @throws IllegalArgumentException if there is no such tensor, or the name is taken
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> insertAfter(String tensor, NewLayer layer) {
        requireTensor(tensor);
        requireFree(layer.name());
        redirect(tensor, layer.name());
        Part part = part(layer, List.of(tensor), null);
        List<Part> row = parts.containsKey(tensor) ? List.of(requireStep(tensor), part) : List.of();
        if (row.isEmpty()) {
            List<Part> later = List.copyOf(parts.values());
            parts.clear();
            parts.put(part.name(), part);
            later.forEach(next -> parts.put(next.name(), next));
        } else {
            inPlaceOf(tensor, row);
        }
        return this;
    }

    /**
     * Removes a step with one input: whatever read it reads that input then. The preprocessor of a
     * removed layer moves to the layers that read it.
     *
     * @param name the name of the step
     * @return these edits
     * @throws IllegalArgumentException if there is no such step, it has several inputs, it reads a
     *     network input and is an output, or its preprocessor has no layer to move to
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> remove(String name) {
        Part gone = requireStep(name);
        Require.argument(
                gone.inputs().size() == 1,
                "step '%s' reads %s; only a step with one input can be removed",
                name,
                gone.inputs());
        String input = gone.inputs().get(0);
        Require.argument(
                parts.containsKey(input) || !outputs.contains(name),
                "step '%s' is the only one between an input and an output; it cannot be removed",
                name);
        InputPreProcessor before = gone.preprocessor();
        if (before != null) {
            Require.argument(
                    !outputs.contains(name),
                    "step '%s' is an output and has a preprocessor; it cannot be removed",
                    name);
            parts.replaceAll(
                    (reader, part) ->
                            part.inputs().contains(name) ? preceded(before, part, name) : part);
        }
        parts.remove(name);
        sources.remove(name);
        redirect(name, input);
        return this;
    }

    private static Part preceded(InputPreProcessor before, Part part, String removed) {
        Require.argument(
                part.conf() != null,
                "step '%s' has a preprocessor, and '%s', which reads it, is no layer that could take"
                        + " it; it cannot be removed",
                removed,
                part.name());
        InputPreProcessor own = part.preprocessor();
        return part.with(
                own == null
                        ? before.clone()
                        : new ComposableInputPreProcessor(before.clone(), own));
    }

    /**
     * Replaces a layer by another one in the same place: same inputs, same preprocessor, frozen as
     * it was.
     *
     * @param name the name of a layer
     * @param layer the layer in its place, of this name or a new one
     * @return these edits
     * @throws IllegalArgumentException if there is no such layer, or the new name is taken
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> replace(String name, NewLayer layer) {
        return split(name, List.of(layer));
    }

    /**
     * Splits a layer into a row of layers in its place; the first has its inputs and preprocessor,
     * all are frozen as it was, and whatever read it reads the last.
     *
     * @param name the name of a layer
     * @param row the layers in its place, one at least; one of them may have its name
     * @return these edits
     * @throws IllegalArgumentException if there is no such layer, or a new name is taken
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> split(String name, List<NewLayer> row) {
        Part old = requireStep(name);
        Require.argument(old.conf() != null, "step '%s' is no layer", name);
        Require.argument(!row.isEmpty(), "layer '%s' is split into no layers", name);
        sources.remove(name);
        List<Part> made = new ArrayList<>();
        for (NewLayer layer : row) {
            if (!layer.name().equals(name)) {
                requireFree(layer.name());
            }
            made.add(
                    made.isEmpty()
                            ? part(layer, old.inputs(), old)
                            : part(layer, List.of(made.get(made.size() - 1).name()), old)
                                    .with((InputPreProcessor) null));
        }
        redirect(name, made.get(made.size() - 1).name());
        inPlaceOf(name, made);
        return this;
    }

    /** Puts parts in the place of one, so that the order of the others stays. */
    private void inPlaceOf(String name, List<Part> row) {
        List<Part> all = new ArrayList<>();
        for (Part part : parts.values()) {
            all.addAll(part.name().equals(name) ? row : List.of(part));
        }
        parts.clear();
        all.forEach(part -> parts.put(part.name(), part));
    }

    /**
     * Replaces a vertex of a graph that is no layer and has no parameters.
     *
     * @param name the name of the vertex
     * @param vertex the vertex in its place
     * @param inputs the names of the steps or network inputs that it reads
     * @return these edits
     * @throws IllegalArgumentException if there is no such vertex
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> replace(String name, GraphVertex vertex, List<String> inputs) {
        Part old = requireStep(name);
        Require.argument(old.conf() == null, "step '%s' is a layer", name);
        GraphVertex before = Objects.requireNonNull(old.vertex());
        parts.put(name, old.with(Frozen.like(before, vertex.clone())).reading(inputs));
        sources.put(name, Map.of());
        return this;
    }

    /**
     * Gives a layer another preprocessor, such as one for another number of channels.
     *
     * @param name the name of a layer
     * @param preprocessor the preprocessor between its input and itself; null for none
     * @return these edits
     * @throws IllegalArgumentException if there is no such layer
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> preprocess(String name, @Nullable InputPreProcessor preprocessor) {
        Part old = requireStep(name);
        Require.argument(old.conf() != null, "step '%s' is no layer", name);
        parts.put(name, old.with(preprocessor == null ? null : preprocessor.clone()));
        return this;
    }

    /**
     * Lets the parameters of a step learn.
     *
     * @param name the name of a step, frozen or not
     * @return these edits
     * @throws IllegalArgumentException if there is no such step
     */
    @CanIgnoreReturnValue
    public NetworkEdit<N> unfreeze(String name) {
        parts.put(name, requireStep(name).unfrozen());
        return this;
    }

    /**
     * Builds the edited network.
     *
     * @return a new network
     * @throws IllegalArgumentException if a parameter has no source, or one of another shape; the
     *     message names both
     */
    public N build() {
        for (Part part : parts.values()) {
            Layer layer = part.layer();
            if (layer != null && !part.name().equals(layer.getLayerName())) {
                layer.setLayerName(part.name());
            }
        }
        NetworkView<N> edited =
                original.assemble(List.copyOf(parts.values()), List.copyOf(outputs));
        edited.setCounts(original.iterations(), original.epochs());
        EditedParameters.copy(original, sources, edited);
        return edited.network();
    }

    private Part part(NewLayer fresh, List<String> inputs, @Nullable Part old) {
        Layer layer = fresh.layer().clone();
        layer.setLayerName(fresh.name());
        NewLayerDefaults.fill(layer, fresh.name(), nearest(inputs, old));
        NeuralNetConfiguration model = old == null ? null : old.conf();
        NeuralNetConfiguration conf = model == null ? original.defaults() : model.clone();
        conf.setLayer(model == null ? layer : Frozen.like(model.getLayer(), layer));
        conf.getLayer().setLayerName(fresh.name());
        conf.clearVariables();
        sources.put(fresh.name(), fresh.parameters());
        return old == null
                ? Part.of(fresh.name(), inputs, conf)
                : new Part(fresh.name(), inputs, conf, old.vertex(), old.preprocessor());
    }

    /** {@return the layer itself, the layers before it, nearest first, then all others} */
    private List<Layer> nearest(List<String> inputs, @Nullable Part old) {
        List<Layer> layers = new ArrayList<>();
        if (old != null && old.layer() != null) {
            layers.add(old.layer());
        }
        for (Part at = parts.get(inputs.get(0)); at != null; at = parts.get(at.inputs().get(0))) {
            if (at.layer() != null) {
                layers.add(at.layer());
            }
            if (at.inputs().isEmpty()) {
                break;
            }
        }
        for (Part part : parts.values()) {
            if (part.layer() != null) {
                layers.add(part.layer());
            }
        }
        return layers;
    }

    private void redirect(String from, String to) {
        parts.replaceAll(
                (name, part) ->
                        part.reading(
                                part.inputs().stream()
                                        .map(input -> input.equals(from) ? to : input)
                                        .toList()));
        outputs = outputs.stream().map(output -> output.equals(from) ? to : output).toList();
    }

    private Part requireStep(String name) {
        Part part = parts.get(name);
        Require.argument(
                part != null, "the network has no step '%s'; it has %s", name, parts.keySet());
        return Objects.requireNonNull(part);
    }

    private void requireTensor(String name) {
        Require.argument(
                parts.containsKey(name) || original.topology().inputs().contains(name),
                "the network has no step or input '%s'; it has %s and %s",
                name,
                original.topology().inputs(),
                parts.keySet());
    }

    private void requireFree(String name) {
        Require.argument(
                !parts.containsKey(name) && !original.topology().inputs().contains(name),
                "the network has '%s' already; give the new layer another name",
                name);
    }
}
