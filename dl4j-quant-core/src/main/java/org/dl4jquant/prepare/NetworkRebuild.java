// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.MaximumVertex;
import org.dl4jquant.layer.kind.LayerKinds;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.network.Frozen;
import org.dl4jquant.network.NetworkView;
import org.dl4jquant.network.Part;
import org.jspecify.annotations.Nullable;

/** Builds the prepared network. */
final class NetworkRebuild {

    private NetworkRebuild() {}

    static <N extends Model> NetworkView<N> rebuild(NetworkView<N> original, Plan plan) {
        NetworkView<N> prepared =
                original.assemble(parts(original, plan), original.topology().outputs());
        for (FusedStep step : plan.network().steps()) {
            ParameterTransfer.copy(
                    step,
                    original::trainable,
                    requireNonNull(prepared.trainable(step.name()), step.name()));
        }
        return prepared;
    }

    private static List<Part> parts(NetworkView<?> original, Plan plan) {
        Map<String, Part> before = new HashMap<>();
        original.parts().forEach(part -> before.put(part.name(), part));
        List<Part> steps = new ArrayList<>();
        List<Part> quantizers = new ArrayList<>();
        List<Part> inOrder = new ArrayList<>();
        for (String input : plan.network().inputs()) {
            addQuantizer(original, plan, input, quantizers, inOrder);
        }
        for (FusedStep step : plan.network().steps()) {
            Part part = part(step, requireNonNull(before.get(step.name())), plan);
            steps.add(part.reading(requireNonNull(plan.wiring().get(step.name()))));
            inOrder.add(steps.get(steps.size() - 1));
            addQuantizer(original, plan, step.name(), quantizers, inOrder);
        }
        StandaloneUpdaters.assign(layers(inOrder));
        // The order in which the parameters of parallel branches lie in model files hangs on it.
        steps.addAll(quantizers);
        return steps;
    }

    private static void addQuantizer(
            NetworkView<?> original,
            Plan plan,
            String tensor,
            List<Part> quantizers,
            List<Part> inOrder) {
        ActivationScheme following = plan.inserted().get(tensor);
        if (following != null) {
            String name = plan.quantizer(tensor);
            Part part =
                    Part.of(
                            name,
                            List.of(tensor),
                            Wrapping.rounding(name, original.defaults(), following));
            quantizers.add(part);
            inOrder.add(part);
        }
    }

    private static List<Layer> layers(List<Part> parts) {
        List<Layer> layers = new ArrayList<>();
        for (Part part : parts) {
            @Nullable Layer layer = part.layer();
            if (layer != null) {
                layers.add(layer);
            }
        }
        return layers;
    }

    private static Part part(FusedStep step, Part before, Plan plan) {
        if (before.conf() != null) {
            return before.with(Wrapping.configuration(step, before.conf(), plan));
        }
        GraphVertex vertex = requireNonNull(before.vertex());
        GraphVertex joint = plan.joints().get(step.name());
        if (joint != null) {
            return before.with(Frozen.like(vertex, joint));
        }
        GraphVertex inside = Frozen.inside(vertex);
        return LayerKinds.of(inside).takesMaximum()
                ? before.with(Frozen.like(vertex, new MaximumVertex()))
                : before;
    }
}
