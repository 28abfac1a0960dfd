// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Set;
import java.util.function.Function;
import org.dl4jquant.check.Require;
import org.dl4jquant.layer.CodeJoint;
import org.dl4jquant.layer.QuantizedLayer;
import org.dl4jquant.layer.quantizers.ActivationScheme;
import org.dl4jquant.layer.quantizers.LayerQuantizers;
import org.dl4jquant.network.Topology;
import org.jspecify.annotations.Nullable;

/**
 * What a layer that has quantizers already, as after transfer learning, means to those that get
 * some now. It stays as it is: its quantizers, its scales and its weights.
 */
final class Kept {

    private Kept() {}

    /**
     * {@return the name of the codes that a step makes, which has quantizers already; null if it
     * makes none}
     */
    static @Nullable String codes(FusedStep step) {
        QuantizedLayer kept = step.kept();
        ActivationScheme result = kept == null ? null : kept.preparedQuantizers().result();
        return kept != null && result != null && result.isInteger() ? kept.outputName() : null;
    }

    /**
     * {@return whether a step that has quantizers already computes with codes that another makes:
     * it names that one, or only rounds a result, as after a sum}
     */
    static boolean readsCodes(FusedStep step) {
        QuantizedLayer kept = step.kept();
        if (kept == null) {
            return false;
        }
        boolean roundsInput = kept.preparedQuantizers().input() != null;
        return kept.preparedQuantizers().inputFrom() != null
                || (!roundsInput && !step.flow().hasWeights() && codes(step) != null);
    }

    /**
     * Checks that each step finds the codes that it was prepared for, and that no two layers make
     * codes of one name.
     *
     * @param network the network
     * @param wrapped the steps that get quantizers now
     * @param sourceOfCodes gives the name of the codes that a tensor holds, or null
     * @throws IllegalArgumentException if not; the message names the step
     */
    static void requireFit(
            Topology<FusedStep> network,
            Set<String> wrapped,
            Function<String, @Nullable String> sourceOfCodes) {
        for (FusedStep step : network.steps()) {
            QuantizedLayer kept = step.kept();
            CodeJoint joint = step.keptJoint();
            if (kept != null) {
                requireSource(step, 0, kept.preparedQuantizers().inputFrom(), sourceOfCodes);
                Require.argument(
                        !wrapped.contains(kept.outputName()),
                        "layer '%s' is new, but the quantized layer '%s' makes codes of this name;"
                                + " give the new layer another name",
                        kept.outputName(),
                        step.name());
            }
            if (joint != null) {
                for (int i = 0; i < joint.sources().size(); i++) {
                    requireSource(step, i, joint.sources().get(i), sourceOfCodes);
                }
            }
        }
    }

    private static void requireSource(
            FusedStep step,
            int input,
            @Nullable String wanted,
            Function<String, @Nullable String> sourceOfCodes) {
        String found = sourceOfCodes.apply(step.inputs().get(input));
        Require.argument(
                wanted == null || wanted.equals(found),
                "'%s' is quantized already and reads the codes that layer '%s' makes, but its input"
                        + " comes from '%s', %s; keep layer '%s', give the new layer its name and"
                        + " let it be quantized, or change the float network and prepare that",
                step.name(),
                String.valueOf(wanted),
                step.inputs().get(input),
                found == null ? "which makes no codes" : "with the codes of '" + found + "'",
                String.valueOf(wanted));
    }

    /**
     * {@return the end of a remark about a layer that rounds for itself what a quantized layer
     * before it gives out in float; empty for any other}
     *
     * @param network the network
     * @param step a step that gets quantizers now
     * @param quantizers these; null without
     */
    static String floatBefore(
            Topology<FusedStep> network, FusedStep step, @Nullable LayerQuantizers quantizers) {
        if (quantizers == null || quantizers.input() == null) {
            return "";
        }
        FusedStep before = network.step(step.inputs().get(0));
        while (before != null && before.kept() == null && before.flow().keepsCodes()) {
            before = network.step(before.inputs().get(0));
        }
        return before == null || before.kept() == null
                ? ""
                : "; will not lower: '"
                        + before.name()
                        + "' was quantized while nothing read codes of it, and keeps its result in"
                        + " float";
    }
}
