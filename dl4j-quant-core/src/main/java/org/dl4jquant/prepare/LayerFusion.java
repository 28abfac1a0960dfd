// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.layer.kind.CodeFlow;
import org.dl4jquant.layer.kind.LayerKind;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * Joins what is one step in the integer graph: a convolution or dense layer, the batch
 * normalization after it, and the activation layer after that.
 *
 * <p>Nothing else may read the tensors in between, none of them may be an output of the network,
 * and no preprocessor may stand there.
 */
final class LayerFusion {

    private LayerFusion() {}

    /**
     * {@return the network with followers joined to those that lead them}
     *
     * @param network layer by layer
     * @param joins whether a layer of this name joins what follows it; what stays in float does not
     */
    static Topology<FusedStep> merge(Topology<FusedStep> network, Predicate<String> joins) {
        List<FusedStep> steps = new ArrayList<>();
        Map<String, String> renamed = new HashMap<>();
        Set<String> gone = new HashSet<>();
        for (FusedStep step : network.steps()) {
            if (gone.contains(step.name())) {
                continue;
            }
            FusedStep merged = joins.test(step.name()) ? withFollowers(network, step) : step;
            for (String member : merged.members()) {
                renamed.put(member, merged.name());
                if (!member.equals(merged.name())) {
                    gone.add(member);
                }
            }
            steps.add(merged);
        }
        List<FusedStep> connected =
                steps.stream()
                        .map(
                                step ->
                                        step.withInputs(
                                                step.inputs().stream()
                                                        .map(
                                                                name ->
                                                                        renamed.getOrDefault(
                                                                                name, name))
                                                        .toList()))
                        .toList();
        return new Topology<>(connected, network.inputs(), network.outputs());
    }

    private static FusedStep withFollowers(Topology<FusedStep> network, FusedStep first) {
        // A layer that is not wrapped could not take its followers along.
        boolean leads = first.flow().hasWeights() || first.kind().tabulates();
        if (first.kept() != null || !leads || !isLinear(first.kind())) {
            return first;
        }
        FusedStep merged = first;
        FusedStep next = follower(network, first, first.name());
        BatchNormalization normalization = next == null ? null : next.kind().normalization();
        if (next != null && normalization != null && first.kind().absorbsNormalization()) {
            merged = merged.merged(normalization, null, next.name());
            next = follower(network, first, next.name());
        }
        boolean activated =
                next != null && next.kind().onlyAppliesFunction() && next.flow() != CodeFlow.LOSS;
        return activated && next != null
                ? merged.merged(null, next.lastFunction(), next.name())
                : merged;
    }

    private static @Nullable FusedStep follower(
            Topology<FusedStep> network, FusedStep first, String name) {
        FusedStep next = network.onlyConsumer(name);
        boolean joins =
                next != null
                        && next.kept() == null
                        && !next.preprocessed()
                        && next.frozen() == first.frozen()
                        && !network.outputs().contains(next.name());
        return joins ? next : null;
    }

    private static boolean isLinear(LayerKind kind) {
        IActivation function = kind.lastFunction();
        return kind.separatesActivation()
                && function != null
                && PointwiseActivation.isIdentity(function);
    }
}
