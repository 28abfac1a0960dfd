// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.layer.integer.PointwiseActivation;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;

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
        if (first.kept() != null || !Traits.isQuantizable(first) || !canLead(first.thawed())) {
            return first;
        }
        FusedStep merged = first;
        FusedStep next = follower(network, first, first.name());
        if (next != null
                && isExactly(next.thawed(), BatchNormalization.class)
                && next.thawed() instanceof BatchNormalization normalization
                && canNormalize(first.thawed())) {
            merged = merged.merged(normalization, null, next.name());
            next = follower(network, first, next.name());
        }
        if (next != null
                && isExactly(next.thawed(), ActivationLayer.class)
                && next.thawed() instanceof ActivationLayer activation) {
            merged = merged.merged(null, activation.getActivationFn(), next.name());
        }
        return merged;
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

    private static boolean isExactly(@Nullable Layer layer, Class<?> type) {
        return layer != null && layer.getClass() == type;
    }

    private static boolean canLead(@Nullable Layer layer) {
        boolean arithmetic =
                layer instanceof ConvolutionLayer
                        || (layer instanceof DenseLayer dense && !dense.hasLayerNorm());
        return arithmetic
                && layer instanceof BaseLayer base
                && PointwiseActivation.isIdentity(base.getActivationFn());
    }

    /** DL4J's batch normalization trains on matrices and images. */
    private static boolean canNormalize(@Nullable Layer layer) {
        return !(layer instanceof Convolution3D) && !(layer instanceof Deconvolution3D);
    }
}
