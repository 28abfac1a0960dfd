// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.network;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.dl4jquant.check.Require;
import org.dl4jquant.nd.Detached;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Fills the parameters of an edited network and what its updater remembers of them. */
final class EditedParameters {

    private EditedParameters() {}

    /** {@return each parameter of a step as its own source} */
    static Map<String, ParameterSource> all(NetworkView<?> network, String step) {
        Map<String, ParameterSource> sources = new LinkedHashMap<>();
        table(network, step).keySet().forEach(k -> sources.put(k, ParameterSource.kept(step, k)));
        return sources;
    }

    private static Map<String, INDArray> table(NetworkView<?> network, String step) {
        Trainable holder = network.trainable(step);
        Map<String, INDArray> table = holder == null ? null : holder.paramTable(false);
        return table == null ? Map.of() : table;
    }

    /**
     * Fills an edited network.
     *
     * @param original the network before the edits
     * @param sources the sources of each step's parameters
     * @param edited the network to fill
     */
    static void copy(
            NetworkView<?> original,
            Map<String, Map<String, ParameterSource>> sources,
            NetworkView<?> edited) {
        Detached.run(
                () -> {
                    sources.forEach((step, of) -> fill(original, step, of, edited));
                    if (original.updater() != null) {
                        edited.madeUpdater();
                        UpdaterStates from = UpdaterStates.of(original);
                        UpdaterStates to = UpdaterStates.of(edited);
                        sources.forEach((step, of) -> carry(from, step, of, to));
                    }
                });
    }

    private static void fill(
            NetworkView<?> original,
            String step,
            Map<String, ParameterSource> sources,
            NetworkView<?> edited) {
        Map<String, INDArray> table = table(edited, step);
        Require.argument(
                table.keySet().equals(sources.keySet()),
                "step '%s' has the parameters %s, and %s have a source; give one to each",
                step,
                table.keySet(),
                sources.keySet());
        if (sources.containsValue(ParameterSource.fresh())) {
            draw(step, edited);
        }
        table.forEach(
                (key, target) -> {
                    ParameterSource source = Objects.requireNonNull(sources.get(key));
                    if (source instanceof ParameterSource.Fresh) {
                        return;
                    }
                    INDArray values =
                            source instanceof ParameterSource.Kept kept
                                    ? kept.of(whole(original, kept))
                                    : ((ParameterSource.Given) source).values();
                    Require.argument(
                            Arrays.equals(values.shape(), target.shape()),
                            "parameter '%s' of '%s' has the shape %s, and its source %s; change the"
                                    + " layer's sizes or the slices",
                            key,
                            step,
                            Arrays.toString(target.shape()),
                            Arrays.toString(values.shape()));
                    target.assign(values);
                });
    }

    private static void draw(String step, NetworkView<?> edited) {
        Layer layer = edited.layer(step);
        Require.argument(
                layer != null, "step '%s' is no layer, so nothing draws its parameters", step);
        Objects.requireNonNull(layer);
        layer.conf().getLayer().initializer().init(layer.conf(), layer.params(), true);
    }

    private static INDArray whole(NetworkView<?> original, ParameterSource.Kept kept) {
        INDArray values = table(original, kept.step()).get(kept.parameter());
        Require.argument(
                values != null,
                "before the edit the network has no parameter '%s' of '%s'",
                kept.parameter(),
                kept.step());
        return Objects.requireNonNull(values);
    }

    private static void carry(
            UpdaterStates from,
            String step,
            Map<String, ParameterSource> sources,
            UpdaterStates to) {
        sources.forEach(
                (key, source) -> {
                    if (source instanceof ParameterSource.Kept kept) {
                        List<INDArray> state =
                                from.get(kept.step(), kept.parameter()).stream()
                                        .map(kept::of)
                                        .toList();
                        // Another updater remembers other things, and starts afresh.
                        to.set(step, key, state);
                    }
                });
    }
}
