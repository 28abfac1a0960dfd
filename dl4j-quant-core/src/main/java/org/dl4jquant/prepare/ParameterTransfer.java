// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.prepare;

import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Trainable;
import org.dl4jquant.check.Require;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Copies the float network's parameters into the prepared network. */
final class ParameterTransfer {

    private ParameterTransfer() {}

    /**
     * Copies the parameters of all members of a step.
     *
     * @param step the step
     * @param original gives the float network's layer or vertex of a name
     * @param prepared the prepared network's layer or vertex
     * @throws IllegalArgumentException if a parameter is NaN or infinite, or has no place in the
     *     prepared layer; the message names layer and parameter
     */
    static void copy(
            FusedStep step, Function<String, @Nullable Trainable> original, Trainable prepared) {
        Map<String, INDArray> to = prepared.paramTable(false);
        for (String member : step.members()) {
            Trainable from = original.apply(member);
            Map<String, INDArray> table = from == null ? null : from.paramTable(false);
            if (table != null) {
                table.forEach((key, values) -> copy(member, key, values, to));
            }
        }
    }

    private static void copy(
            String layer, String key, INDArray values, Map<String, INDArray> table) {
        INDArray target = table.get(key);
        Require.argument(
                target != null && target.length() == values.length(),
                "layer '%s': parameter '%s' has no place in the prepared layer; leave this layer in"
                        + " float by a rule of the spec",
                layer,
                key);
        Require.argument(
                Double.isFinite(values.sumNumber().doubleValue())
                        && Double.isFinite(values.amaxNumber().doubleValue()),
                "layer '%s': parameter '%s' holds NaN or infinite values; the network has diverged,"
                        + " prepare one from before that",
                layer,
                key);
        Objects.requireNonNull(target).assign(values.reshape(target.shape()));
    }
}
