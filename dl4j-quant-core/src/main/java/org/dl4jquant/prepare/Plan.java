// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.network.Topology;
import org.dl4jquant.numeric.RuntimeScale;

/**
 * Which tensor of a network is rounded where.
 *
 * @param network the network, layers that become one joined
 * @param wrapped the quantizers of each layer that gets some, by step
 * @param inserted the quantizers that stand after vertices that are no layers and after network
 *     inputs, by the name of either
 * @param quantizers the names of those, which no layer, vertex or input of the network bears
 * @param joints the replacements of the vertices that combine codes otherwise than DL4J, by vertex
 * @param results the steps that are not wrapped and only apply the functions which make the
 *     network's results of what a quantized layer computes
 * @param wiring the inputs of each step, a quantizer being named instead of the step before it
 * @param report the outcome for each layer, with its reason
 */
record Plan(
        Topology<FusedStep> network,
        Map<String, LayerQuantizers> wrapped,
        Map<String, ActivationScheme> inserted,
        Map<String, String> quantizers,
        Map<String, GraphVertex> joints,
        Set<String> results,
        Map<String, List<String>> wiring,
        PrepareReport report) {

    /** {@return the name of the quantizer that stands after a vertex or a network input} */
    String quantizer(String tensor) {
        return Objects.requireNonNull(quantizers.get(tensor), tensor);
    }

    /**
     * Requires that no activation has a scale that only data can show.
     *
     * @throws IllegalArgumentException if one has; the message names its layer
     */
    void requireNoCalibration() {
        wrapped.forEach(
                (step, quantizers) ->
                        quantizers
                                .tensors()
                                .forEach((role, scheme) -> requireNoScale(step, scheme)));
        inserted.forEach(Plan::requireNoScale);
    }

    private static void requireNoScale(String step, ActivationScheme scheme) {
        Require.argument(
                !scheme.hasScale(),
                "'%s' rounds a tensor with a scale that only calibration data can show; give"
                        + " prepare some hundreds of examples, or the layers around it"
                        + " LayerScheme.INT8_DYNAMIC or LayerScheme.FLOAT",
                step);
    }

    /** {@return one sentence for each layer with scales per batch} */
    List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        for (FusedStep step : network.steps()) {
            LayerQuantizers quantizers = wrapped.get(step.name());
            ActivationScheme input = quantizers == null ? null : quantizers.input();
            if (input != null && input.runtimeScale() == RuntimeScale.PER_BATCH) {
                warnings.add(
                        "layer '%s' finds one scale for each batch, so that an example's result depends"
                                        .formatted(step.name())
                                + " on the others in its batch: alone it gets another one;"
                                + " TensorScheme.dynamic() has a scale for each row instead");
            }
        }
        return warnings;
    }
}
