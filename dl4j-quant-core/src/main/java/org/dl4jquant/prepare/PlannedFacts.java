// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Map;
import java.util.function.Function;
import org.dl4jquant.layer.integer.OutputFunctions;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * The planner's knowledge of a network's tensors.
 *
 * @param network the network, layers that become one joined
 * @param needs which tensors are needed as codes
 * @param wrapped the quantizers of each layer that gets some, by step
 * @param sourceOfCodes gives the layer whose codes a tensor holds; null if it holds float values
 */
record PlannedFacts(
        Topology<FusedStep> network,
        CodeNeeds needs,
        Map<String, LayerQuantizers> wrapped,
        Function<String, @Nullable String> sourceOfCodes)
        implements SkipReasons.Facts {

    @Override
    public boolean holdsCodes(String tensor) {
        return sourceOfCodes.apply(tensor) != null;
    }

    @Override
    public @Nullable String roundedAfter(FusedStep step) {
        FusedStep next = needs.carriedByActivation(step) ? network.onlyConsumer(step.name()) : null;
        return next == null ? null : next.name();
    }

    @Override
    public boolean isOutput(String tensor) {
        return network.outputs().contains(tensor);
    }

    @Override
    public boolean isStacked(String tensor) {
        return needs.isStacked(tensor);
    }

    @Override
    public SkipReasons.@Nullable Ending endingBefore(FusedStep step) {
        FusedStep before = network.step(step.inputs().get(0));
        while (before != null) {
            LayerQuantizers quantizers = quantizers(before);
            boolean computes = quantizers != null && before.flow().hasWeights();
            boolean passes = before.kind().onlyAppliesFunction() || before.kind().passesValues();
            if ((quantizers != null && quantizers.result() != null) || !(computes || passes)) {
                return null;
            }
            IActivation function = before.lastFunction();
            if (function != null && OutputFunctions.endsNetworks(function)) {
                return new SkipReasons.Ending(before.name(), function);
            }
            before = computes ? null : network.step(before.inputs().get(0));
        }
        return null;
    }

    private @Nullable LayerQuantizers quantizers(FusedStep step) {
        return step.kept() == null ? wrapped.get(step.name()) : step.kept().preparedQuantizers();
    }
}
