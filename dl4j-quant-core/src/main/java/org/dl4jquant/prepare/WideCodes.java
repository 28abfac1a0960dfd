// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.dl4jquant.layer.LayerFunctions;
import org.dl4jquant.network.Topology;
import org.dl4jquant.scheme.IntFormat;
import org.dl4jquant.scheme.LayerScheme;
import org.dl4jquant.scheme.NumberFormat;
import org.dl4jquant.scheme.TensorScheme;
import org.jspecify.annotations.Nullable;

/**
 * Says where codes of 16 bits can be: some kinds of layers multiply and make no wider ones than 8.
 */
final class WideCodes {

    private final Topology<FusedStep> network;

    WideCodes(Topology<FusedStep> network) {
        this.network = network;
    }

    /**
     * Replaces 16 bits by 8 where a kind has no form of them.
     *
     * @param network the network
     * @param schemes the scheme of each step; changed
     * @return a warning for each layer with weights that has fewer bits now
     */
    static List<String> narrowInPlace(
            Topology<FusedStep> network, Map<String, LayerScheme> schemes) {
        List<String> warnings = new ArrayList<>();
        for (FusedStep step : network.steps()) {
            LayerScheme scheme = schemes.get(step.name());
            if (scheme == null || !isWide(scheme) || takes(step)) {
                continue;
            }
            schemes.put(
                    step.name(),
                    new LayerScheme(narrow(scheme.weights()), narrow(scheme.activations())));
            if (step.flow().hasWeights()) {
                warnings.add(
                        "layer '%s' has 8 bits instead of 16: a %s has no integer form of 16 bits"
                                .formatted(step.name(), step.type()));
            }
        }
        return warnings;
    }

    private static @Nullable TensorScheme narrow(@Nullable TensorScheme scheme) {
        return scheme == null || !isWide(scheme.format()) ? scheme : LayerFunctions.wide(scheme);
    }

    private static boolean isWide(LayerScheme scheme) {
        TensorScheme weights = scheme.weights();
        TensorScheme activations = scheme.activations();
        return (weights != null && isWide(weights.format()))
                || (activations != null && isWide(activations.format()));
    }

    private static boolean isWide(NumberFormat format) {
        return format instanceof IntFormat integer && integer.isWide();
    }

    private static boolean takes(FusedStep step) {
        return step.kept() == null
                && step.flow().hasWeights()
                && step.kind().integers().takesWideCodes();
    }

    /**
     * {@return a scheme for a step's result, with at most 8 bits unless the step can make more and
     * whatever reads them can take them}
     *
     * @param step the step
     * @param wanted the scheme
     */
    TensorScheme ofResult(FusedStep step, TensorScheme wanted) {
        boolean makes =
                takes(step)
                        && !LayerFunctions.needsTable(
                                Objects.requireNonNull(step.thawed()), step.activation());
        return makes && allTake(step.name()) ? wanted : Objects.requireNonNull(narrow(wanted));
    }

    /**
     * {@return a scheme for a network's input, with at most 8 bits unless whatever reads them can
     * take more}
     *
     * @param input the input
     * @param wanted the scheme
     */
    TensorScheme ofInput(String input, TensorScheme wanted) {
        return allTake(input) ? wanted : Objects.requireNonNull(narrow(wanted));
    }

    /* Whatever only moves codes takes them if its readers do. */
    private boolean allTake(String tensor) {
        return !network.outputs().contains(tensor)
                && network.consumers(tensor).stream()
                        .allMatch(
                                reader ->
                                        takes(reader)
                                                || (reader.kept() == null
                                                        && reader.flow().keepsCodes()
                                                        && allTake(reader.name())));
    }
}
